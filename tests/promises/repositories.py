"""Repositories as an attacker makes them: an embedded bare one, and trees that git itself would never write."""

import hashlib
import os
import subprocess
import zlib
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Kim",
    "GIT_AUTHOR_EMAIL": "kim@harbor-dental.example",
    "GIT_COMMITTER_NAME": "Kim",
    "GIT_COMMITTER_EMAIL": "kim@harbor-dental.example",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(place: Path, *words: str, given: bytes = b"") -> str:
    """Run git in a folder, with nobody's settings."""
    command = ["git", *words]
    done = subprocess.run(command, cwd=place, env=os.environ | IDENTITY, input=given, capture_output=True, check=True)
    return done.stdout.decode().strip()


def initialised(folder: Path) -> Path:
    """A repository at `folder`, with the branch main."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit_all(root: Path, message: str = "manifests") -> str:
    """Commit all that lies in a repository, whatever it is; the id of the commit."""
    git(root, "add", "--all", "--force", ".")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD")


def embed_bare(folder: Path, command: str) -> None:
    """Lay a folder out as a bare repository whose config names `command` wherever git may be made to run one.

    Each file is one that a commit can hold; git tracks no empty folder, so `refs` and `objects` hold a file.
    """
    git(folder.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    for name in ("hooks", "info", "description"):
        remove(folder / name)
    for name in ("objects", "refs"):
        (folder / name / "keep").touch()
    hooks = folder / "refs" / "hooks"
    hooks.mkdir()
    for name in ("post-merge", "reference-transaction", "post-checkout", "fsmonitor-watchman"):
        (hooks / name).write_text(f"#!/bin/sh\n{command}\n")
        (hooks / name).chmod(0o755)
    settings = {
        "core.bare": "false",
        "core.worktree": str(folder.parent),
        "core.fsmonitor": f"{command}; false",
        "core.hooksPath": str(hooks),
        "core.pager": command,
        "core.sshCommand": command,
        "core.askPass": command,
        "core.alternateRefsCommand": command,
        "protocol.ext.allow": "always",
        "remote.origin.url": f"ext::sh -c {command.replace(' ', '% ')}",
        "remote.origin.promisor": "true",
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "branch.main.remote": "origin",
        "branch.main.merge": "refs/heads/main",
    }
    for name, value in settings.items():
        git(folder.parent, "config", "--file", str(folder / "config"), name, value)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink()


def commit_tree(root: Path, name: str, content: bytes) -> str:
    """A commit whose tree holds one file by this very name, which git would refuse; its id."""
    blob = git(root, "hash-object", "-w", "--stdin", given=content)
    tree = _store(root, b"tree", b"100644 " + os.fsencode(name) + b"\0" + bytes.fromhex(blob))
    return git(root, "commit-tree", tree, "-m", "hostile")


def _store(root: Path, kind: bytes, data: bytes) -> str:
    """Write a loose object (source: git's manual page gitformat-loose)."""
    whole = kind + b" " + str(len(data)).encode() + b"\0" + data
    name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    file = root / ".git" / "objects" / name[:2] / name[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(whole))
    return name
