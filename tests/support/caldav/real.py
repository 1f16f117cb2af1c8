"""Radicale and Xandikos, each as its own process on a loopback port."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.caldav.paper import EMAIL, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_START_SECONDS = 120.0


@dataclass(slots=True)
class RealServer:
    """A server. `authority` signs its certificate, where it has one; `hashed` is how a password stands in `users`."""

    name: str
    url: str
    hashed: Callable[[str], str]
    users: Path
    command: list[str]
    log: Path
    authority: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def set_password(self, password: str) -> None:
        """Change the account's password, as its owner would."""
        self.users.write_text(f"{EMAIL}:{self.hashed(password)}\n")
        # Servers look at the time of the file, which may not have moved within one tick of the clock.
        later = time.time_ns() + 10**9
        os.utime(self.users, ns=(later, later))

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.users.parent)
        port = int(self.url.rstrip("/").rpartition(":")[2])
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1.0):
                    # Before it has its certificate, it is somebody else who listens there.
                    if self.authority is None or self.authority.exists():
                        return
            except OSError:
                pass
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{self.name} didn't start: {self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restore(self) -> None:
        """Let it run, and open to the password that it had at first."""
        self.set_password(PASSWORD)
        if self.process is None:
            self.start()


@contextmanager
def radicale(python: Path, folder: Path) -> Iterator[RealServer]:
    """Radicale (https://radicale.org), over plain HTTP."""
    folder.mkdir()
    port, users = _free_port(), folder / "users"
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder / 'data'}\n"
    )
    command = [str(python), "-m", "radicale", "--config", str(folder / "config")]
    server = RealServer("radicale", f"http://127.0.0.1:{port}/", str, users, command, folder / "log")
    yield from _served(server)


@contextmanager
def xandikos(python: Path, folder: Path) -> Iterator[RealServer]:
    """Xandikos (https://www.xandikos.org), over TLS with a certificate that it makes for `localhost`."""
    folder.mkdir()
    port, users = _free_port(), folder / "users"
    command = [str(python), "-m", "xandikos", "serve", "--directory", str(folder / "data"), "--defaults"]
    command += ["--listen-address", "localhost", "--port", str(port), "--htpasswd", str(users), "--autocert"]
    command += ["--state-dir", str(folder / "state")]
    authority = folder / "state" / "certs" / "selfsigned.crt"
    server = RealServer("xandikos", f"https://localhost:{port}/", _sha1, users, command, folder / "log", authority)
    yield from _served(server)


def _served(server: RealServer) -> Iterator[RealServer]:
    server.set_password(PASSWORD)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _sha1(password: str) -> str:
    return "{SHA}" + base64.b64encode(hashlib.sha1(password.encode(), usedforsecurity=False).digest()).decode()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
