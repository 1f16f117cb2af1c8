"""Promise: `extcal resolve` shows every connect that was left open and settles it, by itself or by a person's word."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.machine import Owner
from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from reconciler.sandbox.world import ExistingConnection
from tests.support.cli.command import Extcal, Json
from tests.support.cli.journals import folder_of, intent, leave_open
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import APPLE, HARBOR, PASSWORD_ENV, QUAY, connected, connection, harbor, quay, site, world

_RESOLVE = ("resolve", "manifests")
_APPLY = ("apply", "manifests", "--auto-approve")
_KEEP = ("--keep", "harbor/staff-0=live-0")
_NOTHING = "nothing to resolve there; open are: harbor/staff-0"
_CLEAN = "No connect is open, and no connection exists twice.\n"
_QUAY_KEY = "key-of-quay-optics-77"


def twin(number: int, name: str = "twin-0", **fields: object) -> ExistingConnection:
    """A second connection of the same account with the same schedule."""
    return replace(connected(number), id=name, **fields)  # type: ignore[arg-type] # fields of the value


def on(extcal: Extcal, *connections: ExistingConnection) -> None:
    """Let Harbor Dental have these connections."""
    extcal.on(world(replace(harbor(), connections=connections)))


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command, with a connection declared whose connect was left open."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0))
    leave_open(extcal, intent(0))
    extcal.sandbox.requests.clear()
    return extcal


def standing(extcal: Extcal, site_id: str = HARBOR) -> set[str]:
    """The ids of the connections that are connected."""
    rows = extcal("connections", "--site-id", site_id, "--format", "json").rows
    return {str(row["id"]) for row in rows if row["status"] != "DISCONNECTED"}


def left(extcal: Extcal, site_id: str = HARBOR) -> list[str]:
    """The addresses of what is still open."""
    return [pending.intent.address for pending in folder_of(extcal, site_id).journal.pending()]


def row(extcal: Extcal, *more: str, code: int) -> Json:
    """What resolve tells as JSON of the one connect that was left open."""
    ran = extcal(*_RESOLVE, "--format", "json", *more)
    assert ran.code == code, ran.err
    (found,) = ran.rows
    return found


def test_nothing_was_left_open(extcal: Extcal) -> None:
    """Said so, for two requests that read; without anything declared for none."""
    extcal.write(site(), connection(0))
    ran = extcal(*_RESOLVE)
    assert (ran.code, ran.out, ran.err) == (0, _CLEAN, "")
    assert [request.method for request in extcal.sandbox.requests] == ["GET", "GET"]
    assert extcal(*_RESOLVE, "--format", "json").rows == []


def test_one_that_has_made_something_is_adopted(armed: Extcal) -> None:
    """What appeared is what it has made: told, closed, and apply goes on without connecting."""
    on(armed, connected(0), connected(1))
    ran = armed(*_RESOLVE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "settled    harbor/staff-0  apple staff0@harbor-dental.example\n"
        "           it has made live-0\n"
        "\n"
        "1 settled, 0 left open. Apply goes on from here.\n"
    )
    assert left(armed) == []
    assert armed(*_RESOLVE).out == _CLEAN
    assert (armed(*_APPLY).code, armed.writes) == (0, [])


def test_one_that_has_made_nothing_is_closed(armed: Extcal) -> None:
    """Long after it was sent nothing is there: closed, and apply connects."""
    told = row(armed, code=0)
    assert told == {
        "address": "harbor/staff-0",
        "site_id": HARBOR,
        "schedule_id": "3e47ec65-2975-447c-a7ed-000000000000",
        "provider": "apple",
        "account": "staff0@harbor-dental.example",
        "settled": True,
        "finding": "nothing",
        "ending": "nothing",
        "connections": [],
        "kept": None,
        "disconnected": [],
        "error": None,
    }
    assert left(armed) == []
    assert armed(*_APPLY).code == 0
    assert len(standing(armed)) == 1


def test_several_are_shown_and_nothing_is_done_without_a_word(armed: Extcal) -> None:
    """Which of two connections stays is nobody's guess: both are shown, with what to call; apply refuses the site."""
    on(armed, connected(0), twin(0, email_shown=False))
    ran = armed(*_RESOLVE)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == (
        "LEFT OPEN  harbor/staff-0  apple staff0@harbor-dental.example\n"
        "           2 connections appeared where one was meant:\n"
        "             live-0 (SYNCED, staff0@harbor-dental.example)\n"
        "             twin-0 (SYNCED, account not shown)\n"
        "           to keep the first and disconnect those that show its account: "
        "extcal resolve manifests --keep harbor/staff-0=live-0\n"
        "\n"
        "0 settled, 1 left open. Until they are settled, none of them is applied.\n"
    )
    told = row(armed, code=1)
    assert (told["settled"], told["finding"], told["ending"]) == (False, "several", None)
    assert told["connections"] == [
        {"id": "live-0", "status": "SYNCED", "account": "staff0@harbor-dental.example"},
        {"id": "twin-0", "status": "SYNCED", "account": None},
    ]
    stopped = armed(*_APPLY)
    assert stopped.code == 1
    assert "extcal resolve PATH --keep harbor/staff-0=ID" in stopped.err
    assert armed.writes == []
    assert left(armed) == ["harbor/staff-0"]


