"""Finds the provider that a manifest means; says what it can do, and what a calendar type is called."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from reconciler.model.action import Recovery
from reconciler.model.desired import DeclaredConnection, ProviderKey, ProviderRef
from reconciler.model.live import NOT_SAID, ConnectMethod, Features, LiveConnection, Provider, Support
from reconciler.model.source import Fault
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.planning import diff
from reconciler.text import did_you_mean, listed

_WORD_BY_TYPE = {
    "GOOGLE": "google",
    "MICROSOFT": "microsoft",
    "OUTLOOK": "microsoft",
    "OFFICE_365": "microsoft",
    "I_CAL": "apple",
}
_NOTHING = Direction()
_NAMELESS = (
    "choose the calendar in the site's dashboard and leave syncToCalendar out of the manifest, or set enabled: false"
)
_PREFERRED = {"google": "GOOGLE", "microsoft": "MICROSOFT", "apple": "I_CAL"}
_VENDORS_NAME = {"google": "Google", "microsoft": "Outlook or Office 365", "apple": "Apple"}


def word(calendar_type: str | None) -> str | None:
    """The manifests' word for a built-in calendar type (`I_CAL` is `apple`); None for any other."""
    return None if calendar_type is None else _WORD_BY_TYPE.get(calendar_type)


def shown_type(calendar_type: str | None) -> str:
    """A calendar type as people are shown it: the manifests' word, else the service's."""
    return word(calendar_type) or calendar_type or NOT_SAID


def label(provider: Provider | None, calendar_type: str | None) -> str:
    """What a person calls a provider: the manifests' word, else the name that ListProviders gives."""
    return word(calendar_type) or (provider.name if provider else (calendar_type or "unknown").lower())


def resolve(ref: ProviderRef, providers: Sequence[Provider], declared: DeclaredConnection) -> Provider | Fault:
    """The one provider that `ref` means, or why there is not exactly one."""
    found = [provider for provider in providers if is_meant(ref, provider)]
    if ref.by is ProviderKey.TYPE and len(found) > 1:
        # Deprecated spellings of one type live beside the current one; the current one is meant.
        found = [provider for provider in found if provider.calendar_type == _PREFERRED[ref.value]] or found
    if len(found) == 1:
        return found[0]
    source = declared.sources.at("provider")
    if found:
        choices = ", ".join(f"{provider.name} [{provider.id}]" for provider in found)
        hint = f"name one of them by id: {choices}"
        return Fault(source, declared.address, f"provider {ref} is ambiguous on this site", hint)
    names = [provider.name for provider in providers]
    hint = did_you_mean(ref.value, names) or f"the site offers: {listed(names)}"
    return Fault(source, declared.address, f"the site has no provider {ref}", hint)


def is_meant(ref: ProviderRef, provider: Provider) -> bool:
    """Whether a provider is one that the reference can mean."""
    match ref.by:
        case ProviderKey.TYPE:
            if provider.calendar_type is None:
                return provider.name == _VENDORS_NAME[ref.value]
            return word(provider.calendar_type) == ref.value
        case ProviderKey.NAME:
            return provider.name == ref.value
        case ProviderKey.ID:
            return provider.id == ref.value


def are_unresolved(refs: Iterable[ProviderRef], providers: Sequence[Provider]) -> bool:
    """Whether one of the references can mean none of these providers."""
    return any(not any(is_meant(ref, provider) for provider in providers) for ref in set(refs))


def may_hide(ref: ProviderRef, providers: Sequence[Provider], failed: AbstractSet[str]) -> Iterator[str]:
    """The providers among `failed` whose connections a reference can mean, by name, or by id where they have none.

    Of one that is not listed nobody knows the type.
    """
    known = {provider.id: provider for provider in providers}
    for provider_id in sorted(failed):
        provider = known.get(provider_id)
        if provider is not None and is_meant(ref, provider):
            yield provider.name
        elif provider is None and (ref.by is ProviderKey.TYPE or ref.value == provider_id):
            yield provider_id


def serves(ref: ProviderRef, provider: Provider, live: LiveConnection) -> bool:
    """Whether a live connection is one of the declared provider's.

    By type, a connection that was made through an older installation of the same provider counts too.
    """
    if live.provider_id == provider.id:
        return True
    return ref.by is ProviderKey.TYPE and word(live.calendar_type) == ref.value


