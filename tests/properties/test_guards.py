"""What is never done unless somebody overrules a guard by name, and what is never done at all."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.guards import CONSENT_LOSS, GUARDS, MAX_DISCONNECTS, PREVENT_DISCONNECT
from reconciler.sandbox.contract import ConnectMethod, Status
from reconciler.sandbox.world import ExistingConnection, Site
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stages
from tests.support.scenarios.strategies import Scenario, scenarios


def _taken_away(stages: Stages, scenario: Scenario, *overruled: str) -> set[str]:
    """The ids of the connections that an apply disconnects, with these guards overruled everywhere."""
    with stages.holding(scenario) as stage:
        stage.apply_if_valid(stage.overruling(*overruled))
        for provider_id in scenario.down:
            stage.sandbox.set_provider_down(provider_id, down=False)
        after = stage.live()
    return {
        connection.id or ""
        for site in scenario.world.sites
        for connection in site.connections
        if connection.status != Status.DISCONNECTED and after[connection.id or ""]["status"] == Status.DISCONNECTED
    }


def _buried(scenario: Scenario, site: Site, connection: ExistingConnection) -> bool:
    """Whether a tombstone means a connection."""
    return any(not stated.present for stated in scenario.about(site, connection))


def _which(scenario: Scenario, fits: Callable[[Site, ExistingConnection], bool]) -> set[str]:
    return {c.id or "" for site in scenario.world.sites for c in site.connections if fits(site, c)}


@examples(6)
@given(scenario=scenarios(sparing=False))
def test_no_more_connections_are_taken_away_than_the_site_allows(stages: Stages, scenario: Scenario) -> None:
    """Without an allowance one apply disconnects at most maxDisconnects of a site's connections in scope, or one."""
    gone = _taken_away(stages, scenario, PREVENT_DISCONNECT, CONSENT_LOSS)
    lost = Counter(
        site.id
        for site in scenario.world.sites
        for connection in site.connections
        # One that is broken may be given up for the one that takes its place.
        if connection.id in gone and connection.status != Status.ERROR
    )
    for site in scenario.world.sites:
        active = [c for c in site.connections if c.status != Status.DISCONNECTED and scenario.in_scope(site, c)]
        assert lost[site.id] <= max(1, len(active) * scenario.at(site).percentage // 100)


@examples(6)
@given(scenario=scenarios(sparing=False))
def test_a_protected_connection_is_never_taken_away(stages: Stages, scenario: Scenario) -> None:
    """Without an allowance a connection whose manifest says preventDisconnect stays connected."""
    gone = _taken_away(stages, scenario, MAX_DISCONNECTS, CONSENT_LOSS)

    def protected(site: Site, connection: ExistingConnection) -> bool:
        shown = connection.email_shown and connection.status != Status.ERROR
        return shown and any(stated.prevent_disconnect for stated in scenario.about(site, connection))

    assert not gone & _which(scenario, protected)


@examples(6)
@given(scenario=scenarios(sparing=False))
def test_what_needs_its_owner_to_come_back_is_not_pruned(stages: Stages, scenario: Scenario) -> None:
    """Without an allowance a connection that only consent can bring back goes by a tombstone alone."""
    by_consent = {
        provider.id
        for site in scenario.world.sites
        for provider in site.providers
        if ConnectMethod.CREDENTIALS not in provider.connect_methods
    }
    gone = _taken_away(stages, scenario, MAX_DISCONNECTS, PREVENT_DISCONNECT)

    def unnamed(site: Site, connection: ExistingConnection) -> bool:
        return connection.provider_id in by_consent and not (
            connection.email_shown and _buried(scenario, site, connection)
        )

    assert not gone & _which(scenario, unnamed)


@examples(6)
@given(scenario=scenarios(sound=False))
def test_without_prune_only_tombstones_take_away(stages: Stages, scenario: Scenario) -> None:
    """With prune off nothing goes but what a tombstone names, and what is broken and declared anew."""
    scenario = replace(scenario, governed=tuple(replace(governed, prune=False) for governed in scenario.governed))
    declared = {stated.schedule.id for stated in scenario.statements if stated.present}
    gone = _taken_away(stages, scenario, *GUARDS)

    def excused(site: Site, connection: ExistingConnection) -> bool:
        broken = connection.status == Status.ERROR
        return _buried(scenario, site, connection) or (broken and connection.schedule_id in declared)

    assert gone <= _which(scenario, excused)


@examples(6)
@given(scenario=scenarios(sound=False))
def test_a_tombstone_never_takes_an_account_that_is_not_shown(stages: Stages, scenario: Scenario) -> None:
    """With prune off and nothing but tombstones, what shows no account stays, since it may be somebody else's."""
    scenario = replace(
        scenario,
        governed=tuple(replace(governed, prune=False) for governed in scenario.governed),
        statements=tuple(stated for stated in scenario.statements if not stated.present),
    )
    gone = _taken_away(stages, scenario, *GUARDS)
    assert not gone & _which(scenario, lambda _, c: not c.email_shown)


@examples(6)
@given(scenario=scenarios(sound=False))
def test_what_is_out_of_scope_is_never_taken_away(stages: Stages, scenario: Scenario) -> None:
    """On a schedule that no manifest names, and with scope `schedules`, prune takes nothing."""
    gone = _taken_away(stages, scenario, *GUARDS)
    assert not gone & _which(scenario, lambda site, c: not scenario.in_scope(site, c))


@examples(6)
@given(scenario=scenarios())
def test_a_site_without_a_declared_connection_loses_none(stages: Stages, scenario: Scenario) -> None:
    """Prune is not honoured where nothing is declared: an empty folder is more likely a mistake than a wish."""
    bare = replace(
        scenario,
        statements=(),
        governed=tuple(replace(governed, prune=True, whole_site=True) for governed in scenario.governed),
    )
    assert _taken_away(stages, bare, *GUARDS) == set()


@examples(6)
@given(scenario=scenarios(sound=False))
def test_what_the_service_could_not_read_is_never_taken_away(stages: Stages, scenario: Scenario) -> None:
    """While a provider can't be reached, none of its connections goes."""
    gone = _taken_away(stages, scenario, *GUARDS)
    assert not gone & _which(scenario, lambda _, c: c.provider_id in scenario.down)


@examples(8)
@given(scenario=scenarios(), number=st.integers(0))
def test_what_is_declared_is_never_taken_away(stages: Stages, scenario: Scenario, number: int) -> None:
    """A healthy connection that a manifest wants present is not pruned, whichever provider can't be reached."""
    ids = [provider.id for site in scenario.world.sites for provider in site.providers]
    pruning = tuple(replace(governed, prune=True) for governed in scenario.governed)
    down = (ids[number % len(ids)],)
    gone = _taken_away(stages, replace(scenario, governed=pruning, down=down), *GUARDS)

    def declared(site: Site, connection: ExistingConnection) -> bool:
        shown = connection.email_shown and connection.status != Status.ERROR
        return shown and any(stated.present for stated in scenario.about(site, connection))

    assert not gone & _which(scenario, declared)
