#!/usr/bin/env python3
"""What the pipeline asks of GitLab: one note in a merge request, the plan that was reviewed, one issue about drift.

gitlab.py note REPORT             show a plan in the merge request of this pipeline
gitlab.py reviewed-plan FILE      write the plan of the merge request whose merge this commit is
gitlab.py drift-issue CODE REPORT open, update or close the issue, by the exit code of plan --detailed-exitcode

Reads GITLAB_BOT_TOKEN (a project access token) and the variables that GitLab sets in every job.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

MARKER = "<!-- extcal-plan -->"
LABEL = "extcal-drift"
MERGED = ("sha", "merge_commit_sha", "squash_commit_sha")


def variable(name: str) -> str:
    """A variable of the job; ends the run where it is not set."""
    return os.environ.get(name) or sys.exit(f"gitlab.py: the variable {name} is not set in this job")


def request(method: str, path: str, fields: dict[str, str] | None = None) -> bytes:
    """The body of GitLab's answer; `path` is below the project unless it begins with a slash."""
    base = variable("CI_API_V4_URL")
    url = f"{base}{path}" if path.startswith("/") else f"{base}/projects/{variable('CI_PROJECT_ID')}/{path}"
    data = None if fields is None else json.dumps(fields).encode()
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - GitLab's own address
    # Artifacts may be redirected to another host, which must not get the token.
    asked.add_unredirected_header("PRIVATE-TOKEN", variable("GITLAB_BOT_TOKEN"))
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - as above
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            sys.exit(f"gitlab.py: {method} {path}: GitLab answers {error.code}; has GITLAB_BOT_TOKEN the scope api?")
    except OSError as error:
        sys.exit(f"gitlab.py: {method} {path}: {error}")


def get(path: str) -> Any:  # noqa: ANN401 - JSON as GitLab sends it
    """GitLab's answer to a GET."""
    return json.loads(request("GET", path))


def every(path: str) -> list[Any]:
    """All pages of a list."""
    rows: list[Any] = []
    for page in range(1, 101):
        found = get(f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}")
        rows += found
        if len(found) < 100:  # noqa: PLR2004 - a page that is not full is the last
            break
    return rows


def note(report: Path) -> None:
    """Write the one note of the merge request that begins with the marker, or make it."""
    body = report.read_text(encoding="utf-8")
    if not body.strip():
        body = f"{MARKER}\n**extcal could not make a plan.** Its [log]({variable('CI_JOB_URL')}) says why.\n"
    notes = f"merge_requests/{variable('CI_MERGE_REQUEST_IID')}/notes"
    me = get("/user")["id"]
    # Anybody can write the marker: only what this bot wrote is ours to change.
    ours = [found["id"] for found in every(notes) if found["author"]["id"] == me and found["body"].startswith(MARKER)]
    if ours:
        request("PUT", f"{notes}/{ours[0]}", {"body": body})
    else:
        request("POST", notes, {"body": body})


def reviewed_plan(file: Path) -> None:
    """Write the plan of the head that was merged as this commit; ends the run where there is none."""
    commit = variable("CI_COMMIT_SHA")
    merged = [
        found
        for found in every(f"repository/commits/{commit}/merge_requests")
        if found["state"] == "merged" and commit in {found.get(name) for name in MERGED}
    ]
    if not merged:
        sys.exit(f"gitlab.py: no merge request was merged as {commit}, so no plan was reviewed and nothing is applied")
    iid, head = merged[0]["iid"], merged[0]["sha"]
    for pipeline in every(f"merge_requests/{iid}/pipelines"):
        if pipeline["sha"] != head or pipeline["source"] != "merge_request_event":
            continue
        for job in every(f"pipelines/{pipeline['id']}/jobs"):
            if job["name"] == "plan" and job["status"] == "success":
                file.write_bytes(request("GET", f"jobs/{job['id']}/artifacts/{file.name}"))
                return
    sys.exit(f"gitlab.py: !{iid} has no plan of its last commit {head}, or it has expired; nothing is applied")


def drift_issue(code: str, report: Path) -> None:
    """Open, update or close the one issue; ends the run where the plan failed."""
    if code not in {"0", "2"}:
        sys.exit("gitlab.py: the drift run failed, so the issue was left as it is; the log of extcal says why")
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
    main(sys.argv[1:])
