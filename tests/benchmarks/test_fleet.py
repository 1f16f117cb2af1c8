"""The benchmark of fleets measures what it says: its server answers as the sandbox does, and its report is written."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.sandbox.contract import ConnectMethod, ExportSupport, ExportTarget
from reconciler.sandbox.server import running
from reconciler.sandbox.sync_config import Export, Import, SyncConfig
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, Site, World
from tests.benchmarks.fleet import worlds
from tests.benchmarks.fleet.answers import CONNECTIONS, PROVIDERS
from tests.benchmarks.fleet.runs import ROOT, serving
from tests.benchmarks.fleet.worlds import KEY, PASSWORD, Fleet, Json, Live
from tests.support.folders import in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

FLEET = Fleet(9, 2)
APPLE = 3
"""A connection of the first site that is at Apple."""


Clients = tuple[httpx.Client, httpx.Client]


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """The benchmark's server and the sandbox, both holding a fleet that agrees, for its first site."""
    with in_memory() as folder, _both(Live.AGREEING, Path(folder)) as found:
        yield found


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Clients]:
    """The two without a connection."""
    with _both(Live.NEW, tmp_path) as found:
        yield found


@contextmanager
def _both(live: Live, folder: Path) -> Iterator[Clients]:
    headers = {"Authorization": KEY, "wix-site-id": worlds.site_id(0)}
    world = World(sites=tuple(_site(n, live) for n in range(FLEET.sites)), accounts=tuple(_accounts()))
    with (
        serving(FLEET) as server,
        running(folder, world=world, api_key=KEY) as sandbox,
        httpx.Client(base_url=server.endpoint, headers=headers, trust_env=False) as ours,
        httpx.Client(base_url=sandbox.endpoint, headers=headers, trust_env=False) as theirs,
    ):
        server.begin(live)
        yield ours, theirs


@pytest.mark.parametrize("site", range(FLEET.sites))
@pytest.mark.parametrize(
    "path",
    [
        PROVIDERS,
        f"{CONNECTIONS}?partialFailure=true",
        f"{CONNECTIONS}?scheduleIds={worlds.schedule_id(1)}&partialFailure=true",
        f"{CONNECTIONS}?scheduleIds={worlds.schedule_id(99)}",
    ],
)
def test_reads_are_the_sandbox_s(clients: Clients, path: str, site: int) -> None:
    """What a plan reads is byte for byte what the sandbox answers, and its headers are of the same kinds."""
    ours, theirs = (client.get(path, headers={"wix-site-id": worlds.site_id(site)}) for client in clients)
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    assert set(ours.headers) == set(theirs.headers)


@pytest.mark.parametrize(
    ("headers", "status"), [({"Authorization": "x"}, 401), ({"wix-site-id": worlds.site_id(7)}, 403)]
)
def test_strangers_are_refused(clients: Clients, headers: dict[str, str], status: int) -> None:
    """Without its key, and for another's site, it answers as the sandbox does."""
    assert [client.get(PROVIDERS, headers=headers).status_code for client in clients] == [status, status]


def test_writes_are_the_sandbox_s(empty: Clients) -> None:
    """Connecting, looking up, configuring and disconnecting give what the sandbox gives, but for the id and its age."""
    ours, theirs = ([_settled(answer) for answer in _applied(client)] for client in empty)
    assert ours == theirs


@pytest.mark.parametrize("live", [Live.IDS_ALONE, Live.NEW_IDS_ALONE])
def test_calendars_may_have_no_names(live: Live) -> None:
    """As the vendor's examples show them: a sync config has the ids, and the account's list the names."""
    fleet = Fleet(1, 1, by_credentials=True)
    (number,) = fleet.numbers(0)
    headers = {"Authorization": KEY, "wix-site-id": worlds.site_id(0)}
    asked = {"scheduleId": worlds.schedule_id(number)}
    with serving(fleet) as server, httpx.Client(base_url=server.endpoint, headers=headers, trust_env=False) as client:
        server.begin(live)
        if live.empty:
            client.post(f"{CONNECTIONS}:connectByCredentials", json=asked)
        (listed,) = client.get(CONNECTIONS).json()["connections"]
        named = client.get(f"{CONNECTIONS}/{listed['id']}/calendars").json()["calendars"]
    chosen = listed["syncConfig"]["listEventFromCalendars"]["calendars"]["calendars"]
    assert chosen[0] == {"id": named[0]["id"]}
    assert named[0]["name"] == "Work"


