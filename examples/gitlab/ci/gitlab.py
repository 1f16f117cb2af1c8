#!/usr/bin/env python3
"""What the pipeline asks of GitLab: one note in a merge request, the plan that was reviewed, one issue about drift.

gitlab.py note REPORT             show a plan in the merge request of this pipeline
gitlab.py reviewed-plan FILE      write the plan that was shown in the merge request whose merge this commit is
gitlab.py drift-issue CODE REPORT open, update or close the issue, by the exit code of plan --detailed-exitcode

Reads GITLAB_BOT_TOKEN (a project access token) and the variables that GitLab sets in every job.
"""

import http.client
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

MARKER = "<!-- extcal-plan -->"
LABEL = "extcal-drift"
# What decides how a plan is made; whatever .gitlab-ci.yml includes from this repository belongs into ci/ too.
PIPELINE = (".gitlab-ci.yml", "ci")
DIGEST = re.compile(r"^Digest of the plan: `(sha256:[0-9a-f]{64})`\s*$", re.MULTILINE)
# No answer is larger: a page of the longest notes that GitLab takes fits in, and so does the plan of any fleet.
LARGEST = 128 * 1024 * 1024
PAGE = 20
MOST_PAGES = 500

Row = dict[str, Any]


def fail(why: str) -> NoReturn:
    """End the run with a line that says why."""
    sys.exit(f"gitlab.py: {why}")


def variable(name: str) -> str:
    """A variable of the job; ends the run where it is not set."""
    return os.environ.get(name) or fail(f"the variable {name} is not set in this job")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows only the one way that an artifact may take, to another storage by the same scheme."""

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:  # noqa: ANN401 - as the base class has it
        """The request to send instead; None where the answer stands as an error."""
        *_, url = rest
        if "/artifacts/" not in req.selector or urllib.parse.urlsplit(url).scheme != req.type:
            return None
        return super().redirect_request(req, *rest)


_OPENER = urllib.request.build_opener(_Redirects)


def request(method: str, path: str, fields: dict[str, str] | None = None) -> bytes:
    """The body of GitLab's answer; `path` is below the project unless it begins with a slash."""
    base = variable("CI_API_V4_URL")
    url = f"{base}{path}" if path.startswith("/") else f"{base}/projects/{variable('CI_PROJECT_ID')}/{path}"
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        fail(f"CI_API_V4_URL is no address of a web server: {base}")
    data = None if fields is None else json.dumps(fields).encode()
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - checked above
    # Artifacts may be redirected to another host, which must not get the token.
    asked.add_unredirected_header("PRIVATE-TOKEN", variable("GITLAB_BOT_TOKEN"))
    try:
        with _OPENER.open(asked, timeout=60) as answer:
            body = bytes(answer.read(LARGEST + 1))
    except urllib.error.HTTPError as error:
        with error:
            hint = "has GITLAB_BOT_TOKEN the scope api?" if error.code >= http.client.BAD_REQUEST else "not followed"
            fail(f"{method} {path}: GitLab answers {error.code}; {hint}")
    except (OSError, http.client.HTTPException) as error:
        fail(f"{method} {path}: {error}")
    if len(body) > LARGEST:
        fail(f"{method} {path}: the answer is larger than {LARGEST // 1024 // 1024} MiB")
    return body


def get(path: str) -> Any:  # noqa: ANN401 - JSON as GitLab sends it
    """GitLab's answer to a GET."""
    try:
        return json.loads(request("GET", path))
    except (ValueError, RecursionError):
        fail(f"GET {path}: the answer is not JSON; is CI_API_V4_URL that of GitLab?")


def every(path: str) -> list[Row]:
    """All pages of a list."""
    rows: list[Row] = []
    for page in range(1, MOST_PAGES + 1):
        found = get(f"{path}{'&' if '?' in path else '?'}per_page={PAGE}&page={page}")
        rows += found
        if len(found) < PAGE:
            return rows
    fail(f"GET {path}: more than {PAGE * MOST_PAGES} rows")


def our_notes(iid: str) -> list[Row]:
    """The notes of a merge request that show a plan; anybody can write the marker, but not as this bot."""
    me = get("/user")["id"]
    found = every(f"merge_requests/{iid}/notes")
    return [row for row in found if row["author"]["id"] == me and row["body"].startswith(MARKER)]


def note(report: Path) -> None:
    """Write the one note of the merge request that begins with the marker, or make it."""
    body = report.read_text(encoding="utf-8")
    if not body.strip():
        body = f"{MARKER}\n**extcal could not make a plan.** Its [log]({variable('CI_JOB_URL')}) says why.\n"
    iid = variable("CI_MERGE_REQUEST_IID")
    notes = f"merge_requests/{iid}/notes"
    ours = our_notes(iid)
    if ours:
        request("PUT", f"{notes}/{ours[0]['id']}", {"body": body})
    else:
        request("POST", notes, {"body": body})
    # Two pipelines at once may each have made one.
    for other in ours[1:]:
        request("DELETE", f"{notes}/{other['id']}")


