"""Scenarios: a random world, and random manifests over it.

A *sound* scenario is one that a careful person could have written: nothing is ambiguous, no provider is asked for
what it can't do, no account is on two schedules. A *rough* one may be anything that the schema lets through.
"""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from reconciler.sandbox.behaviour import Behaviour
from reconciler.sandbox.seed import APP_ID
from reconciler.sandbox.world import ExistingConnection, Provider, Site, World
from tests.support.scenarios.behaviours import behaviours
from tests.support.scenarios.clarity import clarified
from tests.support.scenarios.statements import (
    Document,
    Statement,
    document,
    password_variable,
    site_name,
    spots,
    statement,
)
from tests.support.scenarios.worlds import worlds


@dataclass(frozen=True, slots=True)
class Governed:
    """How a Site manifest governs its site; `percentage` is `guards.maxDisconnects`."""

    site: Site
    whole_site: bool
    prune: bool
    percentage: int
    by_app: bool

    @property
    def name(self) -> str:
        """What manifests call it."""
        return site_name(self.site)

    def document(self, *, redirect: bool = True) -> Document:
        """Its manifest."""
        secret = {"env": "EXTCAL_APP_SECRET"}
        app = {"appId": APP_ID, "appSecret": secret, "instanceId": self.site.instance_id}
        spec: Document = {
            "siteId": self.site.id,
            "auth": {"app": app} if self.by_app else {"apiKey": {"env": "EXTCAL_API_KEY"}},
            "scope": "site" if self.whole_site else "schedules",
            "prune": self.prune,
            "guards": {"maxDisconnects": f"{self.percentage}%"},
        }
        if redirect:
            spec["oauth"] = {"redirectUrl": "https://harbor-dental.example/landed?from=consent"}
        return document("Site", self.name, spec)


EASY = Behaviour()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world, what manifests state over it, and how the sandbox behaves; `down` are ids of providers."""

    world: World
    governed: tuple[Governed, ...]
    statements: tuple[Statement, ...]
    behaviour: Behaviour = EASY
    down: tuple[str, ...] = ()

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:  # noqa: FBT001 - hypothesis calls it
        """Show a failing scenario; hypothesis refuses to show values as large as whole worlds field by field."""
        printer.text(self.described())

    def described(self) -> str:
        """What a failure needs to be understood: a line for each thing."""
        lines = [f"behaviour={self.behaviour.differences()} down={self.down}"]
        for site in self.world.sites:
            lines += [_provider_line(provider) for provider in site.providers]
            lines += [_connection_line(connection) for connection in site.connections]
        used = sorted({(s.account.provider, s.account.email) for s in self.statements})
        accounts = {(account.provider, account.email): account for account in self.world.accounts}
        lines += [f"{key}: {[(c.id, c.name) for c in accounts[key].calendars]}" for key in used]
        return "\n".join([*lines, *map(str, self.documents)])

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every manifest."""
        return (
            *(governed.document() for governed in self.governed),
            *(document for statement in self.statements for document in statement.documents),
        )

    @property
    def passwords(self) -> dict[str, str]:
        """The environment variables that hold the accounts' passwords."""
        return {password_variable(account): account.password or "" for account in self.world.accounts}

    def at(self, site: Site) -> Governed:
        """The Site manifest of a site."""
        return next(governed for governed in self.governed if governed.site.id == site.id)

    def in_scope(self, site: Site, connection: ExistingConnection) -> bool:
        """Whether the manifests answer for a connection."""
        named = {stated.schedule.id for stated in self.statements if stated.site.id == site.id}
        return self.at(site).whole_site or connection.schedule_id in named

    def about(self, site: Site, connection: ExistingConnection) -> list[Statement]:
        """The statements that mean a connection."""
        return [stated for stated in self.statements if stated.site.id == site.id and stated.means(connection)]


@st.composite
def scenarios(draw: st.DrawFn, *, sound: bool = True, sparing: bool = True, alike: bool = True) -> Scenario:
    """A scenario, sound or rough; one that is not `sparing` buries and prunes a lot; for `alike` see `worlds`.

    The service may behave in any way; in a sound one, in any under which what is declared can come about.
    """
    world = draw(worlds(alike=alike and sound))
    statements: list[Statement] = []
    taken: set[tuple[str, str]] = set()
    for number, spot in enumerate(draw(spots(world))):
        account = (spot.account.provider, spot.account.email)
        wanted = draw(st.sampled_from((True, True, True, False) if sparing else (True, False, False)))
        present = wanted and not (sound and account in taken)
        statements.append(draw(statement(spot, number, present=present, sound=sound or draw(st.booleans()))))
        if present:
            taken.add(account)
    if sound:
        world = World(tuple(clarified(site, statements) for site in world.sites), world.accounts)
    down = () if sound else draw(_down(world))
    return Scenario(
        world,
        tuple(draw(_governed(site, sparing=sparing)) for site in world.sites),
        tuple(statements),
        draw(behaviours(harsh=not sound)),
        down,
    )


@st.composite
def _governed(draw: st.DrawFn, site: Site, *, sparing: bool) -> Governed:
    return Governed(
        site,
        whole_site=draw(st.booleans()),
        prune=not sparing or draw(st.booleans()),
        percentage=draw(st.sampled_from((0, 25, 50, 100))),
        by_app=draw(st.sampled_from((False, False, True))),
    )


def _down(world: World) -> st.SearchStrategy[tuple[str, ...]]:
    ids = [provider.id for site in world.sites for provider in site.providers]
    return st.lists(st.sampled_from(ids), max_size=2, unique=True).map(tuple)


def _provider_line(provider: Provider) -> str:
    features = f"{provider.import_support} {provider.export_support} update={provider.update_sync_config}"
    return f"provider {provider.id} {provider.calendar_type} {features} primary={provider.has_primary}"


def _connection_line(connection: ExistingConnection) -> str:
    reason = f"{connection.status} {connection.error_reason or ''}"
    shown = "" if connection.email_shown else " (not shown)"
    place = f"{connection.schedule_id} {connection.provider_id} {connection.account}{shown}"
    return f"{(connection.id or '')[:14]} {place} {reason} {connection.sync_config}"
