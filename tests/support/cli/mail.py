"""What tests of mail to owners share: the operator's settings, what a message says, and days that pass."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from tests.support import web
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import (
    QUAY,
    connection,
    harbor,
    quay,
    site,
    world,
)
from tests.support.mail_server import MailServer

QUAY_KEY = "key-of-quay-optics-77f0"
_LINK = re.compile(r"https?://\S+/consent/\S+")
_APPLY = ("apply", "manifests", "--auto-approve", "--consent", "mail")


@dataclass
class Mailing:
    """The command with the operator's settings for mail, and the server that they name."""

    extcal: Extcal
    server: MailServer

    def __post_init__(self) -> None:
        """Let it be of two sites, Harbor Dental and Quay Optics, and have a state folder of its own."""
        self.extcal.on(world(harbor(), quay(key=QUAY_KEY)))
        self.extcal.env |= self.server.environ()
        self.extcal.env |= {"EXTCAL_STATE_DIR": str(self.extcal.folder / "state"), "EXTCAL_QUAY_KEY": QUAY_KEY}
        self.declare(1)

    def declare(self, *numbers: int, also: Sequence[str] = ()) -> None:
        """Declare the Google connections of Harbor Dental with these numbers, and further documents."""
        self.extcal.write(site(), *(google(number) for number in numbers), *also)

    def __call__(self, *options: str, **env: str | None) -> Ran:
        """Apply; no link is shown, whatever happens."""
        ran = self.extcal(*_APPLY, *options, env=env)
        assert not _LINK.search(ran.out + ran.err)
        assert "/consent/" not in ran.out + ran.err
        return ran

    @property
    def records(self) -> list[Path]:
        """The files that say what owners were asked."""
        return sorted((self.extcal.folder / "state").rglob("consent-requests"))

    @property
    def asked(self) -> dict[str, int]:
        """How often the owner of each connection was asked, as it is written down."""
        requests = (each for path in self.records for each in json.loads(path.read_text())["requests"])
        return {each["address"]: len(each["asked_at"]) for each in requests}

    def pass_time(self, time: timedelta) -> None:
        """Let so much time pass: what is written down was so much earlier."""
        for path in self.records:
            content = json.loads(path.read_text())
            for each in content["requests"]:
                each["awaited_since"] = _earlier(each["awaited_since"], time)
                each["asked_at"] = [_earlier(stamp, time) for stamp in each["asked_at"]]
            path.write_text(json.dumps(content))


def google(number: int, *, of: str = "harbor") -> str:
    """The manifest of a Google connection that its owner must consent to; sites share no calendar of an account."""
    calendar = "Work" if of == "harbor" else "Home"
    imports = f"{{enabled: true, calendars: [{calendar}]}}"
    more = f"syncConfig: {{listEventFromCalendars: {imports}, syncToCalendar: {{enabled: false}}}}"
    return connection(number, provider="google", of=of, more=more)


def quay_site() -> str:
    """The second site's manifest."""
    return site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY")


def text_of(message: EmailMessage) -> str:
    """The plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def links_in(message: EmailMessage) -> list[str]:
    """The authorization links in the plain text of a message."""
    return _LINK.findall(text_of(message))


def agree(link: str, account: str) -> None:
    """Open a link and agree, as the account's owner would in a browser."""
    answer = web.post(link, data={"decision": "allow", "account": account})
    assert answer.status_code == 303
    assert "connectionId=" in answer.headers["location"]


def _earlier(stamp: str, time: timedelta) -> str:
    return (datetime.fromisoformat(stamp) - time).isoformat().replace("+00:00", "Z")
