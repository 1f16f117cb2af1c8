"""Rounds: what they report, which sites they reconcile, and which they back off from."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.errors import UsageError
from reconciler.machine import Machine, Owner
from reconciler.model.result import OutcomeStatus
from reconciler.model.status import Health
from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.watching.figures import RoundResult
from reconciler.workflow import Selection
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    GOOGLE,
    HARBOR,
    KEY,
    PASSWORD,
    QUAY,
    connected,
    connection,
    email,
    harbor,
    quay,
    site,
    world,
)
from tests.support.servers.proxy import exporting, forgetful, stand_in
from tests.watching.inside import Inside, agreeing

OTHER_KEY = "key-of-the-quay-7f30"


def two_sites(inside: Inside) -> None:
    """Two sites, of which the second has a key that is not set yet."""
    inside.extcal.on(world(harbor(0), quay(key=OTHER_KEY)))
    second = site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY")
    inside.extcal.write(site(), second, connection(0, more=BUSY), connection(1, of="quay", more=BUSY))


def test_what_agrees_costs_two_requests_a_round_and_no_word(inside: Inside) -> None:
    """A fleet as declared is silent: two reads for each site in each round, nothing told, nothing written."""
    agreeing(inside, 0, 1)
    inside.run(lambda: None, lambda: None)
    assert inside.reports.take() == ([], [])
    assert len(inside.extcal.sandbox.requests) == 2 * 3
    assert inside.figures.sites["harbor"].requests == 6
    assert inside.figures.rounds == {RoundResult.GOOD: 3, RoundResult.PARTIAL: 0, RoundResult.FAILED: 0}


def test_drift_is_told_once_and_its_end_too(inside: Inside) -> None:
    """A connection that drifts is one line in the round that sees it first, and one when it is as declared again."""
    agreeing(inside, 0, 1)
    told: list[tuple[list[str], list[str]]] = []

    def drift() -> None:
        told.append(inside.reports.take())
        inside.extcal.write(site(), connection(0, more=EXPORTING), connection(1, more=BUSY))

    def mend() -> None:
        told.append(inside.reports.take())
        assert inside.watch.figures.sites["harbor"].pending == 1
        agreeing(inside, 0, 1)

    inside.run(drift, lambda: None, mend)
    told.append(inside.reports.take())
    quiet: tuple[list[str], list[str]] = ([], [])
    drifted = "harbor/staff-0: drifted: sync config differs in syncToCalendar.dedicatedCalendar, syncToCalendar.enabled"
    assert told == [quiet, ([drifted], []), (["harbor/staff-0: healed, ok"], [])]
    assert inside.figures.sites["harbor"].pending == 0


def test_an_owner_who_took_another_account_is_told_once(inside: Inside) -> None:
    """Both accounts stand in the line of the connection that waits, and in no other."""
    other = replace(connected(0), provider_id=GOOGLE, account=email(5))
    inside.extcal.on(world(replace(harbor(), connections=(other,))))
    inside.extcal.write(site(), connection(0, provider="google"))
    inside.run(lambda: None)
    lines, bad = inside.reports.take()
    assert bad == []
    assert [line for line in lines if "its manifest says" in line] == [
        f"harbor/staff-0: awaiting consent: {email(5)} is connected, but its manifest says {email(0)}: not adopted"
    ]


def test_nothing_is_written_unless_it_is_asked_for(inside: Inside) -> None:
    """Planning only is the default: what is missing is told and counted in round after round, and no write is sent."""
    inside.extcal.write(site(), connection(0, more=BUSY))
    inside.run(lambda: None)
    assert inside.reports.take() == (["harbor/staff-0: missing: not connected yet"], [])
    assert inside.extcal.writes == []
    assert inside.figures.sites["harbor"].connections[Health.MISSING] == 1


def test_applying_heals(inside: Inside) -> None:
    """With apply the drift is gone in the round that finds it, what was done is told, and the figures count it."""
    inside.extcal.write(site(), connection(0, more=BUSY))
    inside.run(lambda: inside.extcal.on(world(harbor(0, 1))), applies=True)
    assert inside.reports.take() == (
        ["done connect harbor/staff-0"],
        [],
    )
    figures = inside.figures.sites["harbor"]
    assert (figures.pending, figures.outcomes[OutcomeStatus.DONE]) == (0, 1)
    assert figures.connections[Health.OK] + figures.connections[Health.SYNCING] == 1


def test_nobody_is_asked_for_consent(inside: Inside) -> None:
    """A connection that its owner must approve is told and counted; no link is made, nothing failed, nobody rests."""
    inside.extcal.write(site(), connection(0, provider="google", more=BUSY), connection(1, more=BUSY))
    inside.run(lambda: None, applies=True)
    lines, bad = inside.reports.take()
    assert "harbor/staff-0: awaiting consent: not connected yet" in lines
    assert bad == []
    assert [request.path for request in inside.extcal.writes if "oauth" in request.path.lower()] == []
    assert inside.figures.sites["harbor"].connections[Health.AWAITING_CONSENT] == 1
    assert inside.reports.rounds == [RoundResult.GOOD, RoundResult.GOOD]


def test_a_failing_site_rests_and_the_others_go_on(inside: Inside) -> None:
    """Its rests grow while the others are names in each round; when it goes well it is forgiven everything."""
    two_sites(inside)

    def mend() -> None:
        inside.environ["EXTCAL_QUAY_KEY"] = OTHER_KEY

    inside.run(*[lambda: None] * 11, mend, *[lambda: None] * 8, applies=False)
    assert all("harbor" in names for names in inside.reports.site_names)
    tried = [number for number, names in enumerate(inside.reports.site_names) if "quay" in names]
    # Rests are 0.75, 1.5, 3, 6 and 12 minutes here, and rounds a minute apart.
    assert tried[:5] == [0, 1, 3, 6, 12]
    # Mended before round 12, it does not rest any longer.
    assert tried[5:] == [13, 14, 15, 16, 17, 18, 19, 20]
    lines, bad = inside.reports.take()
    assert [line for line in bad if "EXTCAL_QUAY_KEY" in line] == bad[:1]
    assert len(bad) == 1
    assert "quay: can be read again" in lines
    assert inside.figures.sites["quay"].failures == 0


def test_a_site_whose_manifests_change_rests_no_longer(inside: Inside) -> None:
    """Whoever mends a site's manifests does not wait for the end of its rest."""
    two_sites(inside)

    def change() -> None:
        second = site("quay", id_=QUAY, key="EXTCAL_OTHER_KEY")
        inside.extcal.write(site(), second, connection(0, more=BUSY), connection(1, of="quay", more=BUSY))

    inside.run(lambda: None, change, lambda: None)
    assert [("quay" in names) for names in inside.reports.site_names] == [True, True, True, False]


