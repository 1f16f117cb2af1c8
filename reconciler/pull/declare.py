"""Declares live connections: what a manifest can hold of one, and why it can't hold all of some."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.manifests.values import GUID
from reconciler.model.desired import (
    DeclaredConnection,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    ScheduleKey,
    ScheduleRef,
    SecretKind,
    SecretRef,
    State,
)
from reconciler.model.live import ConnectMethod, LiveConnection, LiveSite, Provider
from reconciler.model.source import Fault, Source, SourceMap
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning import providers
from reconciler.pull.yaml_emit import LONGEST_CALENDAR, LONGEST_NAME, comment, is_declarable

MOST_CALENDARS = 1000
_LONGEST_ACCOUNT = 320
UNSET = SecretRef(SecretKind.ENV, "EXTCAL_PASSWORD")
"""Stands for a password that has no variable yet."""


class UndeclarableError(Exception):
    """No manifest can declare a live connection; the message says why."""


def identity(
    site: str, connection: LiveConnection, live: LiveSite, active: Sequence[LiveConnection]
) -> tuple[DeclaredConnection, Provider]:
    """The declaration of a live connection without a sync config or a name, and its provider.

    `active` are the connections of its schedule that are not disconnected. Raises UndeclarableError.
    """
    if connection.account is None:
        raise UndeclarableError("the service does not show its account; pull again when it does")
    account = connection.account.given
    local, _, domain = account.rpartition("@")
    spaced = any(character.isspace() for character in account)
    if not is_declarable(account, _LONGEST_ACCOUNT) or spaced or not local or not domain:
        raise UndeclarableError("its account is not an email address that a manifest can hold")
    if not GUID.fullmatch(connection.schedule_id):
        raise UndeclarableError("its schedule has no id that a manifest can hold")
    declared = DeclaredConnection(
        site=site,
        name="",
        schedule=ScheduleRef(ScheduleKey.ID, connection.schedule_id),
        provider=ProviderRef(ProviderKey.TYPE, ""),
        account=connection.account,
        password=None,
        state=State.PRESENT,
        sync=SyncConfig(),
        lifecycle=Lifecycle(),
        sources=SourceMap(Source("", 1, 1)),
    )
    for reference in _references(connection, live.providers):
        declared = replace(declared, provider=reference)
        provider = providers.resolve(reference, live.providers, declared)
        if isinstance(provider, Provider) and _means_only(declared, provider, connection, active):
            return replace(declared, password=UNSET if _needs_password(provider) else None), provider
    raise UndeclarableError("no reference to its provider would match it alone")


def _references(connection: LiveConnection, offered: Sequence[Provider]) -> Iterator[ProviderRef]:
    """How a manifest could name the provider, the most readable way first."""
    if known := providers.word(connection.calendar_type):
        yield ProviderRef(ProviderKey.TYPE, known)
    for provider in offered:
        if provider.id == connection.provider_id:
            if is_declarable(provider.name, LONGEST_NAME):
                yield ProviderRef(ProviderKey.NAME, provider.name)
            if GUID.fullmatch(provider.id):
                yield ProviderRef(ProviderKey.ID, provider.id)


def _means_only(
    declared: DeclaredConnection, provider: Provider, connection: LiveConnection, active: Sequence[LiveConnection]
) -> bool:
    """Whether the declaration matches the connection, and none that is another provider's."""
    meant = [
        other
        for other in active
        if other.account == declared.account and providers.serves(declared.provider, provider, other)
    ]
    return connection in meant and all(other.provider_id == connection.provider_id for other in meant)


def _needs_password(provider: Provider) -> bool:
    methods = provider.features.connect_methods
    return ConnectMethod.CREDENTIALS in methods and ConnectMethod.OAUTH not in methods


def with_sync(
    declared: DeclaredConnection, connection: LiveConnection, provider: Provider, names: Mapping[str, str]
) -> tuple[DeclaredConnection, tuple[str, ...]]:
    """The declaration with the live sync config, and notes on what is left out of it."""
    if provider.features.fixed_sync_config:
        return declared, (f"No sync config is written: {comment(provider.name)} does not allow changing it.",)
    imports, exports = connection.sync.imports or Direction(), connection.sync.exports or Direction()
    complete = replace(
        declared, sync=SyncConfig(declared_direction(imports, names), declared_direction(exports, names))
    )
    beyond: list[Fault] = list(providers.shortcomings(complete, provider, complete.sync, connection))
    if beyond:
        # To declare it would be a fault, though it is live.
        return declared, (f"No sync config is written: {comment(provider.name)} does not offer its settings.",)
    remarks = [
        f"No calendar to {verb} is written: the service shows none that a manifest can name."
        for verb, have, said in (
            ("import from", imports, complete.sync.imports),
            ("export to", exports, complete.sync.exports),
        )
        if have.enabled and said is not None and said.arm is None
    ]
    return complete, tuple(remarks)


def declared_direction(have: Direction, names: Mapping[str, str]) -> Direction:
    """A live direction as a manifest declares it; one that is off has no calendars."""
    if not have.enabled:
        return Direction(enabled=False)
    if have.arm is not Arm.CALENDARS:
        return Direction(enabled=True, arm=have.arm)
    found: dict[str, CalendarRef] = {}
    for ref in have.calendars:
        key = ref.id or ref.name or ""
        if not is_declarable(key, LONGEST_CALENDAR):
            return Direction(enabled=True)
        name = ref.name or names.get(ref.id or "", "")
        found.setdefault(key, CalendarRef(ref.id, name if is_declarable(name, LONGEST_CALENDAR) else None))
    if not 0 < len(found) <= MOST_CALENDARS:
        return Direction(enabled=True)
    return Direction(enabled=True, arm=Arm.CALENDARS, calendars=tuple(found.values()))
