"""Where commands run whose every word is searched for secrets: a folder, a front, logs at their lowest level."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import pytest

from reconciler.api.clock import SystemClock
from reconciler.sandbox.world import World
from tests.promises.canaries import API_KEY, APP_SECRET, FILE_PASSWORD, PASSWORD, PROXY_PASSWORD, leaks
from tests.promises.echo_service import Front
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import BUSY, GOOGLE, HARBOR, connection, harbor, site, world

_BRIEF = 0.2
_APP = f"auth: {{app: {{appId: {GOOGLE}, appSecret: {{env: EXTCAL_APP_SECRET}}, instanceId: {HARBOR}}}}}"


def guarded() -> World:
    """Harbor Dental with a connection to update, and accounts whose passwords are canaries."""
    accounts = tuple(
        replace(account, password=FILE_PASSWORD if account.email.startswith("staff3") else PASSWORD)
        if account.password is not None
        else account
        for account in world().accounts
    )
    return World(sites=(harbor(1),), accounts=accounts)


def manifests() -> str:
    """A connect by a password, an update, a connect by consent, and a connect by a password in a file."""
    in_file = connection(3).replace("{env: EXTCAL_APP_PASSWORD}", "{file: staff/three}")
    return "".join(
        (connection(0), connection(1, more=BUSY.replace("true", "false")), connection(2, provider="google"), in_file)
    )


@dataclass
class Stage:
    """A folder with manifests and secrets; what runs in it must show none of them."""

    extcal: Extcal
    front: Front
    logged: list[str] = field(default_factory=list)

    def prepare(self, *, app: bool) -> None:
        """Write the manifests of a site with an API key, or of one on which an app is installed."""
        head = site().replace("auth: {apiKey: {env: EXTCAL_API_KEY}}", _APP) if app else site()
        self.extcal.write(head, manifests())
        self.extcal.write(head, connection(0), to="before/all.yaml")
        (self.extcal.folder / "secrets" / "staff").mkdir(parents=True)
        (self.extcal.folder / "secrets" / "staff" / "three").write_text(FILE_PASSWORD + "\n", encoding="utf-8")
        self.extcal.env |= {
            "EXTCAL_ENDPOINT": self.front.url,
            "EXTCAL_API_KEY": API_KEY,
            "EXTCAL_APP_SECRET": APP_SECRET,
            "EXTCAL_APP_PASSWORD": PASSWORD,
            "EXTCAL_SECRETS_DIR": str(self.extcal.folder / "secrets"),
            "EXTCAL_STATE_DIR": str(self.extcal.folder / "state"),
            "EXTCAL_MAIL_FROM": "calendars@mail.example",
            "EXTCAL_MAIL_DOMAINS": "harbor-dental.example",
            "HTTPS_PROXY": f"http://extcal:{quote(PROXY_PASSWORD, safe='')}@{self.front.url.removeprefix('http://')}",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def searched(self, *args: str, env: dict[str, str | None] | None = None) -> Ran:
        """Run in this process, and fail the test where a secret is in an output, a log or a file."""
        self.logged.clear()
        self.front.asked.clear()
        ran = self.extcal(*args, env=env)
        self.search(ran)
        return ran

    def search(self, ran: Ran) -> None:
        """Fail the test where a secret is in an output, in what was logged, or in a file that was written."""
        for place, text in (("stdout", ran.out), ("stderr", ran.err), ("a log", "\n".join(self.logged))):
            assert not leaks(text.encode("utf-8", "surrogateescape")), f"{place} leaks {leaks(text.encode())}:\n{text}"
        for file in self.written():
            assert not leaks(file.read_bytes()), f"{file} leaks {leaks(file.read_bytes())}"

    def written(self) -> list[Path]:
        """The files that commands have written: all but the secrets themselves."""
        secrets = self.extcal.folder / "secrets"
        return [file for file in self.extcal.folder.rglob("*") if file.is_file() and secrets not in file.parents]

    def tidy(self) -> None:
        """Take away what must be new for every run."""
        for name in ("undo.json", "links.jsonl"):
            (self.extcal.folder / name).unlink(missing_ok=True)


@contextmanager
def overheard(told: list[str]) -> Iterator[None]:
    """Keep what any logger is told, at its lowest level, tracebacks included."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(self.format(record))

    listener = Listener(logging.DEBUG)
    listener.setFormatter(logging.Formatter("%(name)s %(message)s"))
    names = ["", "asyncio", "httpx", "click", "yaml", "reconciler"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(listener)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(listener)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def let_time_fly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait of a second or so be over at once, as far as the client's clock and the event loop can tell."""
    passed = [0.0]
    monotonic, sleep = SystemClock.monotonic, asyncio.sleep

    async def doze(seconds: float) -> None:
        await sleep(min(seconds, 0.0) if seconds > _BRIEF else seconds)

    async def wait(_clock: SystemClock, seconds: float) -> None:
        passed[0] += seconds
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", doze)
    monkeypatch.setattr(SystemClock, "sleep", wait)
    monkeypatch.setattr(SystemClock, "monotonic", lambda clock: monotonic(clock) + passed[0])