def test_hurrying_wakes_the_sites_that_rest(inside: Inside) -> None:
    """A round that was asked for reconciles all sites."""
    two_sites(inside)

    def hurry() -> None:
        inside.watch.hurry()

    inside.run(lambda: None, hurry, lambda: None)
    assert [("quay" in names) for names in inside.reports.site_names] == [True, True, True, False]


def test_broken_manifests_stop_nothing_but_the_round(inside: Inside) -> None:
    """Nothing is read or written of a set with a fault; it is told once, and the round after its mending goes well."""
    agreeing(inside, 0)
    told: list[tuple[list[str], list[str]]] = []

    def spoil() -> None:
        inside.extcal.sandbox.requests.clear()
        inside.extcal.write(site(), connection(0, more="syncPolicy: nowhere"), connection(2, more=BUSY))

    def look() -> None:
        assert len(inside.extcal.sandbox.requests) == 0
        assert not inside.watch.figures.manifests_valid
        told.append(inside.reports.take())

    inside.run(spoil, look, look, lambda: agreeing(inside, 0), applies=True)
    (first, again) = told
    assert first[0] == []
    assert ["nowhere" in line for line in first[1]] == [True]
    assert again == ([], [])
    assert inside.reports.take() == (["manifests, repository and this machine have no errors now"], [])
    assert inside.reports.rounds == [RoundResult.GOOD, *[RoundResult.FAILED] * 3, RoundResult.GOOD]


