"""Promise: no write is sent that rests on a read whose answer came more than two seconds before.

And reads are shared all the same: what a run asks of a site is little more than what it writes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from reconciler.execution.site_view import LOOK_SECONDS
from reconciler.sandbox.faults import WRITES, Answer, Fault, Faults
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import (
    EXPORTING,
    HARBOR,
    KEY,
    PASSWORD_ENV,
    connection,
    harbor,
    site,
    world,
)
from tests.support.servers.proxy import stand_in

_CONNECTIONS = "/bookings/v2/external-calendars/connections"
_CHANGED = "the live state that it rests on has changed since it was planned; plan again"
_MANY = 40
_BY_NAME = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Work]}}"
_ABSENT = "state: absent"


@contextmanager
def _limited_while_somebody_acts(extcal: Extcal) -> Iterator[None]:
    """The first write is told to wait longer than a read is good for; meanwhile somebody disconnects `live-0`."""
    extcal.sandbox.inject(
        Faults((Fault(Answer(429, headers=(("Retry-After", str(int(LOOK_SECONDS) + 1)),)), on=WRITES, times=1),))
    )
    endpoint, acted = extcal.sandbox.endpoint, list[str]()

    def passing(method: str, path: str) -> tuple[str, str]:
        if method == "GET" and acted == ["write"]:
            acted.append("disconnect")
            httpx.post(
                f"{endpoint}{_CONNECTIONS}/live-0/disconnect",
                headers={"Authorization": KEY, "wix-site-id": HARBOR},
                trust_env=False,
            )
        if method != "GET" and not acted:
            acted.append("write")
        return method, path

    with stand_in(endpoint, passing) as extcal.env["EXTCAL_ENDPOINT"]:
        try:
            yield
        finally:
            extcal.sandbox.inject(None)


@pytest.mark.parametrize("saved", [False, True], ids=["from manifests", "saved plan"])
@pytest.mark.parametrize("more", [EXPORTING, _ABSENT], ids=["update", "disconnect"])
def test_what_others_change_while_a_write_must_wait_is_seen(extcal: Extcal, more: str, *, saved: bool) -> None:
    """The write is not sent a second time on what was there before the wait: the action is skipped and says why."""
    extcal.on(world(harbor(0, 1)))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0, more=more), connection(1))
    what = ["manifests"]
    if saved:
        assert extcal("plan", "manifests", "--out", "plan.json").code == 0
        what = ["--plan", "plan.json"]
    with _limited_while_somebody_acts(extcal):
        ran = extcal("apply", *what, "--auto-approve")
    # Somebody's disconnect is one of the writes that the sandbox saw.
    ours = [request.status for request in extcal.writes if not request.path.endswith("live-0/disconnect")]
    if more is _ABSENT:
        assert (ran.code, [request.status for request in extcal.writes]) == (0, [429, 200])
    else:
        assert (ran.code, ours) == (1, [429])
        assert _CHANGED in ran.out


def test_a_write_that_had_to_wait_is_sent_where_nothing_has_changed(extcal: Extcal) -> None:
    """It is read again first, and then the write goes after all."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=EXPORTING))
    extcal.sandbox.inject(
        Faults((Fault(Answer(429, headers=(("Retry-After", str(int(LOOK_SECONDS) + 1)),)), on=WRITES, times=1),))
    )
    try:
        began = time.monotonic()
        ran = extcal("apply", "manifests", "--auto-approve")
    finally:
        extcal.sandbox.inject(None)
    assert (ran.code, [request.status for request in extcal.writes]) == (0, [429, 200])
    assert time.monotonic() - began > LOOK_SECONDS
    # Planning, before the write, before it was sent again, afterwards; more where the machine is slow.
    assert sum(request.path == _CONNECTIONS for request in extcal.sandbox.requests) >= 4


@pytest.mark.parametrize(
    ("more", "stands", "each"),
    [(EXPORTING, False, 2), (_BY_NAME, False, 3), (EXPORTING, True, 1), (_ABSENT, True, 1)],
    ids=["new", "new by name", "update", "disconnect"],
)
def test_a_change_costs_hardly_more_than_its_writes(extcal: Extcal, more: str, each: int, *, stands: bool) -> None:
    """Forty of a kind at once: what they need, planning and looking back, and a read for every two seconds."""
    live = range(_MANY) if stands else ()
    extcal.on(world(harbor(*live, schedules=_MANY), accounts=_MANY))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), *(connection(number, more=more) for number in range(_MANY)))
    began = time.monotonic()
    ran = extcal("apply", "manifests", "--auto-approve", "--allow", "max-disconnects:harbor")
    looks = 1 + (time.monotonic() - began) / LOOK_SECONDS
    assert (ran.code, ran.out.splitlines()[-1]) == (0, f"Applied: {_MANY} done.")
    # Two to plan, one for a site of which nothing is seen yet, one to look back.
    assert len(extcal.sandbox.requests) <= _MANY * each + 4 + looks