@pytest.mark.parametrize(("kept", "gone"), [("live-0", "twin-0"), ("twin-0", "live-0")])
def test_the_one_that_is_named_stays(armed: Extcal, kept: str, gone: str) -> None:
    """--keep disconnects the others, and no more than those; apply goes on with the one that stays."""
    on(armed, connected(0), twin(0), connected(1))
    ran = armed(*_RESOLVE, "--keep", f"harbor/staff-0={kept}", "--auto-approve")
    assert (ran.code, ran.err) == (0, "")
    assert f"{kept} stays; disconnected: {gone}\n" in ran.out
    assert standing(armed) == {kept, "live-1"}
    assert [request.path.split("/")[-2:] for request in armed.writes] == [[gone, "disconnect"]]
    assert left(armed) == []
    assert armed(*_APPLY).code == 0
    assert len(armed.writes) == 1


def test_without_a_terminal_nothing_is_disconnected(armed: Extcal) -> None:
    """Where nobody can be asked and --auto-approve is not there, it is wrong usage, and nothing is closed either."""
    on(armed, connected(0), twin(0))
    ran = armed(*_RESOLVE, *_KEEP)
    assert (ran.code, ran.out, armed.writes) == (64, "", [])
    assert "Add --auto-approve" in ran.err
    assert left(armed) == ["harbor/staff-0"]


@pytest.mark.parametrize(("keys", "code"), [("y\n", 0), pytest.param("n\n", 1, marks=pytest.mark.soak), ("\x03", 130)])
def test_a_person_is_asked(armed: Extcal, keys: str, code: int) -> None:
    """On a terminal it is asked what goes; anything but yes, Ctrl-C too, changes nothing."""
    on(armed, connected(0), twin(0))
    with terminal(armed, *_RESOLVE, *_KEEP) as at:
        at.expect("Disconnect 1? [y/N]:")
        assert "harbor/staff-0: keeping live-0, disconnecting twin-0\n" in at.seen
        assert armed.writes == []
        at.answer("[y/N]:", keys)
        assert at.ended() == code
        assert ("Nothing was changed." in at.seen) is bool(code)
    assert standing(armed) == ({"live-0", "twin-0"} if code else {"live-0"})
    assert bool(left(armed)) is bool(code)


