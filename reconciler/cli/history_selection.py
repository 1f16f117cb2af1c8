"""Chooses entries of the history: by the words that name sites and connections, by time, and one of them by its id."""

from collections.abc import Iterable, Sequence

from reconciler.cli.selectors import DeclaredIndex, Sought, one_connection, refuse_ambiguous, site_names
from reconciler.errors import UsageError
from reconciler.model.account import Account
from reconciler.model.desired import Desired
from reconciler.model.history import HistoryEntry
from reconciler.model.key import comparable_id

_LONGEST_NUMBER = 7
"""Digits: an id has more."""
_NO_ENTRY = "no entry has it"
_UNDECLARED_SITE = "no manifest declares it (without PATH, sites that none declares are found, too)"


class HistorySelection:
    """Chooses entries by the words of --site and --connection, and by time (`after`, as entries have it; None is all).

    With manifests, words mean what they mean in any command. What these don't declare any more is found by what entries
    say of it, as everything is without manifests.
    """

    def __init__(
        self, desired: Desired | None, sites: Sequence[str], connections: Sequence[str], after: str | None
    ) -> None:
        """Look the words up in the manifests, if there are any; raises UsageError."""
        self._after = after
        self._site_ids: frozenset[str] | None = None
        self._declared: tuple[str, ...] = ()
        self._addresses: dict[str, frozenset[str]] = dict.fromkeys(connections, frozenset())
        self._of_manifests = desired is not None
        self._sites = Sought("--site", sites if desired is None else (), "sites")
        self._connections = Sought("--connection", connections, "connections")
        self._seen_sites: set[str] = set()
        self._seen: set[str] = set()
        if desired is not None:
            self._look_up(desired, sites)

    def _look_up(self, desired: Desired, sites: Sequence[str]) -> None:
        there = [(site.name, site.site_id) for site in desired.sites]
        chosen = site_names(there, sites, _UNDECLARED_SITE, "declared are")
        self._site_ids = frozenset(site_id for name, site_id in there if chosen is None or name in chosen)
        index = DeclaredIndex(each for each in desired.connections if chosen is None or each.site in chosen)
        self._declared = tuple(index.names)
        for word in self._addresses:
            found = index.named(word)
            one_connection("--connection", word, found)
            self._addresses[word] = frozenset(each.address for each in found)
            for address in self._addresses[word]:
                self._connections.found(word, address)

    def chosen(self, entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
        """The entries that are meant, the oldest first."""
        return sorted(filter(self._holds, entries), key=lambda entry: entry.text("at"))

    def refuse_unknown(self) -> None:
        """Raise UsageError for a word that neither manifests nor any entry that was looked at know."""
        if self._of_manifests:
            missing = f"no manifest declares it, and {_NO_ENTRY}"
            self._connections.refuse_unknown(missing, self._declared, "declared are", self._seen)
        elif self._seen_sites:
            self._sites.refuse_unknown(_NO_ENTRY, self._seen_sites, "there are")
            self._connections.refuse_unknown(_NO_ENTRY, self._seen, "there are")

    def _holds(self, entry: HistoryEntry) -> bool:
        """Whether an entry is meant; every word is noted that it is about, whenever it was."""
        if not self._in_site(entry):
            return False
        address = entry.text("address")
        # What it was called is of use where a word is not found.
        self._seen |= {address, address.partition("/")[2]} if self._connections.words else set()
        about = [word for word in self._connections.words if self._is_about(entry, word)]
        for word in about:
            self._connections.found(word, address)
        in_time = self._after is None or entry.text("at") >= self._after
        return in_time and bool(about or not self._connections.words)

    def _in_site(self, entry: HistoryEntry) -> bool:
        name, site_id = entry.text("site"), entry.text("site_id")
        if self._site_ids is not None:
            return site_id in self._site_ids
        self._seen_sites.add(name)
        meant = [word for word in self._sites.words if word == name or comparable_id(word) == site_id]
        for word in meant:
            self._sites.found(word, name)
        return bool(meant or not self._sites.words)

    def _is_about(self, entry: HistoryEntry, word: str) -> bool:
        address, account = entry.text("address"), entry.text("account")
        if not word:
            return False
        if address in self._addresses[word] or word in {address, address.partition("/")[2]}:
            return True
        if comparable_id(word) == entry.text("connection_id"):
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
