"""Runs schemathesis, as its command, on a sandbox: requests from the contract's OpenAPI file, answers held to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from hypothesis.configuration import storage_directory

from reconciler.sandbox.contract import CalendarType, ConnectMethod, ErrorReason, ExportSupport, ImportSupport, Status
from reconciler.sandbox.seed import SITE_ID, harbor_dental
from reconciler.sandbox.world import Account, Calendar, CalendarEvent, ExistingConnection, Provider, Site, World
from tests.support.sandbox.api import APPLE_EMAIL, APPLE_PASSWORD, KIM, LEE, PATEL, Api, client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.sandbox.server import RunningSandbox

OPENAPI = Path(__file__).parents[2] / "schemas" / "external-calendars-v2.openapi.yaml"

PHASES = ("examples", "coverage", "fuzzing", "stateful")

_CONFIG = Path(__file__).with_suffix(".toml")
_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_APPLE, _GOOGLE, _ROTA = (
    "f8b9a061-f8b3-4eed-af9d-63801dcec25d",
    "e58e2ae6-8651-41ab-907d-063e056d30f9",
    "ba3b456a-fe48-4f02-a055-dd1b6002b6f1",
)
_SYNCED = tuple(f"stands-synced-{number}" for number in range(8))  # several: cases disconnect them
_BROKEN, _ENDED, _BARE = "stands-broken", "stands-ended", "stands-bare"
_CALENDARS = ("k93wqe", "a68yu6")
_MAX_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run found: `phases` holds each phase's status, `accepted` how many valid requests each operation took."""

    cases: int
    failures: int
    errors: int
    phases: dict[str, str]
    accepted: dict[str, int]
    exit_code: int
    output: str


def world() -> World:
    """A site on which everything can happen, with so few events that a case takes milliseconds.

    A provider that connects by credentials comes first: the links of the OpenAPI file go on from the first one.
    """
    lunch = CalendarEvent("Lunch", _NOON, _NOON + timedelta(hours=1))
    calendars = tuple(Calendar(each, "Lunches", (lunch,)) for each in _CALENDARS)
    connections = (
        *(ExistingConnection(_APPLE, LEE, APPLE_EMAIL, id=each) for each in _SYNCED),
        ExistingConnection(_APPLE, KIM, APPLE_EMAIL, Status.ERROR, ErrorReason.EXTERNAL_CALENDAR_DELETED, id=_BROKEN),
        ExistingConnection(_GOOGLE, PATEL, APPLE_EMAIL, Status.DISCONNECTED, id=_ENDED),
        ExistingConnection(_ROTA, PATEL, APPLE_EMAIL, email_shown=False, id=_BARE),
    )
    harbor = harbor_dental(_NOON).sites[0]
    site = Site(
        id=SITE_ID,
        name=harbor.name,
        schedules=harbor.schedules,
        providers=_providers(),
        connections=connections,
        instance_id=harbor.instance_id,
    )
    accounts = tuple(Account(each.slug, APPLE_EMAIL, APPLE_PASSWORD, calendars) for each in site.providers)
    return World(sites=(site,), accounts=accounts)


def fuzz(
    sandbox: RunningSandbox,
    folder: Path,
    *,
    seed: int,
    examples: int,
    phases: Sequence[str] = PHASES,
    operations: Sequence[str] = (),
) -> Verdict:
    """Run schemathesis on `sandbox`, which holds `world()`; files are made in `folder`.

    `examples` cases at most for each operation while fuzzing, and as many walks over the links. The same seed makes the
    same cases, as far as the answers that they depend on are the same. Without `operations`, all are asked.
    """
    config, report = folder / f"{seed}.toml", folder / f"{seed}.json"
    config.write_text(_config(sandbox))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(OPENAPI)]
    command += ["--url", sandbox.endpoint, "--seed", str(seed), "--max-examples", str(examples)]
    command += ["--phases", ",".join(phases)]
    for operation in operations:
        command += ["--include-operation-id", operation]
    command += ["--no-color", "--report-json-path", str(report)]
    # What is measured is the sandbox, which runs in this process; the fuzzer would only be slowed down.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    # Where hypothesis keeps its tables of Unicode, which take seconds to make.
    environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(storage_directory().path.absolute())
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_MAX_SECONDS, cwd=folder, env=environment, check=False
    )
    output = f"{done.stdout}\n{done.stderr}"
    assert report.exists(), output
    return _verdict(json.loads(report.read_text()), done.returncode, output)


def _providers() -> tuple[Provider, ...]:
    apple = Provider(
        id=_APPLE,
        slug="apple",
        name="Apple",
        calendar_type=CalendarType.I_CAL,
        export_support=ExportSupport.DEDICATED_CALENDAR,
    )
    google = Provider(
        id=_GOOGLE,
        slug="google",
        name="Google",
        calendar_type=CalendarType.GOOGLE,
        connect_methods=(ConnectMethod.OAUTH,),
    )
    rota = Provider(
        id=_ROTA,
        slug="rota",
        name="Rota",
        update_sync_config=False,
        import_support=ImportSupport.PRIMARY_CALENDAR_ONLY,
        export_support=ExportSupport.NOT_SUPPORTED,
    )
    return (apple, google, rota)


def _config(sandbox: RunningSandbox) -> str:
    app: Any = sandbox.ready()["app"]
    with client(sandbox.endpoint, sandbox.api_key) as http:
        day = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z", "cursorPaging.limit": 1}
        events = Api(http).get("/events", day).json()
        schedules = http.post("/calendar/v3/schedules/query", json={"query": {"cursorPaging": {"limit": 1}}}).json()
    return Template(_CONFIG.read_text()).substitute(
        app,
        api_key=sandbox.api_key,
        site=SITE_ID,
        connections=json.dumps([*_SYNCED, _BROKEN, _ENDED, _BARE]),
        providers=json.dumps([_APPLE, _GOOGLE, _ROTA]),
        schedules=json.dumps([LEE, PATEL]),
        calendars=json.dumps(_CALENDARS),
        email=APPLE_EMAIL,
        password=APPLE_PASSWORD,
        instance=app["instance_id"],
        event_cursor=events["pagingMetadata"]["cursors"]["next"],
        schedule_cursor=schedules["pagingMetadata"]["cursors"]["next"],
    )


def _verdict(report: Any, exit_code: int, output: str) -> Verdict:  # noqa: ANN401 -- JSON of another program
    return Verdict(
        cases=report["test_cases"]["generated"],
        failures=report["test_cases"]["with_failures"],
        errors=report["test_cases"]["errored"] + len(report["errors"]),
        phases={name: phase["status"] for name, phase in report["phases"].items()},
        accepted={
            operation: sum(phase["accepted"] for phase in phases.values())
            for operation, phases in report["valid_rates"].items()
        },
        exit_code=exit_code,
        output=output,
    )
