"""A naive model of the plan, from the manifest contract alone: plain data in, what must be planned out.

It shares no line with the planner; lists are searched from end to end. Manifests are documents as YAML holds them,
answers are the service's JSON. Each declared connection is given its schedule and provider (`_place`), its live rows
(`_match`) and what is due (`_decide`); then come the rows that nobody declares (`_rest`) and the guards.
"""

from collections.abc import Mapping, Sequence

from tests.support.json_fields import Fields, inner, many, text
from tests.support.oracle_sync import Changes, as_switched, beyond, calendar_ids, changes, managed, meet, merged, works
from tests.support.oracle_values import BOOKINGS, TYPES, Due, Placed, Verdict, account, broken, name

_HEALED = ("external-calendar-creation-failed", "external-calendar-deleted")


def judge(documents: Sequence[Fields], answers: Mapping[str, Fields]) -> dict[str, Verdict]:
    """What must be planned, by the names of sites; `answers` holds what the service answers about each, by field.

    Its `calendars` are by connection, and lack those that are refused.
    """
    sites = [document for document in documents if document["kind"] == "Site"]
    return {name(site): _Judge(site, documents, answers[name(site)]).verdict for site in sites}


class _Judge:
    def __init__(self, site: Fields, documents: Sequence[Fields], answer: Fields) -> None:
        self.name, self.spec, self.answer = name(site), inner(site, "spec"), answer
        self.policies = {name(d): inner(d, "spec", "syncConfig") for d in documents if d["kind"] == "SyncPolicy"}
        rows = {text(row, "id"): inner(row) for row in many(answer, "connections")}
        self.gone = [row for row in rows.values() if row.get("status") == "DISCONNECTED"]
        self.live = [rows[id_] for id_ in sorted(rows) if rows[id_] not in self.gone]
        self.providers = [inner(provider) for provider in many(answer, "providers")]
        self.failed = {str(provider_id) for provider_id in many(answer, "failedProviderIds")}
        self.verdict = Verdict()
        self.named, self.hidden, self.claimed = set[str](), set[str](), set[str]()
        self.lacking: list[tuple[Placed, Due | None]] = []
        mine = [document for document in documents if text(document, "spec", "site") == self.name]
        placed = self._place(sorted(mine, key=name))
        self._decide(placed, self._match(placed))
        self._rest()
        self._guard({f"{self.name}/{name(each)}": inner(each, "spec", "lifecycle") for each in mine})

    def _place(self, declared: Sequence[Fields]) -> list[Placed]:
        placed: list[Placed] = []
        for document in declared:
            spec, address = inner(document, "spec"), f"{self.name}/{name(document)}"
            ref = inner(spec, "schedule")
            schedule = text(ref, "id").lower() or self._scheduled(ref)
            self.named |= {schedule} - {""}
            providers = self._meant(spec)
            if len(providers) > 1 and (word := text(spec, "provider")):
                providers = [p for p in providers if p["calendarType"] == TYPES[word][0]] or providers
            if not schedule or len(providers) != 1:
                self.verdict.faults.add(address)
                continue
            sync = merged(self.policies.get(text(spec, "syncPolicy"), {}), inner(spec, "syncConfig"))
            one = Placed(address, spec, sync, schedule, providers[0])
            rivals = [p for p in placed if p.provider["id"] == one.provider["id"] and p.account == one.account]
            twins = [rival for rival in rivals if rival.schedule == schedule]
            shared = [] if twins else [r for r in rivals if r.present and one.present and meet(r.sync, one.sync)]
            self.verdict.faults |= {each.address for each in [*shared, *([one] if twins or shared else [])]}
            placed += [] if twins else [one]
        return placed

    def _scheduled(self, ref: Fields) -> str:
        """The schedule that a name or external id means: the app's, else what is of no app, else an id's only one."""
        app_id = text(self.spec, "schedules", "appId") or BOOKINGS
        fitting = [s for s in many(self.answer, "schedules") if {*ref.items()} <= {*inner(s).items()}]
        own = [s for s in fitting if text(s, "appId").lower() == app_id]
        found = own or [s for s in fitting if not text(s, "appId")] or (fitting if "externalId" in ref else [])
        return text(found[0], "id") if len(found) == 1 else ""

    def _meant(self, spec: Fields) -> list[Fields]:
        """The providers that a manifest can mean."""
        word, name, id_ = text(spec, "provider"), text(spec, "provider", "name"), text(spec, "provider", "id").lower()
        typed = [p for p in self.providers if p["calendarType"] in TYPES.get(word, ())]
        return typed or [p for p in self.providers if name == p["name"] or id_ == text(p, "id").lower()]

    def _match(self, placed: Sequence[Placed]) -> dict[str, list[Fields]]:
        """The live rows of each by address, the one that it is first; those with a fault are left out."""
        found: dict[str, list[Fields]] = {}
        for one in placed:
            rows = [row for row in self.live if one.on(row) and one.account == account(row)]
            rows.sort(key=broken)
            healthy = sum(not broken(row) for row in rows)
            unclear = one.present and len(rows) > 1 and healthy != 1
            self._settle(one, rows, found, unclear=unclear or any(row["id"] in self.claimed for row in rows))
        lacking = [one for one in placed if one.present and found.get(one.address) == []]
        free = [row for row in self.live if not account(row) and row["id"] not in self.claimed]
        for one in lacking:
            rows = [row for row in free if one.on(row)]
            wanted = sum(other.on(row) for row in rows for other in lacking)
            self._settle(one, rows, found, unclear=wanted > 1)
        return found

    def _settle(self, one: Placed, rows: list[Fields], found: dict[str, list[Fields]], *, unclear: bool) -> None:
        self.claimed |= {text(row, "id") for row in rows}
        found[one.address] = rows
        if unclear:
            self.verdict.faults.add(one.address)
            del found[one.address]

    def _decide(self, placed: Sequence[Placed], found: Mapping[str, list[Fields]]) -> None:
        for one in placed:
            if one.address not in found:
                continue
            rows = found[one.address]
            unread = rows[0]["providerId"] in self.failed if rows else self._unseen(one.spec)
            if unread:
                self.verdict.unread.add(one.address)
                self.hidden.add(one.schedule)
            elif one.present:
                self._present(one, rows[0] if rows else None)
            elif rows:
                self._add("disconnect", one.address, rows[0], "tombstone")
            else:
                self._add("noop", one.address, None, "absent")
            for row in rows[1:]:
                kind = "unmanaged" if unread or row["providerId"] in self.failed else "disconnect"
                self._add(kind, f"{self.name}/id:{row['id']}", row, "duplicate" if one.present else "tombstone")

    def _add(self, kind: str, address: str, row: Fields | None, reason: str, changed: Changes = frozenset()) -> Due:
        due = Due(kind, address, text(row, "id") or None, reason, changed)
        self.verdict.due.add(due)
        return due

    def _unseen(self, spec: Fields) -> bool:
        """Whether what a manifest declares may be among what could not be read."""
        unknown = self.failed - {text(provider, "id") for provider in self.providers}
        return any(p["id"] in self.failed for p in self._meant(spec)) or bool(unknown and text(spec, "provider"))

    def _present(self, one: Placed, row: Fields | None) -> None:
        at = next((p for p in self.providers if row and p["id"] == row["providerId"]), one.provider)
        features, live = inner(at, "features"), inner(row, "syncConfig")
        # What is not said is tried.
        methods = many(features, "connectMethods") or ("CREDENTIALS", "OAUTH")
        configures = features.get("updateSyncConfig") is not False
        ignored = many(one.spec, "lifecycle", "ignoreChanges")
        sync = managed(one.sync, ignored) if row else dict(one.sync)
        asked = as_switched({way: sync[way] for way in sync if one.sync[way]}, ignored, live) if row else sync
        given = "credentials" in one.spec
        able = "OAUTH" in methods or (given and "CREDENTIALS" in methods)
        if (given and "CREDENTIALS" not in methods) or beyond(features, asked, live if row else None):
            self.verdict.faults.add(one.address)
        if row is None:
            gone = any(one.on(row) and one.account == account(row) for row in self.gone)
            due = self._add("connect", one.address, None, "was-disconnected" if gone else "not-connected")
            able = able and (configures or not any(sync.values()))
            self.lacking.append((one, due if able else None))
        elif broken(row):
            error = text(row, "errorReason").lower().replace("_", "-")
            due = self._add("reconnect", one.address, row, error if error in {*_HEALED, "token-revoked"} else "error")
            able = able or (due.reason in _HEALED and configures)
        else:
            able = self._update(one, row, sync, configures=configures)
        if not able:
            self.verdict.faults.add(one.address)

    def _update(self, one: Placed, row: Fields, sync: Mapping[str, Fields], *, configures: bool) -> bool:
        live = inner(row, "syncConfig")
        ids: frozenset[str] | None = frozenset()
        way = "listEventFromCalendars"
        if works(sync[way], inner(live, way)):
            ids = calendar_ids(sync[way], many(live, way, "calendars", "calendars"))
            if ids is None and row["id"] not in inner(self.answer, "calendars"):
                self.verdict.unread.add(one.address)
                return True
            ids = calendar_ids(sync[way], many(self.answer, "calendars", text(row, "id"))) if ids is None else ids
        if ids is None:
            return False
        changed = changes(sync, live, ids)
        kind, reason = ("update", "config-drift") if changed else ("noop", "in-sync")
        self._add(kind, one.address, row, reason, changed)
        return configures or not changed

    def _rest(self) -> None:
        prune = self.spec.get("prune") is True
        rows = [row for row in self.live if row["id"] not in self.claimed and self._in_scope(row)]
        for row in rows:
            sure = row["providerId"] not in self.failed and row["scheduleId"] not in self.hidden
            due = prune and sure and self.named
            reason = "pruned" if due else "not-declared" if self.named or not prune else "nothing-declared"
            self._add("disconnect" if due else "unmanaged", f"{self.name}/id:{row['id']}", row, reason)
        pruned = {due.row: due for due in self.verdict.due if due.reason == "pruned"}
        for one, connect in self.lacking:
            beside = [other for other, _ in self.lacking if other.schedule == one.schedule]
            freed = [row for row in rows if row["id"] in pruned and row["scheduleId"] == one.schedule]
            if connect and len(beside) == len(freed) == 1:
                self.verdict.due -= {connect, pruned[text(freed[0], "id")]}
                reason = "account-changed" if one.on(freed[0]) else "provider-changed"
                self._add("replace", one.address, freed[0], reason)

    def _in_scope(self, row: Fields) -> bool:
        return self.spec.get("scope") == "site" or row["scheduleId"] in self.named

    def _guard(self, lifecycles: Mapping[str, Fields]) -> None:
        lost = [due for due in self.verdict.due if due.kind in {"disconnect", "replace"}]
        share = int((text(self.spec, "guards", "maxDisconnects") or "25%").removesuffix("%"))
        if len(lost) > max(1, sum(map(self._in_scope, self.live)) * share // 100):
            self.verdict.guards.add(("max-disconnects", self.name))
        for due in lost:
            if lifecycles.get(due.address, {}).get("preventDisconnect") is True:
                self.verdict.guards.add(("prevent-disconnect", due.address))
            at = next(text(row, "providerId") for row in self.live if row["id"] == due.row)
            methods = [m for p in self.providers if p["id"] == at for m in many(p, "features", "connectMethods")]
            if "CREDENTIALS" not in methods and due.reason not in {"tombstone", "duplicate"}:
                self.verdict.guards.add(("consent-loss", due.address))