def reviewed_plan(file: Path) -> None:
    """Write the plan that was shown in the merge request that was merged as this commit; ends the run without one.

    The digest and the number of the merge request go to stdout, as variables for the job that applies.
    """
    merged = merged_request(variable("CI_COMMIT_SHA"), variable("CI_DEFAULT_BRANCH"))
    check_pipeline(merged)
    digest = shown_digest(merged)
    for job in plan_jobs(merged):
        content = request("GET", f"jobs/{job['id']}/artifacts/out/plan.json")
        if digest_of(content) == digest:
            with file.open("xb") as new:
                new.write(content)
            sys.stdout.write(f"PLAN_DIGEST={digest}\nPLAN_MERGE_REQUEST=!{merged['iid']}\n")
            return
    fail(
        f"!{merged['iid']}: no pipeline that planned its last commit {merged['sha']} before the merge has saved the "
        f"plan that its note shows, {digest}, or it has expired; nothing is applied. Open a new merge request"
    )


def merged_request(commit: str, branch: str) -> Row:
    """The one merge request into the default branch whose merge is this commit."""
    found = [
        row
        for row in every(f"repository/commits/{commit}/merge_requests")
        if (row["state"], row["target_branch"]) == ("merged", branch)
        and commit == (row["merge_commit_sha"] or row["squash_commit_sha"] or row["sha"])
    ]
    if not found:
        fail(f"no merge request into {branch} was merged as {commit}: no plan was reviewed, and nothing is applied")
    if len(found) > 1:
        names = " and ".join(f"!{row['iid']}" for row in found)
        fail(f"{names} were all merged as {commit}: which plan was reviewed is not clear, and nothing is applied")
    (merged,) = found
    if str(merged["source_project_id"]) != variable("CI_PROJECT_ID"):
        fail(f"!{merged['iid']} comes from a fork, for which no plan is made; nothing is applied")
    return merged


def check_pipeline(merged: Row) -> None:
    """End the run unless the plan was made by the pipeline that the default branch had before and has after it."""
    before, after = variable("CI_COMMIT_BEFORE_SHA"), variable("CI_COMMIT_SHA")
    if not before.strip("0"):
        fail(f"{after} is the first commit of its branch: no plan was reviewed, and nothing is applied")
    known = pipeline_files(before)
    if pipeline_files(merged["sha"]) != known or pipeline_files(after) != known:
        fail(
            f"!{merged['iid']} was planned by another pipeline than that of {before}: {' or '.join(PIPELINE)} differs, "
            "and nothing is applied. Plan again in a merge request that is up to date and leaves them alone"
        )


def pipeline_files(commit: str) -> set[tuple[str, str, str]]:
    """The files and folders that decide how a plan is made, each with its mode and git's id of its content."""
    rows = every(f"repository/tree?ref={urllib.parse.quote(commit, safe='')}")
    return {(row["path"], row["mode"], row["id"]) for row in rows if row["path"] in PIPELINE}


def shown_digest(merged: Row) -> str:
    """The digest of the plan that the note in the merge request shows."""
    ours = our_notes(merged["iid"])
    digests = DIGEST.findall(ours[0]["body"]) if len(ours) == 1 else []
    if len(digests) != 1:
        fail(f"!{merged['iid']} has no note, or more than one, that shows one plan by its digest; nothing is applied")
    return str(digests[0])


def plan_jobs(merged: Row) -> Iterator[Row]:
    """The jobs that planned the last commit of the merge request, for it and before it was merged."""
    ref, head = f"refs/merge-requests/{merged['iid']}/head", merged["sha"]
    origin = (variable("CI_PROJECT_ID"), ref, head, "merge_request_event")
    for pipeline in every(f"merge_requests/{merged['iid']}/pipelines"):
        if (str(pipeline["project_id"]), pipeline["ref"], pipeline["sha"], pipeline["source"]) != origin:
            continue
        for job in every(f"pipelines/{pipeline['id']}/jobs"):
            made = (job["name"], job["status"], job["ref"], job["commit"]["id"]) == ("plan", "success", ref, head)
            if made and moment(job["finished_at"]) <= moment(merged["merged_at"]):
                yield job


def moment(text: str) -> datetime:
    """A time as GitLab writes it."""
    return datetime.fromisoformat(text)


def digest_of(plan: bytes) -> str:
    """The digest that a saved plan says it has, which extcal compares with its content; empty where it says none."""
    try:
        found = json.loads(plan)
    except (ValueError, RecursionError):
        return ""
    return str(found.get("digest", "")) if isinstance(found, dict) else ""


def drift_issue(code: str, report: Path) -> None:
    """Open, update or close the one issue; ends the run where the plan failed."""
    if code not in {"0", "2"}:
        fail("the drift run failed, so the issue was left as it is; the log of extcal says why")
    me = get("/user")["id"]
    found = every(f"issues?state=opened&labels={LABEL}&author_id={me}")
    if code == "2":
        fields = {"description": report.read_text(encoding="utf-8")}
        if found:
            request("PUT", f"issues/{found[0]['iid']}", fields)
        else:
            request(
                "POST", "issues", fields | {"title": "Calendar connections drifted from the manifests", "labels": LABEL}
            )
    elif found:
        request("PUT", f"issues/{found[0]['iid']}", {"state_event": "close"})


def main(words: list[str]) -> None:
    """Do what the command line says."""
    match words:
        case ["note", report]:
            note(Path(report))
        case ["reviewed-plan", file]:
            reviewed_plan(Path(file))
        case ["drift-issue", code, report]:
            drift_issue(code, Path(report))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as problem:
        fail(str(problem))
    except (KeyError, TypeError, ValueError) as problem:
        fail(f"GitLab's answer is not as expected: {type(problem).__name__}: {problem}")
