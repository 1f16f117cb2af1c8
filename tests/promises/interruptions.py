"""Ways to make the world fail around extcal: signals in the midst of it, full disks, streams that lead nowhere."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.support.cli.command import COMMAND, Extcal, Ran
from tests.support.timeouts import TIMEOUT

# Coverage would write its data where nothing can be written.
_UNMEASURED: dict[str, str | None] = {"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None}
_LIMITED = (
    "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path, with what it holds; the machine's own notes left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".local" not in path.parts and ".cache" not in path.parts
    }


def on_full_disk(extcal: Extcal, size: int, *args: str, env: Mapping[str, str | None] | None = None) -> Ran:
    """Run where no file can grow beyond so many bytes."""
    return _ended(extcal, [sys.executable, "-c", _LIMITED, str(size), *COMMAND, *args], env)


def with_streams(extcal: Extcal, redirections: str, *args: str) -> Ran:
    """Run with streams that a shell redirects, as `>&-` closes stdout; what is left of them is read."""
    return _ended(extcal, ["sh", "-c", f"exec {shlex.join([*COMMAND, *args])} {redirections}"], None)


def with_gone_reader(extcal: Extcal, stream: str, *args: str) -> Ran:
    """Run with nobody who reads `stdout` or `stderr`; what the other one holds."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with subprocess.Popen(
            [*COMMAND, *args],
            cwd=extcal.folder,
            env=extcal.environment(),
            stdin=subprocess.DEVNULL,
            stdout=writing if stream == "stdout" else subprocess.PIPE,
            stderr=writing if stream == "stderr" else subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            out, err = process.communicate(timeout=TIMEOUT)
    finally:
        os.close(writing)
    return Ran(process.returncode, out or "", err or "")


def _ended(extcal: Extcal, command: Sequence[str], env: Mapping[str, str | None] | None) -> Ran:
    ended = subprocess.run(
        command,
        cwd=extcal.folder,
        env=extcal.environment({**_UNMEASURED, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def waiting(extcal: Extcal, *commands: tuple[str, ...]) -> Iterator[list[subprocess.Popen[str]]]:
    """A process for each command, all of which wait for a service that took their requests and says nothing."""
    with ExitStack() as stack:
        silent = [stack.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in commands]
        processes = [
            stack.enter_context(
                extcal.started(*args, env={"EXTCAL_ENDPOINT": f"http://127.0.0.1:{server.getsockname()[1]}"})
            )
            for args, server in zip(commands, silent, strict=True)
        ]
        for server in silent:
            server.settimeout(TIMEOUT)
            accepted, _ = server.accept()
            stack.enter_context(accepted)
            assert accepted.recv(1)
        yield processes


def interrupted(process: subprocess.Popen[str], *signals: signal.Signals) -> Ran:
    """Send signals, one right after the other, and wait for the end."""
    for number in signals:
        process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT)
    return Ran(process.returncode, out, err)