def test_what_is_another_s_once_a_person_has_thought_it_over_stays(armed: Extcal) -> None:
    """What was to go is looked up again: it is another account's by then, so nothing is changed, and it stays open."""
    on(armed, connected(0), twin(0))
    with terminal(armed, *_RESOLVE, *_KEEP) as at:
        at.expect("Disconnect 1? [y/N]:")
        on(armed, connected(0), twin(0, account=connected(1).account))
        at.answer("[y/N]:", "y\n")
        assert at.ended() == 1
    assert "it is another's since" in at.seen
    assert standing(armed) == {"live-0", "twin-0"}
    assert left(armed) == ["harbor/staff-0"]


def test_what_can_not_be_seen_stays_open_until_it_is_forgotten(armed: Extcal) -> None:
    """While its provider can't be reached nothing is known: exit 1, why, and how to go on; --forget closes it."""
    on(armed, connected(0))
    armed.sandbox.set_provider_down(APPLE, down=True)
    ran = armed(*_RESOLVE)
    assert ran.code == 1
    assert "           what it has made can't be seen: the service can't reach the provider\n" in ran.out
    assert "close it: extcal resolve manifests --forget harbor/staff-0\n" in ran.out
    told = row(armed, "--keep", "harbor/staff-0=live-0", code=1)
    assert (told["settled"], told["finding"]) == (False, "unlisted")
    assert told["error"] == "the service can't reach the provider"
    forgotten = armed(*_RESOLVE, "--forget", "harbor/staff-0")
    assert (forgotten.code, left(armed)) == (0, [])
    assert "           forgotten: whatever it has made is planned as any other connection\n" in forgotten.out
    assert armed.writes == []


def test_several_can_be_forgotten_too(armed: Extcal) -> None:
    """Who has looked for himself closes it without disconnecting anything."""
    on(armed, connected(0), twin(0))
    told = row(armed, "--forget", "harbor/staff-0", code=0)
    assert (told["settled"], told["ending"], told["kept"], told["disconnected"]) == (True, "forgotten", None, [])
    assert (standing(armed), left(armed)) == ({"live-0", "twin-0"}, [])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--keep", "harbor/staff-0"), "Write SITE/NAME=ID"),
        (("--keep", "=live-0"), "Write SITE/NAME=ID"),
        (("--keep", "harbor/staff-0="), "Write SITE/NAME=ID"),
        ((*_KEEP, "--keep", "harbor/staff-0=twin-0"), "harbor/staff-0 is given twice"),
        ((*_KEEP, "--forget", "harbor/staff-0"), "--keep and --forget exclude each other"),
        (("--keep", "harbor/staff-1=live-0"), _NOTHING),
        (("--forget", "staff-1"), _NOTHING),
        (("--keep", "harbor/staff-0=live-9"), "its connect has made live-0, twin-0"),
        (("--keep", "harbor/staff-0=live-1"), "its connect has made live-0, twin-0"),
    ],
)
def test_what_makes_no_sense_is_refused(armed: Extcal, args: Sequence[str], said: str) -> None:
    """A word about nothing, about what it has not made, or against itself is wrong usage, and changes nothing."""
    on(armed, connected(0), twin(0), connected(1))
    ran = armed(*_RESOLVE, *args, "--auto-approve")
    assert (ran.code, ran.out, armed.writes) == (64, "", [])
    assert said in ran.err
    assert left(armed) == ["harbor/staff-0"]


@pytest.mark.parametrize(("there", "made"), [((), "nothing"), ((connected(0),), "live-0")])
def test_a_word_that_has_become_wrong_is_refused(armed: Extcal, there: Sequence[ExistingConnection], made: str) -> None:
    """Where the one to be kept is no longer there, another is not taken for it."""
    on(armed, *there)
    ran = armed(*_RESOLVE, "--keep", "harbor/staff-0=twin-0", "--auto-approve")
    assert ran.code == 64
    assert f"--keep harbor/staff-0=twin-0: its connect has made {made}" in ran.err
    assert left(armed) == ["harbor/staff-0"]


