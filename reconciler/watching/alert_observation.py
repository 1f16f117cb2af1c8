"""Sees a round of a site as alerts do: which conditions stand at which addresses, and why."""

import re
from collections import defaultdict
from collections.abc import Mapping

from reconciler.model.consent_request import KnownRequests
from reconciler.model.result import OutcomeStatus
from reconciler.model.status import ConnectionStatus, Health
from reconciler.render import status_text
from reconciler.watching.alert_state import Condition, Observation
from reconciler.watching.site_round import SiteRound
from reconciler.watching.site_state import ConnectionState, SiteState

_REQUEST = re.compile(r" \(request id [^)]*\)")


def observations_of(
    site_round: SiteRound, state: SiteState, requests: KnownRequests, *, applies: bool
) -> dict[str, Observation]:
    """What the round has seen, by address, the site itself by its name; `state` is that after the round.

    Guards are of interest where something is to be applied.
    """
    site = site_round.first.site.name
    if site_round.status.unread is not None:
        return {site: Observation("not read", unread=_lasting(site_round.status.unread.message))}
    failed = {
        outcome.action.address: outcome.error or ""
        for outcome in site_round.outcomes
        if outcome.status in {OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN}
    }
    found = {
        each.address: _observation(each, state.connections[each.address], failed.get(each.address), requests)
        for each in site_round.status.connections
        if each.health is not Health.UNMANAGED
    }
    held_back = _held_back(site_round, found) if applies else {}
    observations = {site: Observation("read", causes=held_back.get(site, {}))} | found
    return {address: _with(observation, held_back.get(address, {})) for address, observation in observations.items()}


def _observation(
    status: ConnectionStatus, state: ConnectionState, failure: str | None, requests: KnownRequests
) -> Observation:
    word, account = status_text.WORD[status.health], "" if status.account is None else status.account.given
    why = _lasting(state.why or "")
    if status.health is Health.UNKNOWN:
        return Observation(word, account, unread=why)
    causes = {}
    if status.health is Health.ERROR or state.lost:
        causes[Condition.BROKEN] = why
    elif failure is not None and status.health is Health.MISSING:
        causes[Condition.DRIFTED] = _lasting(failure)
    elif status.health is Health.DRIFTED:
        causes[Condition.DRIFTED] = why if failure is None else _lasting(failure)
    if state.stuck:
        causes[Condition.STUCK] = "its sync has not ended in over 30 minutes"
    since = None
    # What was lost is told as that; its owner was not kept waiting yet.
    awaited = status.health is Health.AWAITING_CONSENT and not state.lost
    if awaited:
        known = requests.find(status.site_id, status.address, status.account)
        since = None if known is None else known.awaited_since.timestamp()
    return Observation(word, account, causes, awaited=why if awaited else None, awaited_since=since)


def _held_back(site_round: SiteRound, found: Mapping[str, Observation]) -> Mapping[str, dict[Condition, str]]:
    """What guards hold back: at the address, or at the site where that is not one of a declared connection."""
    causes: dict[str, dict[Condition, str]] = defaultdict(dict)
    for violation in site_round.first.violations:
        if violation.address in found:
            causes[violation.address].setdefault(Condition.HELD_BACK, f"guard {violation.guard}")
        else:
            why = f"guard {violation.guard}: {violation.message}"
            causes[site_round.first.site.name].setdefault(Condition.HELD_BACK, why)
    return causes


def _with(observation: Observation, causes: Mapping[Condition, str]) -> Observation:
    if not causes:
        return observation
    return Observation(
        observation.word,
        observation.account,
        {**observation.causes, **causes},
        observation.unread,
        observation.awaited,
        observation.awaited_since,
    )


def _lasting(text: str) -> str:
    """A cause without what differs each time, so that what has one cause is grouped."""
    return _REQUEST.sub("", text)
