"""What frees an account is done before the account is connected elsewhere, on the same site or on another."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.action import Action, ActionKind
from reconciler.model.live import ConnectMethod
from reconciler.model.result import OutcomeStatus, Result
from reconciler.sandbox.request_log import RequestLog
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, Site, World
from tests.support.profiles import examples
from tests.support.scenarios.behaviours import behaviours
from tests.support.scenarios.stage import Live, Stages
from tests.support.scenarios.statements import Spot, Statement, statement
from tests.support.scenarios.strategies import Governed, Scenario
from tests.support.scenarios.worlds import KINDS, PEOPLE, address, guid, password_of

_MOVING = tuple(kind for kind in KINDS if kind.slug in {"apple", "lighthouse"})
_SLUGS = {guid(3, site * 16 + index): kind.slug for site in range(2) for index, kind in enumerate(_MOVING)}


@dataclass(frozen=True, slots=True)
class Watched(Mapping[str, str]):
    """Secrets that note what had been answered when one was asked for, which is just before the call that needs it."""

    secrets: Mapping[str, str]
    log: RequestLog
    asked: dict[str, set[str]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        self.asked[name] = {request.path for request in self.log}
        return self.secrets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.secrets)

    def __len__(self) -> int:
        return len(self.secrets)


@st.composite
def moves(draw: st.DrawFn) -> Scenario:
    """Accounts that stand on some schedules and shall stand on others, by prune or by tombstones."""
    accounts = tuple(
        Account(kind.slug, address(person), password_of(kind.slug, address(person)), (Calendar("c", "Work"),))
        for kind in _MOVING
        for person in PEOPLE
    )
    sites = tuple(_empty_site(number) for number in range(draw(st.integers(1, 2))))
    governed = tuple(Governed(site, draw(st.booleans()), draw(st.booleans()), 100, by_app=False) for site in sites)
    spots = [(site, schedule) for site in sites for schedule in site.schedules]
    standing: dict[str, list[ExistingConnection]] = defaultdict(list)
    statements: list[Statement] = []

    def declare(account: Account, spot: tuple[Site, Schedule], *, present: bool) -> None:
        site, schedule = spot
        where = Spot(site, schedule, _provider(site, account), account)
        statements.append(draw(statement(where, len(statements), present=present, sound=True)))

    for account in accounts:
        before, after = (draw(st.none() | st.sampled_from(spots)) for _ in range(2))
        if before:
            site, schedule = before
            connection = ExistingConnection(_provider(site, account).id, schedule.id, account.email)
            standing[site.id].append(connection)
        if after:
            declare(account, after, present=True)
        if before and before != after and draw(st.booleans()):
            declare(account, before, present=False)
    world = World(tuple(_with(site, standing[site.id]) for site in sites), accounts)
    return Scenario(world, governed, tuple(statements), draw(behaviours()))


def _empty_site(number: int) -> Site:
    schedules = tuple(Schedule(guid(2, number * 16 + index), f"Room {index}") for index in range(3))
    providers = tuple(
        Provider(guid(3, number * 16 + index), kind.slug, kind.name, kind.calendar_type, kind.methods)
        for index, kind in enumerate(_MOVING)
    )
    return Site(guid(1, number), f"Site {number}", schedules, providers, instance_id=guid(4, number))


def _with(site: Site, connections: list[ExistingConnection]) -> Site:
    numbered = tuple(
        ExistingConnection(c.provider_id, c.schedule_id, c.account, id=f"connection-{site.id[-1]}-{index}")
        for index, c in enumerate(connections)
    )
    return Site(site.id, site.name, site.schedules, site.providers, numbered, site.instance_id)


def _provider(site: Site, account: Account) -> Provider:
    return next(provider for provider in site.providers if provider.slug == account.provider)


@examples(6)
@given(scenario=moves())
def test_an_account_is_freed_before_it_is_connected_elsewhere(stages: Stages, scenario: Scenario) -> None:
    """When a connect begins, all that frees its account has been answered, unless they wait for each other."""
    with stages.holding(scenario) as stage:
        before = stage.live()
        watched = Watched(stage.environ, stage.sandbox.requests)
        result = stage.with_environ(watched).apply()
    freeing = _freeing(result, before)
    done = {o.action.address: o.action for o in result.outcomes if o.status is OutcomeStatus.DONE}
    for address_, needed in freeing.items():
        action = done.get(address_)
        if action is None or action.method is not ConnectMethod.CREDENTIALS or action.password is None:
            continue
        for other in needed:
            if not _leads_to(other.address, address_, freeing):
                path = f"/{quote(other.connection_id or '', safe='')}/disconnect"
                assert any(answered.endswith(path) for answered in watched.asked[action.password.name])


def _freeing(result: Result, before: Live) -> dict[str, list[Action]]:
    """By address of a connect, the actions that give up a connection of its account."""
    actions = [outcome.action for outcome in result.outcomes]
    lost: dict[tuple[str, str], list[Action]] = defaultdict(list)
    for action in actions:
        if action.kind.disconnects and action.connection_id:
            given_up = before[action.connection_id]
            lost[_SLUGS[str(given_up["providerId"])], str(given_up["externalAccountEmail"])].append(action)
    return {
        action.address: lost[_SLUGS[action.provider_id], str(action.account or "").lower()]
        for action in actions
        if action.kind in {ActionKind.CONNECT, ActionKind.REPLACE}
    }


def _leads_to(start: str, goal: str, freeing: Mapping[str, list[Action]]) -> bool:
    """Whether the action `start` itself waits, in the end, for `goal`."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            waiting += [other.address for other in freeing.get(here, [])]
    return False
