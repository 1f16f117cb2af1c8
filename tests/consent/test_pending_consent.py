"""What owners bring back is read before it is believed; everything else goes on meanwhile; the report is true."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urlsplit

import httpx
import pytest

from reconciler.model.desired import State
from reconciler.model.result import OutcomeStatus, Result
from reconciler.model.sync import SyncConfig
from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, World
from reconciler.sandbox.world import Site as LiveSite
from tests.consent.awaited_apply import Applying
from tests.consent.owners import allow, allow_only, deny
from tests.support import web
from tests.support.builders.plans import OFF, OTHER_SCHEDULE, PRUNING, SCHEDULE, SITE, chosen, declared
from tests.support.sandbox.site import APPLE, ELSEWHERE, GOOGLE, KIM, LEE
from tests.support.timeouts import TIMEOUT

_WORK = SyncConfig(chosen("Work"), OFF)
_MINE = declared(provider="google", sync=_WORK)
_KIMS = declared("kim", provider="google", account=KIM, schedule=ELSEWHERE, sync=_WORK)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox whose world each test puts in place."""
    with running(tmp_path_factory.mktemp("sandbox"), world=World()) as found:
        yield found


@pytest.fixture
def applying(sandbox: RunningSandbox) -> Applying:
    """Applying on a site with two schedules, Google and Apple, and nothing connected."""
    put(sandbox)
    return Applying(sandbox)


def put(sandbox: RunningSandbox, *connections: ExistingConnection) -> None:
    """Give the sandbox a world with these connections."""
    providers = (
        Provider(APPLE, "apple", "Apple", "I_CAL", ("CREDENTIALS",)),
        Provider(GOOGLE, "google", "Google", "GOOGLE", ("OAUTH",)),
    )
    schedules = (Schedule(SCHEDULE, "Dr. Lee"), Schedule(OTHER_SCHEDULE, "Dr. Kim"))
    site = LiveSite(SITE.site_id, "Harbor", schedules=schedules, providers=providers, connections=connections)
    calendars = (Calendar("w1", "Work"), Calendar("h1", "Home"))
    people = [Account("google", email, None, calendars) for email in (LEE, KIM)]
    sandbox.replace_world(World((site,), (*people, Account("apple", LEE, "right-one", calendars))))


def standing(account: str, schedule: str = SCHEDULE, provider: str = GOOGLE, id_: str = "old") -> ExistingConnection:
    """A healthy connection that is there from the start."""
    return ExistingConnection(provider, schedule, account, id=id_)


def ended(result: Result) -> dict[str, tuple[OutcomeStatus, str | None]]:
    """How each action ended, by name."""
    return {o.action.address.partition("/")[2]: (o.status, o.error) for o in result.outcomes}


def test_a_connection_is_made_and_configured_in_the_same_run(applying: Applying) -> None:
    """Owner and sync config in one go: done, nothing left to do, and the page names what was connected."""
    pages: list[httpx.Response] = []
    result = applying(SITE, [_MINE], lee=lambda link, _back: pages.append(allow(link, LEE)))
    assert ended(result) == {"lee": (OutcomeStatus.DONE, None)}
    assert result.unsettled == ()
    (connection,) = applying.live(SITE)
    assert result.outcomes[0].connection_id == connection.id
    assert connection.sync.imports is not None
    assert [calendar.id for calendar in connection.sync.imports.calendars] == ["w1"]
    assert pages[0].status_code == 200
    assert LEE in pages[0].text
    assert result.outcomes[0].consent_url is None


