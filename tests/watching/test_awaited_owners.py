"""Since when owners are awaited: by the records of this machine, else since a round first saw it."""

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.model.account import Account
from reconciler.sandbox.contract import ErrorReason, Status
from tests.support.cli.worlds import GOOGLE, HARBOR, connected, connection, email, harbor, site, world
from tests.watching.inside import MINUTE, Inside

RECORDED = datetime(2029, 12, 24, 18, tzinfo=UTC)


def awaiting(inside: Inside, *numbers: int) -> None:
    """Google accounts that nobody has connected."""
    inside.extcal.write(site(), *(connection(number, provider="google") for number in numbers))


def since(inside: Inside) -> float | None:
    """Since when somebody is awaited longest."""
    return inside.watch.figures.sites["harbor"].awaited_since


def test_the_watch_remembers_when_it_saw_it_first(inside: Inside) -> None:
    """Rounds do not make it younger, another owner does not either, and it ends when no owner is needed any more."""
    inside.extcal.on(world(harbor()))
    awaiting(inside, 0)
    found: list[float | None] = []

    def another() -> None:
        found.append(since(inside))
        awaiting(inside, 0, 1)

    def only_the_other() -> None:
        found.append(since(inside))
        awaiting(inside, 1)

    def nobody() -> None:
        found.append(since(inside))
        inside.extcal.write(site())

    inside.run(another, only_the_other, nobody)
    first = found[0]
    assert first is not None
    assert found == [first, first, first + MINUTE]
    assert since(inside) is None


def test_what_an_apply_has_written_down_is_older(inside: Inside) -> None:
    """Where a run of this machine has found it before, since then; a record of another account is of somebody else."""
    requests = inside.machine.site(HARBOR).consent_requests
    requests.await_consent("harbor/staff-0", Account(email(0).upper()), RECORDED)
    requests.await_consent("harbor/staff-1", Account("former@harbor-dental.example"), RECORDED.replace(year=2020))
    inside.extcal.on(world(harbor()))
    awaiting(inside, 0, 1)
    inside.run()
    assert since(inside) == RECORDED.timestamp()


def test_a_record_that_cannot_be_read_fails_no_round(inside: Inside) -> None:
    """The watch knows what it has seen itself."""
    inside.machine.site(HARBOR).make()
    (inside.machine.site(HARBOR).path / "consent-requests").write_text("{", encoding="utf-8")
    inside.extcal.on(world(harbor()))
    awaiting(inside, 0)
    inside.run()
    assert since(inside) is not None
    assert not inside.reports.bad


def test_a_site_that_is_not_read_for_a_while_keeps_since_when(inside: Inside) -> None:
    """An owner is awaited no shorter for a key that did not work in between."""
    inside.extcal.on(world(harbor()))
    awaiting(inside, 0)
    found: list[float | None] = []
    key = inside.environ["EXTCAL_API_KEY"]

    def lose_the_key() -> None:
        found.append(since(inside))
        inside.environ["EXTCAL_API_KEY"] = "not-the-key-of-the-sandbox"

    def find_it() -> None:
        found.append(since(inside))
        assert not inside.watch.figures.sites["harbor"].up
        inside.environ["EXTCAL_API_KEY"] = key

    inside.run(lose_the_key, find_it, lambda: None)
    assert inside.watch.figures.sites["harbor"].up
    assert {*found, since(inside)} == {found[0]}
    assert found[0] is not None


def test_who_must_bring_it_out_of_an_error_is_awaited_too(inside: Inside) -> None:
    """Access that was revoked is given again by its owner alone."""
    revoked = replace(connected(0), provider_id=GOOGLE, status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    inside.extcal.on(world(replace(harbor(), connections=(revoked,))))
    awaiting(inside, 0)
    inside.run()
    assert since(inside) is not None