def test_guards_hold_in_every_round(inside: Inside) -> None:
    """What a guard forbids is told once and done never; the site is names on, since nothing of it failed."""
    inside.extcal.on(world(harbor(0, 1, 2, 3, 4)))
    inside.extcal.write(site(more="prune: true\nscope: site"), connection(0, more=BUSY))
    inside.run(lambda: None, lambda: None, applies=True)
    _, bad = inside.reports.take()
    assert [line.startswith("harbor: guard max-disconnects: 4 of 5") for line in bad] == [True]
    assert inside.extcal.writes == []
    figures = inside.figures.sites["harbor"]
    assert (figures.held_back, figures.failures, figures.pending) == (1, 0, 4)
    assert inside.reports.site_names == [["harbor"]] * 3


def test_a_site_that_is_being_applied_is_left_alone(inside: Inside) -> None:
    """Beside another run on this machine nothing is written; who holds the site is told, and it is tried again."""
    inside.extcal.write(site(), connection(0, more=BUSY))
    lock = inside.machine.site(HARBOR).lock(Owner.this_process("extcal apply"), "harbor")
    with lock:
        inside.run(applies=True)
    _, bad = inside.reports.take()
    assert ["extcal apply" in line for line in bad] == [True]
    assert inside.extcal.writes == []
    inside.run(applies=True)
    assert inside.reports.take()[0] == ["done connect harbor/staff-0"]


def test_a_failed_action_is_told_with_its_cause(inside: Inside) -> None:
    """What could not be carried out is a bad line, once, and its site rests."""
    inside.extcal.write(site(), connection(0, more=BUSY))
    inside.environ["EXTCAL_APP_PASSWORD"] = "wrong-one"
    inside.run(lambda: None, lambda: None, applies=True)
    lines, bad = inside.reports.take()
    assert len(bad) == 1
    assert "harbor/staff-0: connect failed: " in bad[0]
    assert PASSWORD not in str((lines, bad))
    assert inside.figures.sites["harbor"].outcomes[OutcomeStatus.FAILED] == 2
    assert inside.figures.sites["harbor"].failures == 2


def test_what_is_not_declared_any_longer_is_forgotten(inside: Inside) -> None:
    """The figures of a site end with its manifests."""
    two_sites(inside)
    inside.run(lambda: agreeing(inside, 0))
    assert list(inside.figures.sites) == ["harbor"]


def test_a_site_that_was_never_declared_is_wrong_usage(inside: Inside) -> None:
    """The first round shows that the command line is wrong, which ends the watch; later it is a failed round."""
    agreeing(inside, 0)

    def unknown(_desired: object) -> Selection:
        raise UsageError("--site habor: no manifest declares it; did you mean harbor?")

    inside.selection = unknown
    with pytest.raises(UsageError):
        inside.run()
    inside.selection = lambda _desired: Selection()

    def forget() -> None:
        inside.selection = unknown

    inside.run(forget)
    assert inside.reports.rounds == [RoundResult.GOOD, RoundResult.FAILED]
    assert ["--site habor" in line for line in inside.reports.take()[1]] == [True]


def test_a_round_that_changes_much_is_told_in_few_lines(inside: Inside) -> None:
    """A whole fleet that drifts at once is fifty lines and a count."""
    many = 53
    inside.extcal.on(world(harbor(schedules=many), accounts=many))
    inside.extcal.write(site(), *(connection(number, more=BUSY) for number in range(many)))
    inside.run()
    lines, _ = inside.reports.take()
    assert len(lines) == 51
    assert lines[-1] == "and 3 more; extcal status shows all"