def test_several_owners_are_waited_for_at_once_and_nothing_else_waits(applying: Applying) -> None:
    """More owners than a site has slots hold up neither each other nor a connect by password."""
    names = [f"owner{n}" for n in range(6)]
    many = [
        declared(name, provider="google", account=f"{name}@harbor.example", schedule=_MINE.schedule) for name in names
    ]
    awaited = {*names, "apple"}

    def came(name: str) -> None:
        awaited.discard(name)
        if not awaited:
            applying.interrupt()

    # Nobody answers: that all are asked, and the connect by password is done, is what ends the wait.
    applying.told = lambda outcome: came(outcome.action.address.partition("/")[2])
    apple = declared("apple", sync=_WORK)
    result = applying(SITE, [*many, apple], **{name: lambda _link, _back, name=name: came(name) for name in names})
    assert ended(result)["apple"] == (OutcomeStatus.DONE, None)
    waiting = {status for name, (status, _) in ended(result).items() if name != "apple"}
    assert waiting == {OutcomeStatus.AWAITING_CONSENT}


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        ("deny", "its owner refused access; ask them and apply again, or remove its manifest"),
        ("unsupported", "the provider does not connect this kind of account"),
        (
            "internal",
            "the service or the provider failed; apply again after 5 to 10 minutes for a new link",
        ),
    ],
)
def test_a_refusal_fails_alone_and_connects_nothing(applying: Applying, outcome: str, why: str) -> None:
    """No, an unsupported account, a fault at the provider: said in the report, the other owner's connect done."""

    def refuse(link: str, _back: str) -> None:
        if outcome == "deny":
            deny(link)
        else:
            allow(link, LEE, outcome=outcome)

    result = applying(SITE, [_MINE, _KIMS], lee=refuse, kim=lambda link, _back: allow(link, KIM))
    status, error = ended(result)["lee"]
    assert status is OutcomeStatus.FAILED
    assert (error or "").startswith(why)
    assert ended(result)["kim"] == (OutcomeStatus.DONE, None)
    assert [str(connection.account) for connection in applying.live(SITE)] == [KIM]


def test_another_account_is_not_adopted(applying: Applying) -> None:
    """Made with another account: both addresses and the way out are told; nothing is configured or taken away."""
    pages: list[httpx.Response] = []
    result = applying(SITE, [_MINE], lee=lambda link, _back: pages.append(allow(link, KIM)))
    status, error = ended(result)["lee"]
    assert status is OutcomeStatus.FAILED
    assert error == (
        f"{KIM} was connected, but its manifest says {LEE}: not adopted, no sync config set. If {KIM} is right, "
        f"declare account: {KIM}. If not, disconnect it in the site's dashboard, or with a manifest that has state: "
        "absent, and apply again for a new link"
    )
    assert "Another account was expected" in pages[0].text
    assert KIM in pages[0].text
    assert LEE in pages[0].text
    (connection,) = applying.live(SITE)
    assert (str(connection.account), connection.status) == (KIM, "CONNECTED")
    assert result.remaining is not None
    (warning,) = result.remaining.sites[0].warnings
    assert warning.startswith(f"harbor/lee: {KIM} is connected, but its manifest says {LEE}: not adopted")


def test_foreign_connections_are_not_believed(applying: Applying, sandbox: RunningSandbox) -> None:
    """An id of nothing, of another schedule, of another provider: nothing changes, and the true answer still counts."""
    put(sandbox, standing(LEE, OTHER_SCHEDULE, id_="elsewhere"), standing(LEE, provider=APPLE, id_="apple"))
    codes: list[int] = []

    def forge(link: str, back: str) -> None:
        for forged in ("elsewhere", "apple", "../providers", "<script>alert(1)</script>"):
            page = web.get(f"{back}?connectionId={quote(forged)}")
            codes.append(page.status_code)
            assert "script>" not in page.text
        codes.append(allow(link, LEE).status_code)

    result = applying(SITE, [_MINE], lee=forge)
    assert codes == [400, 400, 400, 400, 200]
    assert ended(result) == {"lee": (OutcomeStatus.DONE, None)}
    written = {r.path.split("/")[5] for r in applying.sandbox.requests if r.method == "PATCH"}
    assert not written & {"elsewhere", "apple"}


def test_a_flood_of_forged_callbacks_ends_the_wait(applying: Applying) -> None:
    """Who keeps sending untrue answers gets no more requests to the service out of it than a few."""

    def flood(_link: str, back: str) -> None:
        for number in range(8):
            web.get(f"{back}?connectionId=forged-{number}")

    result = applying(SITE, [_MINE], lee=flood)
    status, error = ended(result)["lee"]
    assert status is OutcomeStatus.FAILED
    assert "callbacks named other connections" in (error or "")
    asked = [r.path for r in applying.sandbox.requests if "/connections/forged-" in r.path]
    assert len(asked) == 5


