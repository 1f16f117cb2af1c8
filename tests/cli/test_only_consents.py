"""`apply --only-consents`: what is done without anybody who approves it is about owners that an apply has awaited."""

from dataclasses import replace

import pytest

from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from reconciler.sandbox.world import ExistingConnection
from tests.support.cli.command import Extcal
from tests.support.cli.journals import folder_of
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    GOOGLE,
    HARBOR,
    PASSWORD_ENV,
    QUAY,
    connected,
    connection,
    email,
    harbor,
    quay,
    schedule_id,
    site,
    world,
)

_READING_NOTHING = "syncConfig: {listEventFromCalendars: {enabled: false}}"
_QUAY_KEY = "key-of-quay-optics-77f0"
_APPLY = ("apply", "manifests", "--auto-approve", "--consent", "skip")
_FINISH = (*_APPLY, "--only-consents")


def by_owner(number: int) -> ExistingConnection:
    """What an owner has connected by their consent; its sync config is the provider's."""
    return ExistingConnection(GOOGLE, schedule_id(number), email(number), id=f"agreed-{number}")


def agree(extcal: Extcal, *connections: ExistingConnection) -> None:
    """Let these be what the site has, and count writes from here."""
    extcal.on(world(replace(harbor(), connections=connections)))


def awaited(number: int, more: str = EXPORTING) -> str:
    """The manifest of a connection that takes its owner."""
    return connection(number, provider="google", more=more)


@pytest.fixture
def awaiting(extcal: Extcal) -> Extcal:
    """The command, after an apply that awaits the owners 0 and 1."""
    extcal.env |= PASSWORD_ENV
    folder_of(extcal)
    extcal.write(site(), awaited(0), awaited(1))
    assert extcal(*_APPLY).code == 3
    return extcal


def requested(extcal: Extcal) -> list[str]:
    """Who is awaited, by address."""
    return [request.address for request in folder_of(extcal).consent_requests.read()]


def test_what_an_owner_agreed_to_is_finished_and_nothing_else(awaiting: Extcal) -> None:
    """The new connection gets its sync config; drift, a password, a tombstone and what is undeclared are left alone."""
    awaiting.write(
        site(more="prune: true\nscope: site"),
        awaited(0),
        awaited(1),
        connection(2, more=BUSY),
        connection(3, more=EXPORTING),
        connection(4, more="state: absent"),
    )
    agree(awaiting, by_owner(0), connected(3), connected(4), connected(5))
    ran = awaiting(*_FINISH)
    assert (ran.code, [request.path.split("/")[-2:] for request in awaiting.writes]) == (
        3,
        [["agreed-0", "sync-config"]],
    ), ran.out + ran.err
    assert "harbor/staff-1" in ran.out
    assert not [name for name in ("staff-2", "staff-3", "staff-4", "live-5") if name in ran.out]
    assert requested(awaiting) == ["harbor/staff-1"]
    agree(awaiting, by_owner(1))
    assert (awaiting(*_FINISH).code, len(awaiting.writes), requested(awaiting)) == (0, 1, [])


def test_what_could_not_be_finished_is_finished_another_time(awaiting: Extcal) -> None:
    """A sync config that the service has refused is set by the next run: until then it is known who has agreed."""
    agree(awaiting, by_owner(0), by_owner(1))
    awaiting.sandbox.inject(Faults((Fault(Answer(403), on={Operation.UPDATE_SYNC_CONFIG}),)))
    try:
        assert awaiting(*_FINISH).code == 1
    finally:
        awaiting.sandbox.inject(None)
    assert requested(awaiting) == ["harbor/staff-0", "harbor/staff-1"]
    assert awaiting(*_FINISH).code == 0
    assert requested(awaiting) == []


def test_an_owner_whom_no_apply_has_awaited_is_not_asked(awaiting: Extcal) -> None:
    """What was merged and not applied gets no link: neither a new connection nor a new account of one."""
    awaiting.write(site(), awaited(0).replace(email(0), email(6)), awaited(1), awaited(2))
    ran = awaiting("apply", "manifests", "--auto-approve", "--only-consents", "--consent", "link")
    asked = [request for request in awaiting.writes if "connectByOAuth" in request.path]
    assert (ran.code, len(asked), len(awaiting.writes)) == (3, 1, 1), ran.out + ran.err
    assert "harbor/staff-1" in ran.out
    assert "harbor/staff-0" not in ran.out + ran.err
    assert "harbor/staff-2" not in ran.out + ran.err


@pytest.mark.parametrize(
    "now",
    [
        [site(more="prune: true"), connection(0, more=BUSY)],
        [site(), awaited(0, "state: absent")],
        [site(), connection(0, more=BUSY).replace("provider: apple", "provider: {name: Tidewater Rota}")],
        [site(more="prune: true\nscope: site")],
    ],
    ids=["by password", "absent", "another provider", "gone"],
)
def test_what_a_manifest_says_instead_by_now_is_not_done(awaiting: Extcal, now: list[str]) -> None:
    """The address is awaited, and what is asked for by now is not about its consent: nothing is written."""
    awaiting.write(*now)
    agree(awaiting, by_owner(0), connected(5))
    ran = awaiting(*_FINISH)
    assert awaiting.writes == [], ran.out + ran.err