def test_what_can_not_be_disconnected_stays_open(armed: Extcal) -> None:
    """A refusal is told beside the connect, which is not said to be settled; the next time it is tried again."""
    on(armed, connected(0), twin(0))
    armed.sandbox.inject(Faults((Fault(Answer(403), on={Operation.DISCONNECT}),)))
    try:
        ran = armed(*_RESOLVE, *_KEEP, "--auto-approve")
    finally:
        armed.sandbox.inject(None)
    assert ran.code == 1
    assert "LEFT OPEN  harbor/staff-0" in ran.out
    assert "           Disconnect: HTTP 403" in ran.out
    assert "0 settled, 1 left open." in ran.out
    assert left(armed) == ["harbor/staff-0"]
    assert armed(*_RESOLVE, *_KEEP, "--auto-approve").code == 0
    assert (standing(armed), left(armed)) == ({"live-0"}, [])


def test_what_went_meanwhile_is_no_failure(armed: Extcal) -> None:
    """One that somebody else disconnected between the look and the word is gone, as it was to be."""
    on(armed, connected(0), twin(0))
    armed.sandbox.inject(Faults((Fault(Answer(404), on={Operation.DISCONNECT}),)))
    try:
        ran = armed(*_RESOLVE, *_KEEP, "--auto-approve")
    finally:
        armed.sandbox.inject(None)
    assert (ran.code, left(armed)) == (0, [])


def test_a_site_that_has_another_name_by_now_is_the_same(armed: Extcal) -> None:
    """What was left open under a name that no manifest uses any longer is found by the site's id, and settled."""
    on(armed, connected(0), twin(0))
    armed.write(site("quayside"), connection(0, of="quayside"))
    ran = armed(*_RESOLVE, *_KEEP, "--auto-approve")
    assert (ran.code, ran.err) == (0, "")
    assert (standing(armed), left(armed)) == ({"live-0"}, [])


def test_one_site_does_not_hold_up_the_others(armed: Extcal) -> None:
    """A site that is locked, or whose journal is broken, is told; the others are settled; the exit code is 1."""
    armed.on(world(harbor(0), quay(key=_QUAY_KEY)))
    armed.env["EXTCAL_QUAY_KEY"] = _QUAY_KEY
    elsewhere = intent(5, site="quay", site_id=QUAY)
    path = leave_open(armed, elsewhere)
    armed.write(site(), site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY"), connection(0))
    with folder_of(armed, QUAY).lock(Owner("a test", 77, "ops", "quay-1"), "quay"):
        ran = armed(*_RESOLVE, "--forget", "quay/staff-5")
    assert ran.code == 1
    assert "quay is being applied by process 77 of ops@quay-1 (a test) since" in ran.err
    assert "1 settled, 0 left open." in ran.out
    assert (left(armed), left(armed, QUAY)) == ([], ["quay/staff-5"])
    leave_open(armed, intent(0))
    path.write_bytes(path.read_bytes() + b"garbage\n")
    ran = armed(*_RESOLVE)
    assert ran.code == 1
    assert f"{path}:2: not a line of a journal" in ran.err
    assert left(armed) == []


def test_a_locked_site_is_not_said_to_be_clean(armed: Extcal) -> None:
    """Where nothing could be looked at, it is not said that nothing was left open."""
    with folder_of(armed).lock(Owner("a test", 77, "ops", "quay-1"), "harbor"):
        ran = armed(*_RESOLVE)
    assert (ran.code, ran.out) == (1, "")
    assert left(armed) == ["harbor/staff-0"]


def test_a_hostile_id_is_quoted_and_inert(armed: Extcal) -> None:
    """The command that is advised can be pasted: what the service chose stays one word, without control characters."""
    on(armed, twin(0, "$(reboot)\x1b]0;x\x07; rm -rf ~"), twin(0, "'; echo"))
    ran = armed(*_RESOLVE)
    assert ran.code == 1
    assert "--keep 'harbor/staff-0=$(reboot)]0;x; rm -rf ~'" in ran.out
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out
