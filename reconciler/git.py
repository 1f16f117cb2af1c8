"""Starts git: no other module does, so that nothing in a checkout can make it run a command.

A pull request may bring any file. Laid out as a bare repository, a folder of it would be taken for one by git's own
discovery, and its config can name commands. So the repository is looked for here, by its `.git`, which no commit can
hold; git is started at its root, must not look further, and is told to run nothing that a config or a folder names.
Reading never fetches. Sources: git's manual pages git-config (safe.bareRepository, core.hooksPath, core.fsmonitor),
git (environment variables), gitprotocol-common.
"""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.text import cut

TIMEOUT = 120.0
"""Seconds that one call of git may take."""

_LONGEST_REASON = 500
_CONFIG = (
    "safe.bareRepository=explicit",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.warnAmbiguousRefs=true",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
)
# Each of them leads git to another repository, or to other objects, than the ones at the root.
_ELSEWHERE = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
}
# A remote may be reached by these; `ext` and other helpers are commands.
_PROTOCOLS = "file:git:http:https:ssh"
# git repeats the URL that it was given, with whatever stands before the host.
_USERINFO = re.compile(r"(?<=://)[^/@\s]{1,1000}@")
_REGULAR_FILES = {"100644", "100755"}
_LINK = "120000"
_SUBMODULE = "160000"


class GitError(ExtcalError):
    """git can't be started, or failed; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file of a commit: its path below the repository's root, its object id, and its size in bytes."""

    name: str
    id: str
    size: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The regular files of a commit, its links, and the paths of its submodules, whose files git holds elsewhere.

    What a link holds is where it leads.
    """

    blobs: tuple[Blob, ...]
    links: tuple[Blob, ...]
    submodules: tuple[str, ...]


def root_of(path: Path) -> Path:
    """The nearest folder upwards from `path` that has a `.git`; raises GitError where there is none."""
    real = Path(os.path.realpath(path))
    for folder in (real, *real.parents):
        if os.path.lexists(folder / ".git"):
            return folder
    raise GitError(f"{path} is not in a git repository. Work in a clone.")


def is_tracked(path: Path) -> bool:
    """Whether a repository around `path` tracks it, or anything below it; False where no repository is.

    Raises GitError where git can't tell.
    """
    # A link is tracked where it stands, not where it leads.
    real = Path(os.path.realpath(path.absolute().parent)) / path.absolute().name
    # Its own one, should it be the root of one, and the one that it lies in.
    around = [folder for folder in (real, *real.parents) if os.path.lexists(folder / ".git")]
    return any(read(root, "ls-files", "-z", "--", real.relative_to(root).as_posix()) for root in around[:2])


def commit_of(root: Path, ref: str) -> str:
    """The full id of the commit that `ref` names; raises GitError where none is, or more than one may be meant."""
    words = ("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    code, found, said = _ended(root, words)
    if b"is ambiguous" in said:
        raise GitError(
            f"{ref!r} may mean more than one commit in {root}. Name it in full (refs/heads/…), or by its id."
        )
    if code != 0:
        raise GitError(_without_commit(root, ref, said))
    return found.decode().strip()


def tree(root: Path, commit: str, inside: str = ".") -> Tree:
    """What a commit holds below the path `inside`.

    Raises GitError for a name that would lead out of the folder that it is written to.
    """
    where = () if inside == "." else ("--", inside)
    blobs: list[Blob] = []
    links: list[Blob] = []
    submodules: list[str] = []
    for entry in filter(None, read(root, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, *where).split(b"\0")):
        described, _, raw = entry.partition(b"\t")
        mode, _kind, blob, size = described.decode().split()
        name = _safe(os.fsdecode(raw), commit)
        if mode in _REGULAR_FILES:
            # git has another word where this clone lacks the file: reading it will say so.
            blobs.append(Blob(name, blob, int(size) if size.isdigit() else 0))
        elif mode == _LINK:
            links.append(Blob(name, blob, int(size) if size.isdigit() else 0))
        elif mode == _SUBMODULE:
            submodules.append(name)
    return Tree(tuple(blobs), tuple(links), tuple(submodules))


def contents(root: Path, blobs: Sequence[Blob]) -> Iterator[bytes]:
    """The bytes of blobs, in order, read all at once: look at their sizes first.

    Raises GitError where this clone lacks one.
    """
    answer = read(root, "cat-file", "--batch", given="".join(f"{blob.id}\n" for blob in blobs).encode())
    at = 0
    for blob in blobs:
        end = answer.index(b"\n", at)
        if answer[at:end].endswith(b" missing"):
            raise GitError(f"this clone lacks {blob.name!r} of that commit. Clone without --filter.")
        size = int(answer[at:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def read(root: Path, *words: str, given: bytes = b"") -> bytes:
    """What git prints about the repository at `root`; nothing is fetched. Raises GitError."""
    code, found, said = _ended(root, words, given)
    if code != 0:
        raise GitError(_failed(root, words, said, code))
    return found


async def call(root: Path, *words: str, timeout: float = TIMEOUT) -> str:  # noqa: ASYNC109 - it ends a process, not a wait
    """As `read`, for a command that may reach its remote, and without blocking; it asks nobody. Raises GitError."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(words),
            cwd=root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(root, _PROTOCOLS),
            # It has helpers of its own, which must end with it; and Ctrl-C is ours to hear.
            start_new_session=True,
        )
    except OSError as error:
        raise _missing(error) from error
    try:
        async with asyncio.timeout(timeout):
            found, said = await process.communicate()
    except TimeoutError as error:
        raise GitError(_too_long(root, words, timeout)) from error
    finally:
        if process.returncode is None:
            _kill(process.pid)
            await process.wait()
    if process.returncode:
        raise GitError(_failed(root, words, said or found, process.returncode))
    return found.decode(errors="replace").strip()


