"""Finds what a word of the command line means: a site, a connection or a schedule, by its name, id or address.

A word that means nothing, or several things, is wrong usage: the error says what there is, or what it could mean.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from reconciler.errors import UsageError
from reconciler.model.account import Account
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, Site
from reconciler.model.key import comparable_id
from reconciler.model.live import Schedule
from reconciler.planning.lookup import Schedules
from reconciler.text import cut_middle, did_you_mean, listed

UNDECLARED = "/id:"
"""What parts the site from the id in the address of a connection that no manifest declares."""

_LONGEST = 80


def select_sites(sites: Iterable[Site], words: Sequence[str]) -> frozenset[str] | None:
    """The names of the chosen sites of manifests, None for all; raises UsageError for one that none declares."""
    there = [(site.name, site.site_id) for site in sites]
    return site_names(there, words, "no manifest declares it", "declared are")


def site_names(
    there: Collection[tuple[str, str]], words: Sequence[str], missing: str, heading: str
) -> frozenset[str] | None:
    """The names of the chosen ones of these (name, id), None for all; raises UsageError for one that is not there."""
    found: set[str] = set()
    for word in words:
        meant = {name for name, site_id in there if name == word or site_id == comparable_id(word)}
        if not meant:
            raise unknown("--site", word, missing, [name for name, _ in there], heading)
        refuse_ambiguous("--site", word, "sites", meant, "Give the name of one, or the id of the other.")
        found |= meant
    return frozenset(found) or None


class DeclaredIndex:
    """Declared connections, to be found by their addresses, names, accounts and schedules."""

    def __init__(self, declared: Iterable[DeclaredConnection]) -> None:
        self._declared = tuple(declared)
        self._named: dict[str, list[DeclaredConnection]] = defaultdict(list)
        self._on: dict[str, list[DeclaredConnection]] = defaultdict(list)
        for each in self._declared:
            self._named[each.address].append(each)
            self._named[each.name].append(each)
            for word in {
                each.schedule.value,
                each.schedule.label.value if each.schedule.label else each.schedule.value,
            }:
                self._on[word].append(each)

    def named(self, word: str) -> list[DeclaredConnection]:
        """Those of this address or name, else those of this account."""
        if word in self._named or "@" not in word:
            return self._named.get(word, [])
        account = Account(word)
        return [each for each in self._declared if each.account == account]

    def on_schedule(self, word: str) -> list[DeclaredConnection]:
        """Those whose manifests name the schedule so, by its id, name or external id."""
        by_id = (each for each in self._on.get(comparable_id(word), ()) if each.schedule.by is ScheduleKey.ID)
        return list({each.address: each for each in (*self._on.get(word, ()), *by_id)}.values())

    def could_be_live(self, word: str) -> bool:
        """Whether a word that names none of them can be the id of a live connection, or its address."""
        site, slash, _ = word.partition("/")
        of_manifest = slash and UNDECLARED not in word and any(each.site == site for each in self._declared)
        return bool(word) and "@" not in word and not of_manifest

    @property
    def names(self) -> list[str]:
        """Every word that `named` finds one by, but for accounts."""
        return list(self._named)

    @property
    def schedules(self) -> list[str]:
        """How the manifests call schedules, in the words that people read."""
        return list({(each.schedule.label or each.schedule).value for each in self._declared})


def one_connection(option: str, word: str, found: Iterable[DeclaredConnection]) -> None:
    """Raise UsageError where several declared connections are meant by a word of an option."""
    addresses = {each.address for each in found}
    refuse_ambiguous(option, word, "connections", addresses, "Give the address of one: SITE/NAME.")


def one_schedule(word: str, found: Iterable[DeclaredConnection]) -> None:
    """Raise UsageError where connections that a word means are on several schedules, as far as manifests tell.

    Beside an id on a site, one that is named otherwise may be the same.
    """
    found = tuple(found)
    by_id = {(each.site, each.schedule.value): each for each in found if each.schedule.by is ScheduleKey.ID}
    told = {site for site, _ in by_id}
    otherwise = {(each.site, ""): each for each in found if each.site not in told}
    candidates = {f"{each.site} {_shown_ref(each.schedule)}" for each in (by_id | otherwise).values()}
    refuse_ambiguous("--schedule", word, "schedules", candidates, "Give the id of one, or add --site.")


def _shown_ref(ref: ScheduleRef) -> str:
    return cut_middle(str(ref), _LONGEST)


def schedules_meant(word: str, there: Schedules, app_id: str) -> list[Schedule]:
    """The schedules of a site that a word means: those of the app as a manifest means them, else those of others."""
    refs = (
        ScheduleRef(ScheduleKey.ID, comparable_id(word)),
        ScheduleRef(ScheduleKey.NAME, word, app_id),
        ScheduleRef(ScheduleKey.EXTERNAL_ID, word, app_id),
    )
    every = [found for ref in refs if word and (found := there.meant(ref))]
    return (every or [found for ref in refs if word and (found := there.named(ref))] or [[]])[0]


def shown_schedule(site: str, schedule: Schedule) -> str:
    """A schedule of a site as a candidate."""
    return f"{site} {cut_middle(schedule.name, _LONGEST)} [{schedule.id}]"


def unknown(
    option: str, word: str, missing: str, there: Collection[str], heading: str, near: Iterable[str] = ()
) -> UsageError:
    """The error for a word that means nothing: what is near to it, there or of `near`, or else what there is."""
    hint = did_you_mean(word, {*there, *near}) or f"{heading} {listed({cut_middle(each, _LONGEST) for each in there})}"
    return UsageError(f"{option} {word}: {missing}; {hint}")


def refuse_ambiguous(option: str, word: str, what: str, candidates: Collection[str], advice: str) -> None:
    """Raise UsageError where a word means several things, which it names."""
    if len(candidates) > 1:
        raise UsageError(f"{option} {word}: {len(candidates)} {what} fit it: {listed(candidates)}. {advice}")


class Sought:
    """The words of an option, and what each means among what is live on the sites that are read."""

    def __init__(self, option: str, words: Iterable[str], what: str) -> None:
        self.words = frozenset(words)
        self._option = option
        self._what = what
        self._candidates: dict[str, set[str]] = {word: set() for word in self.words}

    def found(self, word: str, candidate: str) -> None:
        """Note that a word may mean this."""
        self._candidates[word].add(candidate)

    def refuse_ambiguous(self, advice: str) -> None:
        """Raise UsageError for a word that means several things."""
        for word in sorted(self.words):
            refuse_ambiguous(self._option, word, self._what, self._candidates[word], advice)

    def refuse_unknown(self, missing: str, there: Collection[str], heading: str, near: Collection[str] = ()) -> None:
        """Raise UsageError for a word that means nothing, once all sites were read."""
        for word in sorted(self.words):
            if not self._candidates[word]:
                raise unknown(self._option, word, missing, there, heading, near)
