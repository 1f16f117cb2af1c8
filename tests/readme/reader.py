"""Somebody who follows a page: a folder, an environment and the servers that were started on the way."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from click.testing import CliRunner

from reconciler.cli.main import main
from tests.readme.pages import ROOT, Block, Command, commands_of, is_quoted, words_of
from tests.support.mail_server import MailServer, mail_server
from tests.support.servers.webhook import Webhook, webhook
from tests.support.timeouts import until

if TYPE_CHECKING:
    from types import TracebackType

_SHELL_SIGNS = set("|<>&;$`*(")
_NAMES = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ops"), ("EMAIL", "ops@harbor-dental.example"))
}


class Reader:
    """A reader in a clone at `home`, who types what pages say; use it as a context manager."""

    def __init__(self, home: Path) -> None:
        self.folder = home
        self._home = home
        self._printed: set[str] = set()
        self._logs: list[Path] = []
        self._servers: list[subprocess.Popen[str]] = []
        self._receivers = ExitStack()
        self._mail: list[MailServer] = []
        self._alerts: list[Webhook] = []
        tools = home.parent / "bin"
        tools.mkdir()
        for name, words in (("extcal", "-m reconciler "), ("python", "")):
            script = tools / name
            script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words}"$@"\n')
            script.chmod(0o755)
        self.env: dict[str, str | None] = {
            **_NAMES,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        }

    def __enter__(self) -> Self:
        """Begin in the folder of the clone."""
        os.chdir(self.folder)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the servers that still run."""
        with self._receivers:
            while self._servers:
                self._stop(self._servers[-1])

    def follow(self, block: Block) -> None:
        """Do what one block of a page says."""
        if block.language == "console":
            for command in commands_of(block):
                self.type(command)
        elif block.path:
            path = self.folder / block.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "yaml":
            self._validate(block)
        elif block.language == "python":
            raise AssertionError(f"line {block.line}: a program begins with a comment that names its file")
        else:
            missing = self.missing(block.text.splitlines())
            assert not missing, f"line {block.line}: nothing printed {missing}"

    def missing(self, lines: list[str]) -> list[str]:
        """Those of `lines` that nothing has printed so far, and nobody was sent."""
        self._note(*self._arrived())
        printed = self._printed | {words_of(line) for log in self._logs for line in log.read_text().splitlines()}
        return [line for line in lines if not is_quoted(line, printed)]

    def type(self, command: Command) -> None:
        """Run one command and compare its exit code."""
        match command.words:
            case ["cd", folder]:
                self.folder = (self.folder / folder).resolve()
                os.chdir(self.folder)
            case ["export", *assignments]:
                self._export(assignments)
            case ["make", target]:
                self._make(target)
            case ["pip", *words]:
                check_extras(words)
            case ["extcal", "sandbox", "serve", *_] as words:
                self._serve(words)
            case ["extcal", "watch", *_] as words:
                self._watch(words)
            case _:
                code, out, err = self._run(unattended(command))
                assert code in command.expected, f"line {command.line}: {command.text}: exit code {code}\n{out}\n{err}"
                assert "Traceback" not in err
                self._note(out, err)

    def _run(self, text: str) -> tuple[int, str, str]:
        """Run in this process what is nothing but extcal and words, in a shell what is more."""
        words = shlex.split(text)
        # What Apprise warns of would be an error in this process.
        if words[0] == "extcal" and words[1] != "notify" and not set(text) & _SHELL_SIGNS:
            ended = CliRunner(env=self.env).invoke(main, words[1:], catch_exceptions=False)
            return ended.exit_code, ended.stdout, ended.stderr
        done = subprocess.run(
            ["/bin/sh", "-c", text],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def _environment(self) -> dict[str, str]:
        return {name: value for name, value in (os.environ | self.env).items() if value is not None}

    def _validate(self, block: Block) -> None:
        """Check manifests that a page only shows, beside what they may refer to."""
        folder = self.folder.parent / f"shown-at-{block.line}"
        folder.mkdir()
        (folder / "shown.yaml").write_text(block.text, encoding="utf-8")
        for name, kind in (("site.yaml", "Site"), ("policies.yaml", "SyncPolicy")):
            if f"kind: {kind}\n" not in block.text:
                shutil.copy(ROOT / "examples" / "quickstart" / name, folder)
        code, _, err = self._run(f"extcal validate {shlex.quote(str(folder))}")
        assert code == 0, f"line {block.line}: {err}"

    def _serve(self, words: list[str]) -> None:
        """Start a sandbox on a free port, and export what it says how to reach it."""
        server = self._start([*words, "--port", "0"])
        assert server.stdout is not None
        assert server.stdout.readline().startswith("Serving the External Calendars API on http://127.0.0.1:")
        exported = server.stdout.readline().split()
        assert exported[0] == "export"
        self._export(exported[1:])
        self.env["EXTCAL_SANDBOX"] = None

    def _watch(self, words: list[str]) -> None:
        """Start watching, wait for a line of the first round, and end it."""
        watching = self._start([*words, "--listen", "127.0.0.1:0"])
        until(lambda: len(self._logs[-1].read_text().splitlines()) > 1)
        assert self._logs[-1].read_text().startswith("watching every")
        self._stop(watching)

    def _start(self, words: list[str]) -> subprocess.Popen[str]:
        """Start a command that runs until it is ended; what it says goes to a log."""
        log = self._home.parent / f"log-{len(self._logs)}"
        with log.open("w") as stderr:
            server = subprocess.Popen(
                [sys.executable, "-m", "reconciler", *words[1:]],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self._logs.append(log)
        self._servers.append(server)
        return server

    def _stop(self, server: subprocess.Popen[str]) -> None:
        """End a server as its user does; it must end well."""
        self._servers.remove(server)
        server.terminate()
        server.communicate(timeout=120)
        assert server.returncode == 0

    def _note(self, *texts: str) -> None:
        self._printed |= {words_of(line) for text in texts for line in text.splitlines()}

    def _export(self, words: list[str]) -> None:
        for word in words:
            name, value = word.split("=", 1)
            match name:
                case "EXTCAL_SMTP_URL":
                    value = self._take_mail(value)
                case "EXTCAL_NOTIFY_URLS":
                    value = self._take_alerts()
            self.env[name] = value

    def _take_mail(self, url: str) -> str:
        """Take mail at a server on loopback in place of the page's, from the same user with the same password."""
        user, password = urlsplit(url).username, self.env.get("EXTCAL_SMTP_PASSWORD")
        assert user, "a page shows how to log in"
        assert password, f"the password of {user} is to be set first"
        server = self._receivers.enter_context(mail_server(login=True, users={user: password}))
        self._mail.append(server)
        return server.url.replace("//", f"//{user}@")

    def _take_alerts(self) -> str:
        """Take alerts on loopback in place of those whom the page's URLs are of."""
        self._alerts.append(self._receivers.enter_context(webhook()))
        return self._alerts[-1].url

    def _arrived(self) -> Iterator[str]:
        """The texts of what was sent to people since this was asked last."""
        for server in self._mail:
            for message in (each.message for each in server.received):
                body = message.get_body(("plain",))
                assert body is not None
                yield f"Subject: {message['Subject']}\n{body.get_content()}"
        for receiver in self._alerts:
            for alert in receiver.all():
                yield f"{alert.title}\n{alert.text}"

    def _make(self, target: str) -> None:
        """Run the quickstart without setting it up again; of other targets there must be one of the name."""
        assert f"\n## {target}: " in (ROOT / "Makefile").read_text(encoding="utf-8")
        if target == "quickstart":
            code, out, err = self._run("sh examples/quickstart/run.sh .extcal/quickstart")
            assert code == 0, err
            self._note(out)


def check_extras(words: list[str]) -> None:
    """Check that the extras of extcal that a `pip install` names are there; nothing is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for word in words:
        if named := re.fullmatch(r"(?:\.|extcal)\[([\w,]+)\]", word):
            assert set(named[1].split(",")) <= set(project["optional-dependencies"])


def unattended(command: Command) -> str:
    """What to type where there is no terminal: nothing is asked, and nobody is awaited."""
    words = command.words
    added = ""
    if words[:2] in (["extcal", "apply"], ["extcal", "resolve"]) and "--auto-approve" not in words:
        added = " --auto-approve"
    if words[:2] == ["extcal", "apply"] and "--consent" not in words:
        added += " --consent skip"
    return command.text + added
