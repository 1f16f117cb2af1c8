"""Live sites as values, and pulls of them into a folder, for tests of pulling."""

from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.manifests import load
from reconciler.model.account import Account
from reconciler.model.desired import ApiKeyAuth, AppAuth, Scope, SecretKind, SecretRef, Site
from reconciler.model.live import Features, LiveConnection, LiveSite, Provider, Schedule
from reconciler.model.plan import SitePlan
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.planner import plan_site
from reconciler.pull.folder import SavedFiles, open_files, open_folder, save
from reconciler.pull.pin_files import PinnedFiles, pin_files
from reconciler.pull.pins import SitePins, find_pins
from reconciler.pull.values import BY_SIZE, Layout, PulledSite, PullOptions
from reconciler.workflow.pull import Pull, pull_into, with_names

SITE_ID = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
LEE, PATEL, KIM = (f"3e47ec65-2975-447c-a7ed-75041e850d{number:02d}" for number in range(3))
SCHEDULES = (
    Schedule(LEE, "Dr. Lee", None, "ACTIVE"),
    Schedule(PATEL, "Dr. Patel", None, "ACTIVE"),
    Schedule(KIM, "Hygienist Kim", None, "ACTIVE"),
)


def _provider(number: int, name: str, calendar_type: str, *methods: str, fixed: bool = False) -> Provider:
    # What it exports to is not said, so that every export may be declared.
    features = Features(methods, not fixed, "SPECIFIC_CALENDARS", None)
    return Provider(f"f8b9a061-f8b3-4eed-af9d-63801dcec2{number:02d}", name, calendar_type, features)


APPLE = _provider(1, "Apple", "I_CAL", "CREDENTIALS")
GOOGLE = _provider(2, "Google", "GOOGLE", "OAUTH")
ROTA = _provider(3, "Tidewater Rota", "OTHER", "CREDENTIALS", fixed=True)
PROVIDERS = (APPLE, GOOGLE, ROTA)

AS_DOCUMENTS, AS_SETS, AS_ROSTERS = (PullOptions(layout) for layout in Layout)
PRIMARY = Direction(enabled=True, arm=Arm.PRIMARY)
DEDICATED = Direction(enabled=True, arm=Arm.DEDICATED)
OFF = Direction(enabled=False)
BUSY_TIMES = SyncConfig(PRIMARY, OFF)
WORK, HOME, SCHOOL = CalendarRef("a68yu6", "Work"), CalendarRef("b12", "Home"), CalendarRef("c34", "School")


def chosen(*calendars: CalendarRef) -> Direction:
    """An import from these calendars."""
    return Direction(enabled=True, arm=Arm.CALENDARS, calendars=calendars)


def live(schedule: str = LEE, provider: Provider = APPLE, **fields: object) -> LiveConnection:
    """A synced connection of lee@harbor-dental.example to the schedule of Dr. Lee, unless `fields` say otherwise."""
    person = {LEE: "lee", PATEL: "patel", KIM: "kim"}[schedule]
    given = LiveConnection(
        id=f"live-{person}-{provider.name}",
        provider_id=provider.id,
        calendar_type=provider.calendar_type,
        schedule_id=schedule,
        account=Account(f"{person}@harbor-dental.example"),
        status="SYNCED",
        error_reason=None,
        sync=BUSY_TIMES,
    )
    if isinstance(account := fields.get("account"), str):
        fields["account"] = Account(account) if account else None
    # The type checker can't know that the names in `fields` fit.
    return replace(given, **fields)  # type: ignore[arg-type]


def site(name: str = "harbor-dental", id_: str = SITE_ID, auth: ApiKeyAuth | AppAuth | None = None) -> Site:
    """A site as the command line names it."""
    key = ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY"))
    return Site(name, id_, auth or key, Scope.SCHEDULES, prune=False, max_disconnects=25, redirect_url=None)


def observed(*connections: LiveConnection, of: Site | None = None, **fields: object) -> PulledSite:
    """One observation of a site that holds these connections."""
    seen = LiveSite(PROVIDERS, connections, schedules=SCHEDULES)
    # As above.
    return called(PulledSite(of or site(), replace(seen, **fields)))  # type: ignore[arg-type]


def called(seen: PulledSite, *schedules: Schedule) -> PulledSite:
    """The same observation with these schedules, and their names; with those that it has if none are given."""
    every = schedules or seen.live.schedules
    names = {schedule.id: schedule.name for schedule in every}
    return replace(seen, live=replace(seen.live, schedules=every), schedule_names=names)


@dataclass(frozen=True, slots=True)
class Done:
    """A pull into a folder, and what became of its files."""

    pull: Pull
    saved: SavedFiles

    @property
    def changed(self) -> list[str]:
        """The files that were written."""
        return sorted([*self.saved.created, *self.saved.updated])


def pull(folder: Path, *sites: PulledSite, options: PullOptions = BY_SIZE) -> Done:
    """Pull sites into a folder."""
    opened = open_folder(folder)
    named = with_names([one.site for one in sites], opened)
    made = pull_into(opened, [replace(one, site=name) for one, name in zip(sites, named, strict=True)], options)
    return Done(made, save(opened, made.files))


def pin(folder: Path, *sites: PulledSite) -> tuple[list[SitePins], PinnedFiles]:
    """Pin the manifests of a folder, and write them."""
    opened = open_files([folder])
    found = []
    for seen in sites:
        declared = [one for one in opened.desired.connections if one.site == seen.site.name]
        found.append(find_pins(seen.site, declared, opened.connections, seen.live))
    made = pin_files(opened, [folder], [one for each in found for one in each.connections])
    assert save(opened, made.files).failures == []
    return found, made


def planned(folder: Path, seen: PulledSite) -> SitePlan:
    """The plan of a folder's manifests for one observed site."""
    desired = load([folder])
    declared = next(one for one in desired.sites if one.site_id == seen.site.site_id)
    return plan_site(declared, [one for one in desired.connections if one.site == declared.name], seen.live)


def actions(folder: Path, seen: PulledSite) -> dict[str, str]:
    """What planning the folder finds for one site, by address; it must not find faults."""
    plan = planned(folder, seen)
    assert not plan.faults, plan.faults
    return {action.address: action.kind.value for action in plan.actions}