def test_an_id_that_another_owner_brought_counts_for_nobody_else(applying: Applying) -> None:
    """One owner's true answer, sent to the other's address, is foreign there."""
    made: list[str] = []
    connected = threading.Event()

    def kim(link: str, _back: str) -> None:
        landing = allow_only(link, KIM)
        made.append(urlsplit(landing).query)
        assert web.get(landing).status_code == 200
        connected.set()

    def lee(link: str, back: str) -> None:
        assert connected.wait(TIMEOUT)
        assert web.get(f"{back}?{made[0]}").status_code == 400
        assert allow(link, LEE).status_code == 200

    result = applying(SITE, [_MINE, _KIMS], lee=lee, kim=kim)
    assert {status for status, _ in ended(result).values()} == {OutcomeStatus.DONE}


def test_a_replayed_callback_changes_nothing(applying: Applying) -> None:
    """The landing page opened again, by its owner or by somebody else, is told so; one connection, one sync config."""
    codes: list[int] = []

    def twice(link: str, _back: str) -> None:
        landing = allow_only(link, LEE)
        codes.extend(web.get(landing).status_code for _ in range(2))
        applying.interrupt()

    # Somebody else is waited for, so that the listener still stands.
    result = applying(SITE, [_MINE, _KIMS], lee=twice)
    assert codes == [200, 410]
    assert ended(result)["lee"] == (OutcomeStatus.DONE, None)
    (connection,) = applying.live(SITE)
    assert len([r for r in applying.sandbox.requests if r.method == "PATCH" and connection.id in r.path]) == 1


def test_nobody_comes_back(applying: Applying) -> None:
    """After the timeout the action still awaits consent, and the report says what to do."""
    applying.timeout = 0.5
    result = applying(SITE, [_MINE])
    status, error = ended(result)["lee"]
    assert status is OutcomeStatus.AWAITING_CONSENT
    assert (error or "").endswith("apply again for a new link")
    assert applying.live(SITE) == ()


def test_an_owner_who_agreed_elsewhere_is_found(applying: Applying) -> None:
    """A browser on another machine can't come back here: when the wait ends, the connection is found and finished."""
    applying.timeout, applying.at_once = 0.5, True
    result = applying(SITE, [_MINE], lee=lambda link, _back: allow_only(link, LEE))
    assert ended(result) == {"lee": (OutcomeStatus.DONE, None)}
    assert result.unsettled == ()


def test_interrupted_while_waiting(applying: Applying) -> None:
    """Who is waited for stays awaiting consent; what was done before stays done; the wait ends at once."""

    def agree(link: str, _back: str) -> None:
        allow(link, KIM)
        applying.interrupt()

    result = applying(SITE, [_MINE, _KIMS], kim=agree)
    assert result.interrupted
    assert ended(result) == {
        "lee": (OutcomeStatus.AWAITING_CONSENT, "interrupted before its owner answered"),
        "kim": (OutcomeStatus.DONE, None),
    }


def test_a_replace_gives_up_the_old_one_in_the_same_run(applying: Applying, sandbox: RunningSandbox) -> None:
    """Once the owner of the new account has agreed, the old connection is given up, and not before."""
    put(sandbox, standing(KIM))
    before: list[str] = []

    def look_first(link: str, _back: str) -> None:
        before.extend(connection.status for connection in applying.live(SITE))
        allow(link, LEE)

    result = applying(PRUNING, [_MINE], lee=look_first)
    assert before == ["SYNCED"]
    assert ended(result) == {"lee": (OutcomeStatus.DONE, None)}
    assert {(str(c.account), c.status == "DISCONNECTED") for c in applying.live(SITE)} == {(LEE, False), (KIM, True)}


