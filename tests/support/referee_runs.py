"""The command against a referee: manifests of one site in a folder, and its runs in this process."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result

from reconciler.cli.main import main
from tests.support.json_fields import Fields
from tests.support.referee import PASSWORD, Referee, refereeing

SCHEDULE, OTHER_SCHEDULE = "3e47ec65-2975-447c-a7ed-75041e850d5e", "3e47ec65-2975-447c-a7ed-75041e850d5f"
LEE, KIM = "lee@me.example", "kim@me.example"
_SITE: Fields = {
    "siteId": "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b",
    "auth": {"apiKey": {"env": "EXTCAL_API_KEY"}},
    "scope": "site",
}
EXPORTING: Fields = {
    "listEventFromCalendars": {"enabled": True, "calendars": ["Work"]},
    "syncToCalendar": {"enabled": True, "dedicatedCalendar": {}},
}


def connection(name: str = "lee", account: str = LEE, **spec: object) -> Fields:
    """A Connection document, by password at Apple."""
    whole: Fields = {
        "schedule": {"id": SCHEDULE},
        "provider": "apple",
        "account": account,
        "credentials": {"password": {"env": "EXTCAL_PASSWORD"}},
        "syncConfig": EXPORTING,
    }
    return {"apiVersion": "extcal/v1", "kind": "Connection", "metadata": {"name": name}, "spec": {**whole, **spec}}


@dataclass
class Refereed:
    """A site's manifests and the referee that they are applied to; `site` are fields of the Site's own."""

    referee: Referee
    folder: Path
    site: Fields = field(default_factory=dict)

    def write(self, *documents: Fields) -> None:
        """Write the manifests anew."""
        site = {
            "apiVersion": "extcal/v1",
            "kind": "Site",
            "metadata": {"name": "harbor"},
            "spec": {**_SITE, **self.site},
        }
        text = "\n---\n".join(json.dumps(document) for document in (site, *documents))
        (self.folder / "all.yaml").write_text(text, encoding="utf-8")

    def apply(self, *more: str, password: str = PASSWORD) -> Result:
        """Apply the manifests."""
        return self.run(["apply", str(self.folder), "--auto-approve", "--consent", "link", *more], password=password)

    def run(self, args: Sequence[str], *, password: str = PASSWORD) -> Result:
        """Call the command."""
        env = {
            "EXTCAL_ENDPOINT": self.referee.url,
            "EXTCAL_API_KEY": "seagull-api-key",
            "EXTCAL_PASSWORD": password,
            "EXTCAL_STATE_DIR": str(self.folder.with_name("state")),
        }
        return CliRunner(env=env).invoke(main, args, catch_exceptions=False)

    def standing(self) -> dict[str, str]:
        """The accounts of what stands, by id."""
        return {row.id: row.owner for row in self.referee.rows if row.status != "DISCONNECTED"}


@contextmanager
def refereed(referee: Referee, folder: Path, site: Fields | None = None) -> Iterator[Refereed]:
    """The manifests' folder and the service, for the length of the block."""
    (folder / "manifests").mkdir()
    with refereeing(referee):
        yield Refereed(referee, folder / "manifests", site or {})
