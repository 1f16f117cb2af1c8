"""A stand-in for GitHub's command `gh`, over a repository that is a JSON file; records every call.

It pages by two, filters with real jq, and knows what the actions ask for and nothing else.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jq  # type: ignore[import-not-found] # a compiled module without types

from tests.support.github.repository import BOT, NAME, World

PAGE = 2

Fields = dict[str, str]
Answer = Any


def main(words: list[str]) -> int:
    """Answer one call as `gh` would, and keep what it changed."""
    file = Path(os.environ["FAKE_GH"])
    world: World = json.loads(file.read_text())
    world["calls"].append(words)
    world["environments"].append(sorted(os.environ))
    verbs = {"api": _api, "run": _download, "attestation": _verify}
    code = verbs[words[0]](world, words[1:])
    file.write_text(json.dumps(world))
    return code


def _api(world: World, words: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--jq")
    parser.add_argument("--field", action="append", default=[])
    parser.add_argument("--raw-field", action="append", default=[])
    said = parser.parse_args(words)
    fields = dict(pair.split("=", 1) for pair in said.raw_field)
    for name, value in (pair.split("=", 1) for pair in said.field):
        fields[name] = Path(value[1:]).read_text() if value.startswith("@") else value
    url = urlsplit(said.path)
    prefix = f"repos/{NAME}/"
    assert url.path.startswith(prefix)
    place = url.path.removeprefix(prefix).split("/")
    routes = {"issues": _comments if "comments" in place else _issues, "labels": _labels}
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    answer = routes.get(place[0], _runs)(world, [said.method, *place], query, fields)
    if answer is None:
        sys.stderr.write("gh: Not Found (HTTP 404)\n")
        return 1
    pages = _pages(answer)
    for page in pages if said.paginate else pages[:1]:
        if not said.silent:
            _show(page, said.jq)
    return 0


def _comments(world: World, asked: list[str], _query: Fields, fields: Fields) -> Answer:
    match asked:
        case ["GET", "issues", number, "comments"]:
            return [found for found in world["comments"] if found["issue"] == number]
        case ["POST", "issues", number, "comments"]:
            return _add(
                world["comments"], {"id": 1000 + len(world["comments"]), "issue": number, "user": BOT, **fields}
            )
        case ["PATCH", "issues", "comments", number]:
            return _change(world["comments"], "id", number, fields)
    raise AssertionError(asked)


def _issues(world: World, asked: list[str], query: Fields, fields: Fields) -> Answer:
    match asked:
        case ["GET", "issues"]:
            matching = (found for found in world["issues"] if found["state"] == query["state"])
            return [found for found in matching if query["labels"] in found["labels"]]
        case ["POST", "issues"]:
            label = fields.pop("labels[]")
            assert label in world["labels"]
            new = {"user": BOT, "state": "open", "labels": [label], "number": 100 + len(world["issues"])}
            return _add(world["issues"], new | fields)
        case ["PATCH", "issues", number]:
            return _change(world["issues"], "number", number, fields)
    raise AssertionError(asked)


def _labels(world: World, asked: list[str], _query: Fields, fields: Fields) -> Answer:
    match asked:
        case ["GET", "labels", name]:
            return {"name": name} if name in world["labels"] else None
        case ["POST", "labels"]:
            return _add(world["labels"], fields["name"])
    raise AssertionError(asked)


def _runs(world: World, asked: list[str], query: Fields, _fields: Fields) -> Answer:
    match asked:
        case ["GET", "commits", sha, "pulls"]:
            return world["pulls"].get(sha, [])
        case ["GET", "compare", span]:
            return world["compare"].get(span)
        case ["GET", "actions", "workflows", file, "runs"]:
            found = [run for run in world["runs"].values() if run["path"].partition("@")[0].endswith(f"/{file}")]
            return {"workflow_runs": [run for run in found if query["head_sha"] == run["head_sha"]]}
        case ["GET", "actions", "runs", number]:
            return world["runs"][number]
        case ["GET", "actions", "runs", number, "artifacts"]:
            return {"artifacts": [found for found in world["artifacts"] if str(found["run"]) == number]}
    raise AssertionError(asked)


def _add(rows: list[Answer], row: Answer) -> Answer:
    rows.append(row)
    return row


def _change(rows: list[Answer], key: str, value: str, fields: Fields) -> Answer:
    row = next(row for row in rows if str(row[key]) == value)
    row.update(fields)
    return row


def _pages(answer: Answer) -> list[Answer]:
    if not isinstance(answer, list):
        return [answer]
    return [answer[start : start + PAGE] for start in range(0, len(answer), PAGE)] or [[]]


def _show(page: Answer, expression: str | None) -> None:
    for value in [page] if expression is None else jq.compile(expression).input_value(page).all():
        sys.stdout.write((value if isinstance(value, str) else json.dumps(value)) + "\n")


def _download(world: World, words: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb")
    parser.add_argument("run")
    for name in ("--repo", "--name", "--dir"):
        parser.add_argument(name, required=True)
    said = parser.parse_args(words)
    assert (said.verb, said.repo) == ("download", NAME)
    for artifact in world["artifacts"]:
        if artifact["name"] == said.name and str(artifact["run"]) == said.run:
            folder = Path(said.dir)
            folder.mkdir()
            for name, content in artifact["files"].items():
                (folder / name).write_text(content)
            return 0
    sys.stderr.write("no valid artifacts found to download\n")
    return 1


def _verify(world: World, words: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb")
    parser.add_argument("file")
    for name in ("--repo", "--signer-workflow", "--signer-digest", "--source-ref"):
        parser.add_argument(name, required=True)
    parser.add_argument("--deny-self-hosted-runners", action="store_true", required=True)
    said = parser.parse_args(words)
    assert (said.verb, said.repo) == ("verify", NAME)
    who = [said.signer_workflow, said.signer_digest, said.source_ref]
    if world["attestations"].get(Path(said.file).read_text()) == who:
        return 0
    sys.stderr.write("verifying with issuer failed\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
