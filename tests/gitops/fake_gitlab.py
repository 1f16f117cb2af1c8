"""A stand-in for GitLab's API on a free port: one project, and what the pipeline's script asks for."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "glpat-made-up"
ME = {"id": 42}

Row = dict[str, Any]


@dataclass
class Project:
    """What the project holds, and what it was asked."""

    url: str = ""
    notes: list[Row] = field(default_factory=list)
    issues: list[Row] = field(default_factory=list)
    merged: list[Row] = field(default_factory=list)
    pipelines: list[Row] = field(default_factory=list)
    jobs: dict[str, list[Row]] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    trees: dict[str, list[Row]] = field(default_factory=dict)
    elsewhere: str = ""
    redirects: dict[str, str] = field(default_factory=dict)
    endless: set[str] = field(default_factory=set)
    sent: int = 0
    writes: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, str], body: Row) -> object:
        """The answer to a request, as JSON; None where there is nothing."""
        if method != "GET":
            self.writes.append(f"{method} {path}")
        match method, path.split("/"):
            case "GET", ["user"]:
                return ME
            case "GET", ["merge_requests", "7", "notes"]:
                return self.notes
            case "POST", ["merge_requests", "7", "notes"]:
                self.notes.append({"id": len(self.notes), "author": ME, **body})
                return self.notes[-1]
            case "PUT" | "DELETE", ["merge_requests", "7", "notes", number]:
                (found,) = [row for row in self.notes if row["id"] == int(number)]
                found.update(body)
                if method == "DELETE":
                    self.notes.remove(found)
                return found
            case _, ["issues", *_]:
                return self._issue(method, path, query, body)
            case _:
                return self._read(path, query)

    def _issue(self, method: str, path: str, query: dict[str, str], body: Row) -> object:
        match method, path.split("/"):
            case "GET", ["issues"]:
                state, author = query["state"], int(query["author_id"])
                found = [row for row in self.issues if (row["state"], row["author"]["id"]) == (state, author)]
                return [row for row in found if row["labels"] == query["labels"]]
            case "POST", ["issues"]:
                self.issues.append({"iid": len(self.issues), "author": ME, "state": "opened", **body})
                return self.issues[-1]
            case "PUT", ["issues", number]:
                issue = self.issues[int(number)]
                issue.update(body)
                if body.get("state_event") == "close":
                    issue["state"] = "closed"
                return issue
        return None

    def _read(self, path: str, query: dict[str, str]) -> object:
        if re.fullmatch(r"repository/commits/\w+/merge_requests", path):
            return self.merged
        if path == "merge_requests/7/pipelines":
            return self.pipelines
        if found := re.fullmatch(r"pipelines/(\w+)/jobs", path):
            return self.jobs.get(found[1], [])
        if path == "repository/tree":
            return self.trees.get(query["ref"])
        return None


def _page(answer: object, query: dict[str, str]) -> object:
    """The page of a list that is asked for, of at most 100 rows as GitLab has it."""
    if not isinstance(answer, list):
        return answer
    size = min(int(query.get("per_page", "20")), 100)
    start = (int(query.get("page", "1")) - 1) * size
    return answer[start : start + size]


class _Handler(BaseHTTPRequestHandler):
    project: Project

    def _do(self) -> None:
        url = urlsplit(self.path)
        path = url.path.removeprefix("/api/v4").lstrip("/").removeprefix("projects/5/")
        self.project.tokens.append(self.headers["PRIVATE-TOKEN"])
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if path.startswith("elsewhere/"):
            self._send(200, self.project.artifacts[path.removeprefix("elsewhere/")].encode())
        elif self.headers["PRIVATE-TOKEN"] != TOKEN:
            self._send(401, b"{}")
        elif path in self.project.redirects:
            self._redirect(self.project.redirects[path])
        elif path in self.project.endless:
            self._send_without_end()
        elif path in self.project.artifacts:
            self._redirect(f"{self.project.elsewhere}/elsewhere/{path}")
        else:
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            found = _page(self.project.answer(self.command, path, query, json.loads(body or b"{}")), query)
            self._send(404 if found is None else 200, json.dumps(found).encode())

    do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815 - the names that http.server looks for

    def _send_without_end(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(ConnectionError):
            while True:
                self.project.sent += self.wfile.write(b" " * 65536)

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def served(project: Project) -> Iterator[Project]:
    """The project served on loopback, its `url` set, until the block ends."""
    handler = type("Handler", (_Handler,), {"project": project})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        project.elsewhere = f"http://127.0.0.1:{server.server_address[1]}"
        project.url = f"{project.elsewhere}/api/v4"
        try:
            yield project
        finally:
            server.shutdown()
            thread.join()