def test_a_broken_connection_is_a_bad_line(inside: Inside) -> None:
    """What the service reports as an error, its owner should hear of."""
    agreeing(inside, 0)
    broken = replace(connected(0), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    inside.run(lambda: inside.extcal.on(world(replace(harbor(), connections=(broken,)))))
    assert inside.reports.take() == ([], ["harbor/staff-0: in error: access was revoked"])
    assert email(0) not in str(inside.figures)
    assert KEY not in str(inside.figures)


def test_an_error_without_a_word_of_ours_is_told_in_the_services(inside: Inside) -> None:
    """A word that turns into another one is news."""
    agreeing(inside, 0)

    def broken(word: str) -> Callable[[], None]:
        connection = replace(connected(0), status=Status.ERROR, error_reason=word)
        return lambda: inside.extcal.on(world(replace(harbor(), connections=(connection,))))

    inside.run(broken("ACCOUNT_SUSPENDED"), lambda: None, broken("ACCOUNT_CLOSED"))
    why = "harbor/staff-0: in error: the service reports an error"
    assert inside.reports.take() == ([], [f"{why}: ACCOUNT_SUSPENDED", f"{why}: ACCOUNT_CLOSED"])


def test_a_machine_that_is_in_the_way_is_told(inside: Inside) -> None:
    """Where there is no place for locks nothing is written; the watch goes on until there is one."""
    inside.extcal.write(site(), connection(0, more=BUSY))
    place = inside.extcal.folder / "state"
    place.write_text("no folder")
    inside.machine = Machine(place, "a service")

    def mend() -> None:
        assert not inside.watch.readiness.ready().yes
        place.unlink()

    inside.run(mend, applies=True)
    lines, bad = inside.reports.take()
    assert ["set EXTCAL_STATE_DIR to a folder that you can write to" in line for line in bad] == [True]
    assert lines == ["done connect harbor/staff-0", "manifests, repository and this machine have no errors now"]
    assert inside.reports.rounds == [RoundResult.FAILED, RoundResult.GOOD]


def test_what_did_not_take_effect_is_a_failure(inside: Inside) -> None:
    """A service that says yes and forgets is told of, and its site rests."""
    inside.extcal.on(world(harbor(0)))
    inside.extcal.write(site(), connection(0, more=EXPORTING))
    with stand_in(inside.extcal.sandbox.endpoint, forgetful, shown=exporting) as endpoint:
        inside.endpoint = endpoint
        inside.run(applies=True)
    lines, bad = inside.reports.take()
    assert lines[0] == "done update harbor/staff-0"
    assert bad == ["harbor/staff-0: still different after applying: sync config differs"]
    assert inside.figures.sites["harbor"].failures == 1


def test_what_is_not_read_is_told_once_and_its_site_not_pruned(inside: Inside) -> None:
    """A file that looks like a manifest is a line in the round that sees it first; its site prunes when it is gone."""
    inside.extcal.on(world(harbor(1, 2)))
    pruning = site(more="prune: true\nscope: site\nguards: {maxDisconnects: 100%}")
    inside.extcal.write(pruning, connection(1, more=BUSY))
    for name, text in (("staff-2.yaml.off", connection(2)), (".old/policy", POLICY), (".old/gone", GONE)):
        inside.extcal.write(text, to=f"manifests/{name}")
    inside.run(lambda: None, (inside.extcal.folder / "manifests" / "staff-2.yaml.off").unlink, applies=True)
    stray = "manifests/staff-2.yaml.off:1:1: declares apiVersion: extcal/… but is not read"
    told = [[line for line in inside.reports.lines if name in line] for name in (stray, ".old/policy", ".old/gone")]
    assert [len(lines) for lines in told] == [1, 1, 1]
    assert "; harbor is not pruned (" in told[0][0]
    assert [line for line in inside.reports.lines if "disconnect" in line] == ["done disconnect harbor/id:live-2"]


POLICY = """\
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {name: busy}
spec:
  syncConfig:
    syncToCalendar: {enabled: false}
"""
GONE = site("gone", id_=QUAY)
