"""Valid documents as values, one by one; what they refer to is not resolved yet."""

from dataclasses import dataclass
from functools import cache
from sys import intern
from typing import cast

from reconciler.manifests.faults import FileReport
from reconciler.manifests.schema_types import (
    AuthShape,
    ConnectionShape,
    LifecycleShape,
    PolicyShape,
    SecretShape,
    SiteShape,
)
from reconciler.manifests.sync_config import sync_config, sync_marks
from reconciler.manifests.values import TextMark, Value, YamlMapping, locate
from reconciler.model.account import Account
from reconciler.model.desired import (
    BOOKINGS_APP_ID,
    ApiKeyAuth,
    AppAuth,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    ScheduleKey,
    ScheduleRef,
    Scope,
    SecretKind,
    SecretRef,
    Site,
    State,
)
from reconciler.model.source import FieldSources, Places, Source, SourceMap
from reconciler.model.sync import SyncConfig

DEFAULT_MAX_DISCONNECTS = "25%"

NO_SYNC = SyncConfig()
"""The sync config of a connection that has none of its own."""

_NO_LIFECYCLE = Lifecycle()

_PLACED = frozenset({"schedule", "provider", "account", "credentials", "state", "lifecycle"})


@dataclass(frozen=True, slots=True)
class SiteDocument:
    """A Site, and where its id stands."""

    site: Site
    site_id_at: Source


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A SyncPolicy."""

    name: str
    sync: SyncConfig
    sources: FieldSources


@dataclass(frozen=True, slots=True)
class ConnectionDocument:
    """A Connection; `site` and `policy` are unresolved names, `sync` is its own, `sources` are below its spec."""

    name: str
    site: str | None
    schedule: ScheduleRef
    provider: ProviderRef
    account: Account
    password: SecretRef | None
    state: State
    policy: str | None
    sync: SyncConfig
    lifecycle: Lifecycle
    sources: SourceMap

    @property
    def root(self) -> Source:
        """Where it begins."""
        return self.sources.root


def site_document(document: YamlMapping, report: FileReport) -> SiteDocument:
    """The Site that a valid document declares; ids are in lower case, as the service writes them."""
    spec = cast("SiteShape", document["spec"])
    percentage = spec.get("guards", {}).get("maxDisconnects", DEFAULT_MAX_DISCONNECTS)
    oauth = spec.get("oauth")
    site = Site(
        name=_name(document),
        site_id=spec["siteId"].lower(),
        auth=_auth(spec["auth"]),
        scope=Scope(spec.get("scope", Scope.SCHEDULES)),
        prune=spec.get("prune", False),
        max_disconnects=int(percentage.removesuffix("%")),
        redirect_url=oauth["redirectUrl"] if oauth else None,
        schedules_app_id=spec.get("schedules", {}).get("appId", BOOKINGS_APP_ID).lower(),
        source=report.source_of(document.mark),
    )
    return SiteDocument(site, report.source(locate(document, ("spec", "siteId"))))


def policy_document(document: YamlMapping, report: FileReport) -> PolicyDocument:
    """The SyncPolicy that a valid document declares."""
    spec = cast("PolicyShape", document["spec"])
    return PolicyDocument(
        _name(document), sync_config(spec["syncConfig"], document, report), _sources(document, report).fields
    )


def connection_document(document: YamlMapping, report: FileReport) -> ConnectionDocument:
    """The Connection that a valid document declares."""
    spec = cast("ConnectionShape", document["spec"])
    return ConnectionDocument(
        name=_name(document),
        site=spec.get("site"),
        schedule=_schedule(spec["schedule"]),
        provider=_provider(spec["provider"]),
        account=Account(spec["account"]),
        password=_secret(spec["credentials"]["password"]) if "credentials" in spec else None,
        state=State(spec["state"]) if "state" in spec else State.PRESENT,
        policy=spec.get("syncPolicy"),
        sync=sync_config(spec["syncConfig"], document, report) if "syncConfig" in spec else NO_SYNC,
        lifecycle=_lifecycle(spec["lifecycle"]) if "lifecycle" in spec else _NO_LIFECYCLE,
        sources=_sources(document, report),
    )


def text_at(document: YamlMapping, *path: str) -> str | None:
    """The text at a path of any document, if there is one."""
    node: Value = document
    for step in path:
        node = node.get(step) if isinstance(node, YamlMapping) else None
    return node if isinstance(node, str) else None


def _name(document: YamlMapping) -> str:
    return text_at(document, "metadata", "name") or ""


def _sources(document: YamlMapping, report: FileReport) -> SourceMap:
    spec = cast("YamlMapping", document["spec"])
    if spec.places is None:
        spec.places = _places(spec, document.mark)
    return SourceMap(report.source_of(document.mark), spec.places)


def _places(spec: YamlMapping, root: TextMark) -> Places:
    """Where the fields are that a fault may be about, seen from the document's beginning."""
    marks = [(name, key) for name, (key, _) in zip(spec, spec.marks, strict=True) if name in _PLACED]
    lifecycle = spec.get("lifecycle")
    if isinstance(lifecycle, YamlMapping):
        within = zip(lifecycle, lifecycle.marks, strict=True)
        marks += [(intern(f"lifecycle.{name}"), key) for name, (key, _) in within]
    if "syncConfig" in spec:
        marks += sync_marks(spec)
    return tuple([(path, mark.line - root.line, mark.column + 1) for path, mark in marks])


def _auth(auth: AuthShape) -> ApiKeyAuth | AppAuth:
    if "apiKey" in auth:
        return ApiKeyAuth(_secret(auth["apiKey"]))
    app = auth["app"]
    return AppAuth(app["appId"].lower(), _secret(app["appSecret"]), app["instanceId"].lower())


def _lifecycle(lifecycle: LifecycleShape) -> Lifecycle:
    return Lifecycle(lifecycle.get("preventDisconnect", False), tuple(sorted(lifecycle.get("ignoreChanges", ()))))


@cache
def _by_type(word: str) -> ProviderRef:
    return ProviderRef(ProviderKey.TYPE, word)


def _secret(reference: SecretShape) -> SecretRef:
    if "env" in reference:
        return SecretRef(SecretKind.ENV, reference["env"])
    return SecretRef(SecretKind.FILE, reference["file"])


def _schedule(schedule: dict[str, str]) -> ScheduleRef:
    written = next((ScheduleRef(ScheduleKey(by), value) for by, value in schedule.items() if by != "id"), None)
    if "id" in schedule:
        return ScheduleRef(ScheduleKey.ID, schedule["id"].lower(), label=written)
    # A valid one has a name or an external id, then.
    return cast("ScheduleRef", written)


def _provider(provider: str | dict[str, str]) -> ProviderRef:
    if isinstance(provider, str):
        return _by_type(provider)
    ((by, value),) = provider.items()
    key = ProviderKey(by)
    return ProviderRef(key, value.lower() if key is ProviderKey.ID else value)
