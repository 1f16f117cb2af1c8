"""Valid documents as values, one by one; what they refer to is not resolved yet."""

from dataclasses import dataclass
from functools import cache
from sys import intern
from typing import NamedTuple, cast

from reconciler.manifests.faults import FileReport
from reconciler.manifests.schema_types import (
    AuthShape,
    ConnectionShape,
    LifecycleShape,
    PolicyShape,
    SecretShape,
    SiteShape,
)
from reconciler.manifests.sync_config import merge, replaced, sync_config, sync_marks
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

DEFAULT_AUTH = ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY"))
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
class SetMember:
    """Where an entry or a row is in its set: the set's name and place, and the entry's index, None for a row."""

    set_name: str
    set_root: Source
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """What a set's template says of its connections; None for a field that it leaves out."""

    site: str | None = None
    schedule: ScheduleRef | None = None
    provider: ProviderRef | None = None
    account: Account | None = None
    password: SecretRef | None = None
    state: State = State.PRESENT
    policy: str | None = None
    sync: SyncConfig = NO_SYNC
    lifecycle: Lifecycle = _NO_LIFECYCLE
    sources: FieldSources = ()


_NO_TEMPLATE = Template()


# There is one for each connection of a fleet, and these are made in a fraction of the time of a frozen dataclass.
class ConnectionDocument(NamedTuple):
    """A Connection, or one of a set, which is its `member`.

    `site` and `policy` are unresolved names, `sync` is its own, `sources` are below its spec.
    """

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
    member: SetMember | None = None

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
        name=document_name(document),
        site_id=spec["siteId"].lower(),
        auth=_auth(spec["auth"]) if "auth" in spec else DEFAULT_AUTH,
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
    around = cast("YamlMapping", document["spec"])
    sync = sync_config(spec["syncConfig"], around, report)
    return PolicyDocument(document_name(document), sync, _sources(document, report).fields)


def connection_document(document: YamlMapping, report: FileReport) -> ConnectionDocument:
    """The Connection that a valid document declares."""
    spec = cast("YamlMapping", document["spec"])
    return _connection(document_name(document), spec, _NO_TEMPLATE, _sources(document, report), report)


def member_document(
    entry: YamlMapping, template: Template, report: FileReport, within: str, member: SetMember
) -> ConnectionDocument:
    """The Connection that a valid entry of a set declares over its template, `within` its document."""
    if entry.places is None:
        entry.places = _places(entry, entry.mark)
    sources = SourceMap(report.source_of(entry.mark), entry.places, template.sources, within)
    name = cast("str", entry["name"])
    return _connection(name, entry, template, sources, report, member)


def template_of(spec: YamlMapping, root: TextMark, report: FileReport) -> Template:
    """What a valid template says, in the document that begins at `root`."""
    fields = cast("ConnectionShape", spec)
    places = SourceMap(report.source_of(root), _places(spec, root)).fields
    return Template(
        site=fields.get("site"),
        schedule=schedule_ref(fields["schedule"]) if "schedule" in spec else None,
        provider=_provider(fields["provider"]) if "provider" in spec else None,
        account=Account(fields["account"]) if "account" in spec else None,
        password=_secret(fields["credentials"]["password"]) if "credentials" in spec else None,
        state=State(fields["state"]) if "state" in spec else State.PRESENT,
        policy=fields.get("syncPolicy"),
        sync=sync_config(fields["syncConfig"], spec, report, "spec.template") if "syncConfig" in spec else NO_SYNC,
        lifecycle=_lifecycle(fields["lifecycle"], _NO_LIFECYCLE) if "lifecycle" in spec else _NO_LIFECYCLE,
        sources=places,
    )


def _connection(
    name: str,
    spec: YamlMapping,
    template: Template,
    sources: SourceMap,
    report: FileReport,
    member: SetMember | None = None,
) -> ConnectionDocument:
    """What a spec, or an entry, says over a template; between them they have what a connection must have."""
    fields = cast("ConnectionShape", spec)
    sync = template.sync
    if "syncConfig" in spec:
        own = sync_config(fields["syncConfig"], spec, report, sources.within)
        sync, sources = (own, sources) if sync is NO_SYNC else (merge(sync, own), replaced(sources, own))
    return ConnectionDocument(
        name=name,
        site=fields.get("site", template.site),
        schedule=schedule_ref(fields["schedule"]) if "schedule" in spec else cast("ScheduleRef", template.schedule),
        provider=_provider(fields["provider"]) if "provider" in spec else cast("ProviderRef", template.provider),
        account=Account(fields["account"]) if "account" in spec else cast("Account", template.account),
        password=_secret(fields["credentials"]["password"]) if "credentials" in spec else template.password,
        state=State(fields["state"]) if "state" in spec else template.state,
        policy=fields.get("syncPolicy", template.policy),
        sync=sync,
        lifecycle=_lifecycle(fields["lifecycle"], template.lifecycle) if "lifecycle" in spec else template.lifecycle,
        sources=sources,
        member=member,
    )


def text_at(document: YamlMapping, *path: str) -> str | None:
    """The text at a path of any document, if there is one."""
    node: Value = document
    for step in path:
        node = node.get(step) if isinstance(node, YamlMapping) else None
    return node if isinstance(node, str) else None


def document_name(document: YamlMapping) -> str:
    """What a valid document is called."""
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


def _lifecycle(lifecycle: LifecycleShape, around: Lifecycle) -> Lifecycle:
    ignored = tuple(sorted(lifecycle["ignoreChanges"])) if "ignoreChanges" in lifecycle else around.ignore_changes
    return Lifecycle(lifecycle.get("preventDisconnect", around.prevent_disconnect), ignored)


@cache
def _by_type(word: str) -> ProviderRef:
    return ProviderRef(ProviderKey.TYPE, word)


def _secret(reference: SecretShape) -> SecretRef:
    if "env" in reference:
        return SecretRef(SecretKind.ENV, reference["env"])
    return SecretRef(SecretKind.FILE, reference["file"])


def schedule_ref(schedule: dict[str, str]) -> ScheduleRef:
    """What the fields of a valid `schedule` mean; an id is in lower case, and counts."""
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