@pytest.mark.parametrize("agreed", [False, True], ids=["not agreed", "agreed"])
@pytest.mark.parametrize(
    ("was", "now"),
    [
        (schedule_id(0), schedule_id(7)),
        (EXPORTING, _READING_NOTHING),
        ("redirectUrl: https://", "redirectUrl: https://evil.example/"),
    ],
    ids=["another schedule", "another sync config", "another page to land on"],
)
def test_what_was_merged_after_the_approval_awaits_an_apply(
    awaiting: Extcal, was: str, now: str, *, agreed: bool
) -> None:
    """The address and the account are awaited, what is declared for them is new: nothing is sent, which is told."""
    documents = [each.replace(was, now) for each in (site(), awaited(0))]
    assert documents != [site(), awaited(0)]
    awaiting.write(*documents)
    agree(awaiting, *([by_owner(0)] if agreed else []))
    ran = awaiting("apply", "manifests", "--auto-approve", "--only-consents", "--consent", "link")
    assert awaiting.writes == [], ran.out + ran.err
    assert "harbor/staff-0: not as it was approved, so it awaits an apply; nothing is done" in ran.out + ran.err


def test_an_approved_apply_approves_what_has_changed(awaiting: Extcal) -> None:
    """Applied with another sync config while the owner is awaited, that one is set once they have agreed."""
    awaiting.write(site(), awaited(0, _READING_NOTHING))
    assert awaiting(*_APPLY).code == 3
    agree(awaiting, by_owner(0))
    assert awaiting(*_FINISH).code == 0
    assert len(awaiting.writes) == 1


def test_another_site_under_the_name_of_one_gets_none_of_its_owners(awaiting: Extcal) -> None:
    """Two sites that change names by a merge: who is awaited on one is not asked to connect to the other."""
    awaiting.env |= {"EXTCAL_QUAY_KEY": _QUAY_KEY}
    awaiting.on(world(harbor(), quay(key=_QUAY_KEY)))
    awaiting.write(
        site(id_=QUAY, key="EXTCAL_QUAY_KEY"), site("quay", id_=HARBOR), awaited(0), connection(1, of="quay")
    )
    ran = awaiting("apply", "manifests", "--auto-approve", "--only-consents", "--consent", "link")
    assert awaiting.writes == [], ran.out + ran.err


def test_what_would_replace_a_connection_awaits_an_apply(extcal: Extcal) -> None:
    """An account that takes another's place disconnects that one: no matter who agreed, it is left to an apply."""
    extcal.env |= PASSWORD_ENV
    folder_of(extcal)
    extcal.write(site(more="prune: true\nguards: {maxDisconnects: 100%}"), awaited(0))
    agree(extcal, connected(0))
    assert extcal(*_APPLY).code == 3
    assert requested(extcal) == ["harbor/staff-0"]
    extcal.sandbox.requests.clear()
    ran = extcal(*_FINISH[:-2], "link", "--only-consents")
    assert (ran.code, extcal.writes) == (0, []), ran.out + ran.err


def test_where_nobody_is_awaited_nobody_is_asked(extcal: Extcal) -> None:
    """Without an apply before it on this machine there is nothing to do, for no request at all."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), awaited(0), connection(1))
    ran = extcal(*_FINISH)
    assert (ran.code, list(extcal.sandbox.requests)) == (0, []), ran.out + ran.err


def test_a_file_that_can_not_be_read_is_told(awaiting: Extcal) -> None:
    """Who is awaited is not guessed: exit 1, the file is named, and nothing is asked."""
    path = folder_of(awaiting).path / "consent-requests"
    path.write_bytes(b"{")
    awaiting.sandbox.requests.clear()
    ran = awaiting(*_FINISH)
    assert (ran.code, awaiting.writes) == (1, [])
    assert str(path) in ran.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--plan", "x.plan", "--consent", "link"), "Leave --plan out"),
        (("manifests", "--consent", "poll"), "waits for nobody"),
        (("manifests", "--consent", "wait"), "waits for nobody"),
        (
            ("manifests", "--consent", "link", "--runner", "dask", "--scheduler", "tcp://127.0.0.1:1"),
            "Leave --runner out",
        ),
    ],
)
def test_what_makes_no_sense_with_it_is_refused(extcal: Extcal, args: tuple[str, ...], said: str) -> None:
    """Wrong usage is told before anything is read."""
    ran = extcal("apply", "--only-consents", "--auto-approve", *args)
    assert (ran.code, said in ran.err) == (64, True), ran.err
