"""Finds the folder that the runs on one machine share: one below it for each site."""

import hashlib
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import ExtcalError
from reconciler.machine.ledger import FileLedger
from reconciler.machine.lock import Owner, SiteLock
from reconciler.model.account import Account
from reconciler.model.history import Origin
from reconciler.safe_paths import check_own_folder

if TYPE_CHECKING:
    from reconciler.machine.alerts import AlertFile
    from reconciler.machine.calendars import CalendarFile
    from reconciler.machine.consent_requests import ConsentRequestFile
    from reconciler.machine.history import HistoryFile
    from reconciler.machine.journal import FileJournal
    from reconciler.machine.record import RecordFile
    from reconciler.machine.unfinished import UnfinishedFile
    from reconciler.machine.used_plan import UsedPlan
    from reconciler.model.intent import Intent

_PLAIN = re.compile(r"[0-9a-f-]{1,64}")
_NOBODY = Origin()


class MachineError(ExtcalError):
    """The folder can't be used."""


class Machine:
    """The folder `path` for one service, told apart by `service`; made when it is needed, for its user alone.

    `redact` takes secrets out of a text: nothing is written down that holds one. `origin` is who runs this, for the
    history, whose lines `record` gets as well.
    """

    def __init__(
        self,
        path: Path,
        service: str,
        redact: Callable[[str], str] = str,
        origin: Origin = _NOBODY,
        record: "RecordFile | None" = None,
    ) -> None:
        self._root = path
        self._service = service
        self._path = path / _name(service)
        self._redact = redact
        self._origin = origin
        self._record = record
        self._sites: dict[str, SiteFolder] = {}

    def site(self, site_id: str) -> "SiteFolder":
        """What the runs on one site share."""
        name = _name(site_id)
        there = self._sites.get(name)
        return there or self._sites.setdefault(
            name, SiteFolder(self._root, self._path / name, self._redact, self._origin, self._record)
        )

    def recorded(self, commit: str | None, record: "RecordFile | None" = None) -> "Machine":
        """The same folder for a run of manifests at a commit (None: as the origin says) whose lines go to `record`."""
        origin = self._origin if commit is None else replace(self._origin, commit=commit)
        return Machine(self._root, self._service, self._redact, origin, record)

    def known_sites(self) -> list["SiteFolder"]:
        """What the runs on every site share that any run here was about."""
        folders = sorted(self._path.iterdir()) if self._path.is_dir() else []
        return [self.site(folder.name) for folder in folders if _PLAIN.fullmatch(folder.name)]

    def watch_alerts(self, watched: str) -> "AlertFile":
        """What people were alerted to of a watch itself; `watched` tells it from others."""
        from reconciler.machine.alerts import AlertFile  # noqa: PLC0415 - of use to watches alone

        folder = SiteFolder(self._root, self._path)
        return AlertFile(self._path / f"alerts-{_name(watched)}", folder.make)


class SiteFolder:
    """What the runs on one site share; each raises an ExtcalError where it can't be used."""

    def __init__(
        self,
        root: Path,
        path: Path,
        redact: Callable[[str], str] = str,
        origin: Origin = _NOBODY,
        record: "RecordFile | None" = None,
    ) -> None:
        self.path = path
        self._root = root
        self._redact = redact
        self._origin = origin
        self._record = record
        self.ledger = FileLedger(path / "requests", self.make)
        self._used_plans: dict[str, UsedPlan] = {}

    @cached_property
    def journal(self) -> "FileJournal":
        """What was sent without an answer, of which only those who write need to know."""
        from reconciler.machine.journal import FileJournal  # noqa: PLC0415 - plans, which don't write, do without it

        return FileJournal(self.path / "journal", self.make, redact=self._redact, connected=self._connected)

    @cached_property
    def unfinished(self) -> "UnfinishedFile":
        """What has its sync config yet to come."""
        from reconciler.machine.unfinished import UnfinishedFile  # noqa: PLC0415 - as for the journal

        return UnfinishedFile(self.path / "unfinished", self.make)

    @cached_property
    def calendars(self) -> "CalendarFile":
        """The calendars of accounts as they were listed in the last day."""
        from reconciler.machine.calendars import CalendarFile  # noqa: PLC0415 - who only counts requests has no use

        return CalendarFile(self.path / "calendars", self.make, redact=self._redact)

    @cached_property
    def history(self) -> "HistoryFile":
        """Who changed what."""
        from reconciler.machine.history import HistoryFile  # noqa: PLC0415 - as for the journal

        return HistoryFile(self.path / "history", self.make, self._origin, self._redact, record=self._record)

    @cached_property
    def consent_requests(self) -> "ConsentRequestFile":
        """Whose consent is awaited, and when they were asked."""
        from reconciler.machine.consent_requests import ConsentRequestFile  # noqa: PLC0415 - as for the journal

        return ConsentRequestFile(self.path / "consent-requests", self.make)

    @cached_property
    def alerts(self) -> "AlertFile":
        """What people were alerted to."""
        from reconciler.machine.alerts import AlertFile  # noqa: PLC0415 - of use to watches alone

        return AlertFile(self.path / "alerts", self.make)

    def leaves_unfinished(self, address: str, account: Account | None) -> bool:
        """Whether a connection has its sync config yet to come; where nothing was written down none has."""
        return (self.path / "unfinished").exists() and self.unfinished.holds(address, account)

    def used_plan(self, plan_id: str) -> "UsedPlan":
        """What the saved plan with this id, of hexadecimal digits, was used for on the site."""
        from reconciler.machine.used_plan import UsedPlan  # noqa: PLC0415 - as for the journal

        known = self._used_plans.get(plan_id)
        return known or self._used_plans.setdefault(plan_id, UsedPlan(self.path / "plans", _name(plan_id), self.make))

    def _connected(self, intent: "Intent") -> None:
        if intent.plan_id:
            self.used_plan(intent.plan_id).add(intent.address)

    def lock(self, owner: Owner, site: str) -> SiteLock:
        """The lock that an apply holds; `site` is how the site is called in messages."""
        return SiteLock(self.path / "lock", self.make, owner, site)

    def make(self) -> None:
        """Make the folder, and those above it, for their user alone; raises MachineError and NotOursError."""
        try:
            check_own_folder(self._root)
            missing = list(itertools.takewhile(lambda folder: not folder.exists(), (self.path, *self.path.parents)))
            for folder in reversed(missing):
                folder.mkdir(mode=0o700, exist_ok=True)
            if missing:
                # Somebody else may have been faster. Those below are looked at when a file in them is opened.
                check_own_folder(self._root)
        except OSError as error:
            raise MachineError(
                f"{self.path}: can't be made ({error.strerror}); connects are recorded there before they are sent: "
                "set EXTCAL_STATE_DIR to a folder that you can write to"
            ) from error


def _name(text: str) -> str:
    """A file's name for any text."""
    return text if _PLAIN.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()[:24]