def test_the_report_is_written(tmp_path: Path) -> None:
    """A small run without peers ends with a page, a plot and the runs, and plans with two requests a site."""
    words = [sys.executable, "-m", "tests.benchmarks.fleet", "--sizes", "100", "--sites", "2", "--rounds", "1"]
    done = subprocess.run(
        [*words, "--no-warming-up", "--no-peers", "--no-waiting", "--report", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # Whether the start was quick enough is not for a busy machine to say.
    assert done.returncode in {0, 1}, done.stderr
    page = (tmp_path / "report.md").read_text()
    assert page.count("requests a site | 2.00 / 2.00 / 2.00 | ≤ 2 | reached |") == 1
    assert "| plan, 1 % changed | extcal | 100 | 2 |" in page
    assert "| plan, names pinned, 300 in 1 site: requests | 2.00 / 2.00 / 2.00 | ≤ 2 | reached |" in page
    for what in ("new connection", "new connection with a calendar by name", "update", "disconnect"):
        assert f"| {what}: requests | " in page
    assert (tmp_path / "plot.svg").read_text().count("<circle") == page.count(" | 100 | 2 |")
    runs = json.loads((tmp_path / "runs.json").read_text())
    assert {run["what"] for run in runs} >= {"start-up", "validate", "plan, agreeing", "plan, all new"}
    assert all(usage["wall"] > 0 and usage["peak"] > 0 for run in runs for usage in run["runs"])


def _applied(client: httpx.Client) -> Iterator[httpx.Response]:
    """What is sent to connect an account and give it its sync config."""
    provider = worlds.provider_of(APPLE).id(0)
    schedule = worlds.schedule_id(APPLE)
    body = {
        "providerId": provider,
        "scheduleId": schedule,
        "email": worlds.account(0, APPLE),
        "password": PASSWORD,
    }
    made = client.post(f"{CONNECTIONS}:connectByCredentials", json=body)
    yield made
    path = f"{CONNECTIONS}/{made.json()['connection']['id']}"
    yield client.get(f"{path}/calendars")
    sync = {"listEventFromCalendars": {"enabled": True, "calendars": {"calendars": [{"id": "k00003work"}]}}}
    yield client.patch(f"{path}/sync-config", json={"syncConfig": sync})
    yield client.patch(
        f"{path}/sync-config", json={"syncConfig": {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}}}
    )
    yield client.get(path)
    gone = client.post(f"{path}/disconnect", json={"connectionId": made.json()["connection"]["id"]})
    assert gone.json()["connection"]["status"] == "DISCONNECTED"
    yield gone
    listed = client.get(f"{CONNECTIONS}?scheduleIds={schedule}").json()["connections"]
    assert [each["status"] for each in listed] == ["DISCONNECTED"]


def _settled(answer: httpx.Response) -> tuple[int, Json, set[str]]:
    body = answer.json()
    for name in ("id", "status"):
        body.get("connection", {}).pop(name, None)
    return answer.status_code, body, set(answer.headers)


def _site(site: int, live: Live) -> Site:
    return Site(
        id=worlds.site_id(site),
        name=worlds.site_name(site),
        schedules=tuple(Schedule(id=worlds.schedule_id(n), name=f"Staff {n}") for n in FLEET.numbers(site)),
        providers=tuple(_provider(site, number) for number in (0, 1, APPLE)),
        connections=tuple(_connection(site, n) for n in FLEET.numbers(site)) if live is Live.AGREEING else (),
    )


def _provider(site: int, number: int) -> Provider:
    provider = worlds.provider_of(number)
    return Provider(
        id=provider.id(site),
        slug=provider.word,
        name=provider.name,
        calendar_type=provider.calendar_type,
        connect_methods=(ConnectMethod.CREDENTIALS if provider.by_credentials else ConnectMethod.OAUTH,),
        export_support=ExportSupport.DEDICATED_CALENDAR
        if provider.by_credentials
        else ExportSupport.PRIMARY_CALENDAR_ONLY,
        has_primary=not provider.by_credentials,
    )


def _connection(site: int, number: int) -> ExistingConnection:
    own = worlds.provider_of(number).by_credentials
    imports = Import(enabled=True, calendars=(f"k{number:05}work",)) if own else Import(enabled=True, primary=True)
    target = ExportTarget.DEDICATED if own else ExportTarget.PRIMARY
    live = worlds.connection(site, number, "SYNCED", {})
    return ExistingConnection(
        provider_id=worlds.provider_of(number).id(site),
        schedule_id=worlds.schedule_id(number),
        account=worlds.account(site, number),
        sync_config=SyncConfig(imports, Export(enabled=True, target=target)),
        id=str(live["id"]),
    )


def _accounts() -> Iterator[Account]:
    for site in range(FLEET.sites):
        for number in FLEET.numbers(site):
            provider = worlds.provider_of(number)
            password = PASSWORD if provider.by_credentials else None
            calendars = tuple(Calendar(str(each["id"]), str(each["name"])) for each in worlds.calendars(number))
            yield Account(provider.word, worlds.account(site, number), password, calendars)
