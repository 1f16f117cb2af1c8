"""Chooses entries of the history: by the words that name sites and connections, by time, and one of them by its id."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.cli.selectors import DeclaredIndex, refuse_ambiguous, select_sites
from reconciler.errors import UsageError
from reconciler.model.account import Account
from reconciler.model.desired import Desired
from reconciler.model.history import HistoryEntry
from reconciler.model.key import comparable_id

_LONGEST_NUMBER = 7
"""Digits: an id has more."""


@dataclass(frozen=True, slots=True)
class HistorySelection:
    """Which entries are meant; None is all.

    `sites` are ids; of connections the words, and the addresses that manifests know them by.
    """

    sites: frozenset[str] | None
    names: frozenset[str]
    connections: frozenset[str]
    after: str | None

    @classmethod
    def of(
        cls, desired: Desired | None, sites: Sequence[str], connections: Sequence[str], after: str | None
    ) -> "HistorySelection":
        """What words mean: with manifests as in any command, else by what entries say; raises UsageError."""
        if desired is None:
            ids = frozenset(map(comparable_id, sites)) if sites else None
            return cls(ids, frozenset(sites), frozenset(connections), after)
        chosen = select_sites(desired.sites, sites)
        ids = frozenset(site.site_id for site in desired.sites if chosen is None or site.name in chosen)
        index = DeclaredIndex(each for each in desired.connections if chosen is None or each.site in chosen)
        addresses = {each.address for word in connections for each in index.named(word)}
        return cls(ids, frozenset(), frozenset((*connections, *addresses)), after)

    def holds(self, entry: HistoryEntry) -> bool:
        """Whether an entry is meant."""
        in_site = self.sites is None or entry.text("site_id") in self.sites or entry.text("site") in self.names
        in_time = self.after is None or entry.text("at") >= self.after
        return in_site and in_time and (not self.connections or any(_is_about(entry, w) for w in self.connections))


def _is_about(entry: HistoryEntry, word: str) -> bool:
    address, account = entry.text("address"), entry.text("account")
    if word in {address, address.partition("/")[2]} or comparable_id(word) == entry.text("connection_id"):
        return True
    return "@" in word and bool(account) and Account(account) == Account(word)


def one_entry(entries: Sequence[HistoryEntry], word: str) -> HistoryEntry:
    """The entry with this id, or the one of this number, counted from the newest; raises UsageError."""
    if word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER:
        number = int(word)
        if not 1 <= number <= len(entries):
            raise UsageError(f"--undo {word}: {len(entries)} entries are shown; 1 is the newest of them, the last line")
        return entries[-number]
    found = [entry for entry in entries if word and entry.text("id") == word]
    if not found:
        raise UsageError(f"--undo {word}: no entry that is shown has this id. extcal history shows the ids.")
    refuse_ambiguous("--undo", word, "entries", {str(n) for n in range(len(found))}, "Give its number.")
    return found[0]
