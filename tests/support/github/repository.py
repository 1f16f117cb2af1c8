"""The repository on GitHub that the tests play with, as the stand-in for `gh` keeps it."""

from typing import Any

World = dict[str, Any]
"""Comments, issues, labels, pull requests by commit, artifacts, runs, comparisons, attestations, and the calls made."""

NAME = "harbor-group/calendars"
BOT = {"login": "github-actions[bot]", "type": "Bot"}


def empty() -> World:
    """A repository in which nothing has happened yet."""
    lists: World = {name: [] for name in ("comments", "issues", "labels", "artifacts", "calls", "environments")}
    return lists | {"pulls": {}, "runs": {}, "compare": {}, "attestations": {}}