def connect_method(declared: DeclaredConnection, provider: Provider) -> ConnectMethod | Fault:
    """How the declared account is to be connected, or why it can't be."""
    features = provider.features
    if (method := choose_method(features, has_password=declared.password is not None)) is not None:
        return method
    if features.connects_by(ConnectMethod.CREDENTIALS):
        return Fault(
            declared.sources.at("credentials"),
            declared.address,
            f"provider {provider.name} connects by credentials and the manifest gives none",
            "add credentials: {password: {env: EXTCAL_…}}",
        )
    return Fault(
        declared.sources.at("provider"),
        declared.address,
        f"provider {provider.name} offers no way to connect that extcal knows",
        f"it offers: {', '.join(features.connect_methods)}",
    )


def choose_method(features: Features, *, has_password: bool) -> ConnectMethod | None:
    """How an account is connected, given what its provider offers; None where extcal can't.

    A provider that does not say is believed to take a password where a manifest has one.
    """
    if has_password and features.connects_by(ConnectMethod.CREDENTIALS) is not False:
        return ConnectMethod.CREDENTIALS
    return None if features.connects_by(ConnectMethod.OAUTH) is False else ConnectMethod.OAUTH


def recovery(provider: Provider | None) -> Recovery:
    """What it takes to bring back a connection that was disconnected."""
    if provider and provider.features.connects_by(ConnectMethod.CREDENTIALS):
        return Recovery.PASSWORD
    return Recovery.CONSENT


def shortcomings(
    declared: DeclaredConnection, provider: Provider, sync: SyncConfig, live: LiveConnection | None
) -> Iterator[Fault]:
    """What the manifest asks of the provider that it can't do; `sync` is what it asks for of the sync config."""
    features = provider.features
    if declared.password is not None and features.connects_by(ConnectMethod.CREDENTIALS) is False:
        yield Fault(
            declared.sources.at("credentials"),
            declared.address,
            f"provider {provider.name} does not connect by credentials",
            "remove credentials: its owner consents in a browser instead",
        )
    if _asks(sync.imports):
        yield from _import_shortcomings(declared, provider, sync.imports)
    if _asks(sync.exports):
        yield from _export_shortcomings(declared, provider, sync.exports, live)


def _asks(direction: Direction | None) -> bool:
    """Whether a manifest wants a direction to work; one that is switched off asks for nothing."""
    return direction is not None and direction.enabled is not False and direction != _NOTHING


def _import_shortcomings(declared: DeclaredConnection, provider: Provider, wanted: Direction | None) -> Iterator[Fault]:
    support = provider.features.imports
    path = "syncConfig.listEventFromCalendars"
    if support == Support.NONE:
        yield _cannot(declared, path, provider, "import events", "set enabled: false or leave it out")
    elif support == Support.PRIMARY and wanted and wanted.arm is Arm.CALENDARS:
        yield _cannot(declared, f"{path}.calendars", provider, "import chosen calendars", "use primaryCalendar: {}")


def _export_shortcomings(
    declared: DeclaredConnection, provider: Provider, wanted: Direction | None, live: LiveConnection | None
) -> Iterator[Fault]:
    support = provider.features.exports
    path = "syncConfig.syncToCalendar"
    if support == Support.NONE:
        yield _cannot(declared, path, provider, "export events", "set enabled: false or leave it out")
    elif support == Support.PRIMARY and wanted and wanted.arm is Arm.DEDICATED:
        hint = "use primaryCalendar: {}"
        yield _cannot(declared, f"{path}.dedicatedCalendar", provider, "export to a dedicated calendar", hint)
    elif support == Support.DEDICATED and wanted and wanted.arm is Arm.PRIMARY:
        hint = "use dedicatedCalendar: {}"
        yield _cannot(declared, f"{path}.primaryCalendar", provider, "export to the primary calendar", hint)
    elif support == Support.SPECIFIC_CALENDAR and not _exports_already(wanted, live):
        # What stands may have been chosen in the dashboard: to declare it as it is changes nothing.
        message = f"provider {provider.name} exports to one calendar, and the API has no field to name it"
        yield Fault(declared.sources.at(path), declared.address, message, _NAMELESS)


def _exports_already(wanted: Direction | None, live: LiveConnection | None) -> bool:
    """Whether a live connection has the export that is wanted of it."""
    return live is not None and not diff.diff(SyncConfig(exports=wanted), SyncConfig(exports=live.sync.exports))


def _cannot(declared: DeclaredConnection, path: str, provider: Provider, what: str, hint: str) -> Fault:
    return Fault(declared.sources.at(path), declared.address, f"provider {provider.name} can't {what}", hint)


def fixed_config(declared: DeclaredConnection, provider: Provider) -> Fault:
    """The fault of a manifest that wants another sync config where the provider does not let it be changed."""
    return _cannot(
        declared, "syncConfig", provider, "change a sync config", "leave out syncConfig and syncPolicy for it"
    )