def _ended(root: Path, words: Sequence[str], given: bytes = b"") -> tuple[int, bytes, bytes]:
    """The exit code of a git that reads, what it prints, and what it says to stderr."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the words are ours; a ref is stopped by --end-of-options
            _command(words),
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(root, ""),
            start_new_session=True,
        )
    except OSError as error:
        raise _missing(error) from error
    with process:
        try:
            found, said = process.communicate(given, TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise GitError(_too_long(root, words, TIMEOUT)) from error
        finally:
            if process.returncode is None:
                _kill(process.pid)
    return process.returncode, found, said


def _command(words: Sequence[str]) -> list[str]:
    return ["git", "--no-pager", *(word for setting in _CONFIG for word in ("-c", setting)), *words]


def _environment(root: Path, protocols: str) -> dict[str, str]:
    """Ours, without our secrets, and without what would lead git away from `root`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EXTCAL_") and k not in _ELSEWHERE}
    return kept | {
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_ASKPASS": "",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_COMMAND": kept.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _safe(name: str, commit: str) -> str:
    """The name, unless writing it could reach another place; git itself makes no such trees."""
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in name.split("/")):
        raise GitError(f"commit {commit} holds the name {name!r}, which leads out of its folder. Do not use it.")
    return name


def _missing(error: OSError) -> GitError:
    return GitError(f"git can't be started ({error.strerror}). Install it.")


def _too_long(root: Path, words: Sequence[str], timeout: float) -> str:
    return f"{root}: git {words[0]} did not end within {timeout:g} s. Check the disk and the remote."


def _failed(root: Path, words: Sequence[str], said: bytes, code: int) -> str:
    if b"dubious ownership" in said:
        return (
            f"{root} belongs to another user, so git does not read it. If you trust everything in it, run: "
            f"git config --global --add safe.directory {root}"
        )
    return f"{root}: git {words[0]} failed: {_sentences(said) or f'exit code {code}'}"


def _without_commit(root: Path, ref: str, said: bytes) -> str:
    """Why there is no such commit, with the one remedy that fits."""
    if b"Needed a single revision" not in said:
        return _failed(root, ("rev-parse",), said, 1)
    missing = f"there is no commit {ref!r} in {root}."
    if Path(ref).is_dir():
        return f"{missing} To compare with the folder, use --base-dir."
    if read(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return (
            f"{missing} The clone is shallow, or lacks the branch. Fetch what is missing (in CI: fetch-depth: 0; else "
            "git fetch --unshallow, and git fetch origin BRANCH:refs/remotes/origin/BRANCH)."
        )
    return f"{missing} Check the name. Fetch what is only on the remote."


def _sentences(said: bytes) -> str:
    """What git says, on one line and without whoever logs in."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
    text = "; ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines if line)
    return cut(_USERINFO.sub("…@", text), _LONGEST_REASON)
