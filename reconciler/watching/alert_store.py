"""Keeps the memories of alerts, in this process and in the files that outlive it.

Two watches of one folder for state share what was told of a site: each reads what the other wrote before its round. In
rounds at the same time both may tell it. Where a file can't be written, this process knows all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from reconciler.errors import ExtcalError
from reconciler.machine import SiteFolder
from reconciler.machine.alerts import AlertFile
from reconciler.watching.alert_memory import AlertMemory, decode, encode
from reconciler.watching.alert_state import (
    AlertLimits,
    Condition,
    Observation,
    Subject,
    Transition,
    after,
    after_telling,
    news,
)

WATCH = "extcal watch"
"""How the watch itself is called among the subjects."""

_NOTHING = encode(AlertMemory())


class AlertStore:
    """The memories of sites and of the watch, in this process and in their files; `tell` is told of bad files."""

    def __init__(self, own: AlertFile, redact: Callable[[str], str], tell: Callable[[str], None]) -> None:
        self._redact = redact
        self._tell = tell
        self._memories: dict[str, AlertMemory] = {}
        self._files: dict[str, AlertFile] = {}
        self._written: dict[str, object] = {}
        self._bad: set[str] = set()
        self._load(WATCH, own)

    def site(self, name: str, folder: SiteFolder) -> AlertMemory:
        """What is remembered of a site, another watch's news among it."""
        self._load(name, folder.alerts)
        return self._memories[name]

    def keep(self, name: str, memory: AlertMemory) -> None:
        """Remember this of a site, or of the watch."""
        self._memories[name] = memory
        content = encode(memory, self._redact)
        if content == self._written.get(name, _NOTHING):
            return
        try:
            self._files[name].write(content)
        except ExtcalError as error:
            self._tell_once(str(error))
        else:
            self._written[name] = content

    def keep_only(self, sites: set[str]) -> None:
        """Forget the sites that are not among these."""
        for name in self._memories.keys() - sites - {WATCH}:
            del self._memories[name]
            self._written.pop(name, None)
            try:
                self._files.pop(name).forget()
            except ExtcalError as error:
                self._tell_once(str(error))

    def watch(self, conditions: Mapping[Condition, str], now: float, limits: AlertLimits) -> None:
        """Take in what is wrong with the watch itself."""
        before = self._memories[WATCH]
        causes = dict(conditions)
        known = before.subjects[WATCH].now if WATCH in before.subjects else {}
        if Condition.MANIFESTS in causes and Condition.MACHINE in known:
            # As long as manifests can't be used nothing else is tried.
            causes[Condition.MACHINE] = known[Condition.MACHINE]
        self.keep(WATCH, AlertMemory(after(before.subjects, {WATCH: Observation(causes=causes)}, now, limits)))

    def news(self, now: float) -> list[Transition]:
        """What people are to be told at `now`, in seconds since the epoch."""
        return [event for memory in self._memories.values() for event in news(memory.subjects, now)]

    def told(self, events: Sequence[Transition], now: float) -> None:
        """Remember that people were told."""
        for name, memory in list(self._memories.items()):
            self.keep(name, replace(memory, subjects=after_telling(memory.subjects, events, now)))

    def _load(self, name: str, file: AlertFile) -> None:
        """Read what was written last, by another watch perhaps; where that can't be, what this one knows stands."""
        known = self._memories.setdefault(name, AlertMemory())
        self._files[name] = file
        try:
            content = file.read()
            if content is not None and content != self._written.get(name):
                self._memories[name] = _told_too(known, decode(content))
                self._written[name] = content
        except (ExtcalError, OSError) as error:
            self._tell_once(str(error))
        except ValueError:
            self._tell_once(str(file.unusable()))

    def _tell_once(self, text: str) -> None:
        if text not in self._bad:
            self._bad.add(text)
            self._tell(text)


def _told_too(now: AlertMemory, read: AlertMemory) -> AlertMemory:
    """What this process has seen, with what another has told meanwhile; all that was read where it has seen nothing."""
    if not now.subjects:
        return read
    subjects = {
        address: replace(subject, told=theirs.told, tellings=theirs.tellings)
        for address, subject in now.subjects.items()
        for theirs in (read.subjects.get(address, Subject()),)
    }
    return AlertMemory(subjects, now.state)
