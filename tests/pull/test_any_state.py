"""Whatever is live, however it is listed, time after time: what is written plans as no change, or is named."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.model.desired import Scope
from reconciler.model.live import Calendar, LiveConnection, Provider
from reconciler.model.plan import SitePlan
from reconciler.model.sync import Direction, SyncConfig
from reconciler.pull.values import BY_SIZE, PulledSite, PullOptions
from tests.pull.live import (
    APPLE,
    AS_DOCUMENTS,
    AS_ROSTERS,
    AS_SETS,
    DEDICATED,
    GOOGLE,
    HOME,
    KIM,
    LEE,
    OFF,
    PATEL,
    PRIMARY,
    ROTA,
    SCHEDULES,
    WORK,
    chosen,
    live,
    observed,
    planned,
    pull,
    site,
)
from tests.support.profiles import examples

OLD_GOOGLE = replace(GOOGLE, id="f8b9a061-f8b3-4eed-af9d-63801dcec2a1", calendar_type="GOOGLE")
CLOSED = replace(APPLE, id="f8b9a061-f8b3-4eed-af9d-63801dcec2a2", name="Closed", calendar_type="OTHER")
CLOSED = replace(CLOSED, features=replace(CLOSED.features, connect_methods=("PIGEON",)))
UNHEARD = Provider(
    "f8b9a061-f8b3-4eed-af9d-63801dcec2a3", "Unheard", "NEW", replace(GOOGLE.features, imports="UNDEFINED")
)
GONE = replace(ROTA, id="f8b9a061-f8b3-4eed-af9d-63801dcec2a4")
OFFERED = (APPLE, GOOGLE, OLD_GOOGLE, ROTA, CLOSED, UNHEARD)

_DIRECTIONS = st.sampled_from(
    (None, OFF, Direction(), Direction(enabled=True), PRIMARY, chosen(WORK), chosen(WORK, HOME))
)
_EXPORTS = st.sampled_from((None, OFF, OFF, PRIMARY, DEDICATED, Direction(enabled=True)))
_ACCOUNTS = st.sampled_from(("lee@harbor.example", "LEE@harbor.example", "kim@harbor.example", None, "lee"))
_STATUSES = st.sampled_from(("SYNCED", "CONNECTED", "ERROR", "DISCONNECTED", "UNDEFINED", "ASLEEP"))
_REASONS = st.sampled_from((None, "TOKEN_REVOKED", "EXTERNAL_CALENDAR_DELETED", "UNDEFINED"))


class _Look:
    """One look at a site, and the same one with everything listed in another order."""

    def __init__(self, seen: PulledSite, turned: PulledSite) -> None:
        self.seen = seen
        self.turned = turned

    def __repr__(self) -> str:
        """What differs between looks."""
        lives = [
            (c.id, c.schedule_id[-2:], c.provider_id[-2:], c.account, c.status) for c in self.seen.live.connections
        ]
        return f"{self.seen.site.scope} {self.seen.site.prune} {lives} {self.seen.live.failed_provider_ids}"


@st.composite
def _lives(draw: st.DrawFn) -> list[LiveConnection]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        status = draw(_STATUSES)
        found.append(
            live(
                draw(st.sampled_from((LEE, LEE, PATEL, KIM))),
                draw(st.sampled_from((APPLE, GOOGLE, *OFFERED, GONE))),
                id=f"live-{number}",
                account=draw(_ACCOUNTS),
                status=status,
                error_reason=draw(_REASONS) if status == "ERROR" else None,
                sync=SyncConfig(draw(_DIRECTIONS), draw(_EXPORTS)),
            )
        )
    return found


@st.composite
def _looks(draw: st.DrawFn) -> list[_Look]:
    known = replace(
        site(), scope=draw(st.sampled_from(Scope)), prune=draw(st.booleans()), max_disconnects=draw(st.integers(0, 100))
    )
    looks = []
    for _ in range(3):
        lives = draw(_lives())
        failed = draw(st.sampled_from(((), (), (GOOGLE.id,), (ROTA.id, APPLE.id))))
        calendars = {one.id: tuple(Calendar(ref.id or "", ref.name or "") for ref in (WORK, HOME)) for one in lives}

        def seen() -> PulledSite:
            return observed(
                *draw(st.permutations(lives)),  # noqa: B023 - called in this turn
                of=known,
                providers=tuple(draw(st.permutations(OFFERED))),
                failed_provider_ids=failed,  # noqa: B023
                schedules=tuple(draw(st.permutations(SCHEDULES))),
                calendars=calendars,  # noqa: B023
            )

        looks.append(_Look(seen(), seen()))
    return looks


LAYOUTS = st.sampled_from((BY_SIZE, AS_DOCUMENTS, AS_SETS, AS_ROSTERS))


@examples(16)
@given(looks=_looks(), layouts=st.tuples(LAYOUTS, LAYOUTS, LAYOUTS))
def test_what_is_written_plans_as_no_change_or_is_named(looks: list[_Look], layouts: tuple[PullOptions, ...]) -> None:
    """Pulled into one folder time after time, and into another in other orders: the same bytes, and nothing to do.

    In whatever layout, also in one after another.
    """
    with tempfile.TemporaryDirectory(prefix="extcal-any-") as name:
        folder, other = Path(name) / "manifests", Path(name) / "other"
        for look, options in zip(looks, layouts, strict=True):
            before = planned(folder, look.seen) if folder.exists() else None
            done, turned = (
                pull(folder, look.seen, options=options),
                pull(other, look.turned, options=options),
            )
            assert _texts(folder) == _texts(other)
            assert [text.replace("other/", "manifests/") for text in turned.pull.failures] == [*done.pull.failures]
            assert "extcal-pull-" not in "\n".join((*done.pull.failures, *done.pull.warnings))
            _check(planned(folder, look.seen), before, look.seen, done.pull.failures, done.pull.warnings)
            assert pull(folder, look.seen, options=options).changed == []
            assert pull(folder, look.seen).changed == []
            names = [one.address for one in load([folder]).connections]
            assert len(names) == len(set(names))


def _check(
    plan: SitePlan, before: SitePlan | None, seen: PulledSite, failures: tuple[str, ...], warnings: tuple[str, ...]
) -> None:
    """A plan has nothing to do but what was there before or was named."""
    taken = {action.connection_id for action in before.actions if action.kind.disconnects} if before else set()
    broken = {one.id for one in seen.live.connections if one.status == "ERROR"}
    for action in plan.actions:
        if action.kind.disconnects:
            assert action.connection_id in taken
        elif action.kind == "reconnect":
            assert action.connection_id in broken
        elif action.kind == "connect":
            assert any(f"{action.address}: declared but not connected" in text for text in warnings)
        elif action.kind == "unmanaged":
            hidden = action.provider_id in seen.live.failed_provider_ids
            assert hidden or any(f"[{action.connection_id}] is left out: " in text for text in failures)
        elif action.kind != "noop":
            assert any(action.address in text for text in failures)
    for fault in plan.faults:
        assert any(fault.where in text for text in (*failures, *warnings))


def _texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.*")}