def test_a_replace_whose_owner_says_no_gives_up_nothing(applying: Applying, sandbox: RunningSandbox) -> None:
    """A refusal leaves the old connection as it was."""
    put(sandbox, standing(KIM))
    result = applying(PRUNING, [_MINE], lee=lambda link, _back: deny(link))
    assert ended(result)["lee"][0] is OutcomeStatus.FAILED
    assert [(str(c.account), c.status) for c in applying.live(SITE)] == [(KIM, "SYNCED")]


def test_a_revoked_connection_is_healed_by_its_owner(applying: Applying, sandbox: RunningSandbox) -> None:
    """A reconnect ends in the same connection, healthy."""
    broken = replace(standing(LEE), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    put(sandbox, broken)
    result = applying(SITE, [_MINE], lee=lambda link, _back: allow(link, LEE))
    assert ended(result) == {"lee": (OutcomeStatus.DONE, None)}
    assert [(c.id, c.status != "ERROR") for c in applying.live(SITE)] == [("old", True)]


def test_what_comes_back_broken_is_not_called_connected(applying: Applying, sandbox: RunningSandbox) -> None:
    """A connection that is the right one and does not work fails, with the service's reason."""
    broken = replace(standing(LEE), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    put(sandbox, broken)
    pages: list[httpx.Response] = []
    result = applying(SITE, [_MINE], lee=lambda _link, back: pages.append(web.get(f"{back}?connectionId=old")))
    status, error = ended(result)["lee"]
    assert status is OutcomeStatus.FAILED
    assert "the service reports TOKEN_REVOKED" in (error or "")
    assert "Connected, but not working" in pages[0].text


def test_an_account_that_is_not_shown_is_not_believed(applying: Applying, sandbox: RunningSandbox) -> None:
    """While the service does not say with which account, nothing is adopted: it still awaits, and a later run sees."""
    pages: list[httpx.Response] = []

    def agree(_link: str, back: str) -> None:
        put(sandbox, replace(standing(LEE, id_="new"), email_shown=False))
        pages.append(web.get(f"{back}?connectionId=new"))

    result = applying(SITE, [_MINE], lee=agree)
    status, error = ended(result)["lee"]
    assert status is OutcomeStatus.AWAITING_CONSENT
    assert "does not show the account yet" in (error or "")
    assert "Almost there" in pages[0].text


def test_what_can_not_be_read_is_not_believed(applying: Applying, sandbox: RunningSandbox) -> None:
    """Where the service refuses to show the connection, its owner is told so, and the outcome is unknown."""
    pages: list[httpx.Response] = []

    def agree(link: str, _back: str) -> None:
        landing = allow_only(link, LEE)
        sandbox.replace_world(World())
        pages.append(web.get(landing))

    result = applying(SITE, [_MINE], lee=agree)
    status, error = ended(result)["lee"]
    assert status is OutcomeStatus.UNKNOWN
    assert "could not be read; apply again to check it" in (error or "")
    assert "Not checked yet" in pages[0].text


def test_a_dependent_waits_for_its_owner_and_is_skipped_truthfully(applying: Applying, sandbox: RunningSandbox) -> None:
    """What must come after a connect that still awaits consent is skipped, and says so."""
    put(sandbox, standing(KIM), standing(LEE, OTHER_SCHEDULE, id_="frees"))
    applying.timeout = 0.5
    # Lee's account is to move here from the other schedule, where Kim's takes its place.
    result = applying(PRUNING, [_MINE, _KIMS])
    statuses = {status for status, _ in ended(result).values()}
    assert statuses == {OutcomeStatus.AWAITING_CONSENT, OutcomeStatus.SKIPPED}
    (why,) = [error for status, error in ended(result).values() if status is OutcomeStatus.SKIPPED]
    assert (why or "").endswith("which must go first, is awaiting-consent")
    assert {c.status for c in applying.live(SITE)} == {"SYNCED"}


def test_a_tombstone_needs_no_owner(applying: Applying, sandbox: RunningSandbox) -> None:
    """Taking away what was named does not wait for anybody."""
    put(sandbox, standing(LEE))
    result = applying(SITE, [replace(_MINE, state=State.ABSENT)])
    assert ended(result) == {"lee": (OutcomeStatus.DONE, None)}
