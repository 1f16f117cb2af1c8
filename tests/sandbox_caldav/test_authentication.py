"""In which way a password is shown: the server's challenge decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav.backend import CalDavBackend
from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins
from reconciler.sandbox.calendars.caldav.session import ServerSession
from reconciler.sandbox.calendars.errors import BadCredentialsError, PasswordsNotTakenError, UnreachableError
from reconciler.sandbox.calendars.protocol import Login
from tests.sandbox_caldav.password_gates import BASIC, BasicGate, DigestGate
from tests.sandbox_caldav.stub import END, LOGIN, PATIENT, START
from tests.support.caldav.paper import CALENDAR, EMAIL, HOME, IS_CALENDAR, Paper, event, found, multistatus
from tests.support.caldav.scripted import Reply, scripted

if TYPE_CHECKING:
    from tests.support.caldav.scripted import Asked, Scripted

_WRONG = Login(EMAIL, "guess")


def backend_at(script: Scripted, *hosts: str) -> CalDavBackend:
    """A backend that knows nothing of the server yet."""
    return CalDavBackend(ServerSession(AllowedOrigins.of(script.url, hosts), PATIENT))


def schemes(script: Scripted) -> set[str]:
    """The ways in which the server was shown who is there."""
    return {asked.headers.get("authorization", "").partition(" ")[0] for asked in script.asked} - {""}


def use(backend: CalDavBackend) -> None:
    """Do what a sandbox does."""
    assert backend.sign_in(LOGIN) == EMAIL
    assert [each.id for each in backend.calendars(LOGIN)] == [CALENDAR]
    for _ in range(3):
        assert [each.name for each in backend.read(LOGIN, CALENDAR, START, END).objects] == ["a"]
    backend.put(LOGIN, CALENDAR, "extcal-1", event("extcal-1").encode(), etag=None)


def paper() -> Paper:
    """A server with one event, which may be written to."""
    made = Paper(replies={"PUT": Reply(201, "", {})})
    made.put("a.ics", event("a"))
    return made


@pytest.mark.parametrize("says_stale", [True, False])
@pytest.mark.parametrize("uses", [1, 2, 1000])
def test_digest(*, uses: int, says_stale: bool) -> None:
    """A server that wants digests gets them, however soon a nonce grows old; no password is ever sent."""
    gate = DigestGate(paper(), uses, says_stale=says_stale)
    with scripted(gate) as script:
        backend = backend_at(script)
        use(backend)
        use(backend)
        with pytest.raises(BadCredentialsError):
            backend.sign_in(_WRONG)
        with pytest.raises(BadCredentialsError):
            backend.read(_WRONG, CALENDAR, START, END)
        use(backend)
        assert schemes(script) == {"Digest"}
        gate.password = "another"
        with pytest.raises(BadCredentialsError):
            backend.read(LOGIN, CALENDAR, START, END)


def test_a_nonce_that_is_always_too_old() -> None:
    """A server that never takes an answer is given up after a few."""
    with scripted(DigestGate(paper(), uses=0)) as script:
        with pytest.raises(BadCredentialsError):
            backend_at(script).sign_in(LOGIN)
        assert len(script.asked) < 10


def test_a_write_shows_nothing_to_a_server_that_is_not_known() -> None:
    """Nor is it done without credentials, where everybody may write."""
    with scripted(DigestGate(paper())) as script:
        backend_at(script).put(LOGIN, CALENDAR, "extcal-1", b"x", etag=None)
        assert [asked.method for asked in script.asked] == ["PROPFIND", "PUT"]
        assert "authorization" not in script.asked[0].headers
        assert script.asked[0].body != b"x"


@pytest.mark.parametrize(
    "offered",
    ["Bearer", 'Bearer realm="x", error="no, really"', "Negotiate", "NTLM", 'Negotiate, Bearer scope="a, Basic b"'],
)
def test_servers_that_take_no_passwords(offered: str) -> None:
    """They are told from a wrong password, and get none."""
    with scripted(lambda _: Reply(401, "", {"WWW-Authenticate": offered})) as script:
        with pytest.raises(PasswordsNotTakenError, match=rf"takes no passwords.*{offered.partition(' ')[0].title()}"):
            backend_at(script).sign_in(LOGIN)
        assert schemes(script) == set()


@pytest.mark.parametrize(
    "offered",
    [
        'Digest realm="x", nonce="n", qop="auth-int"',
        'Digest realm="x", nonce="n", algorithm=SHA-512-256',
        'Digest realm="x"',
        "Digest",
        "Digest nonce",
        'Digest realm="x", nonce="n", qop="auth, ',
    ],
)
def test_digests_that_are_not_supported(offered: str) -> None:
    """It is said that it isn't the password; where Basic is offered beside, that is used."""
    with scripted(lambda _: Reply(401, "", {"WWW-Authenticate": offered})) as script:
        with pytest.raises(PasswordsNotTakenError, match="kind that isn't supported"):
            backend_at(script).sign_in(LOGIN)
        assert schemes(script) == set()
        inside = paper()
        script.answer = lambda asked: (
            inside(asked)
            if asked.headers.get("authorization") == BASIC
            else Reply(401, "", {"WWW-Authenticate": f'basic realm="y", {offered}'})
        )
        use(backend_at(script))


@pytest.mark.parametrize(
    "offered",
    [
        'Bearer realm="a, b", Basic realm="x"',
        'Digest realm="x", nonce="n", qop="auth", Basic realm="x", charset="UTF-8"',
        'BASIC realm = "x" , Negotiate',
        "",
        "nonsense=1",
    ],
)
def test_basic_where_it_is_offered_or_nothing_is(offered: str) -> None:
    """Among others too, and where the server doesn't say what it wants."""
    inside = paper()

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("authorization") == BASIC:
            return inside(asked)
        return Reply(401, "", {"WWW-Authenticate": offered} if offered else {})

    with scripted(answer) as script:
        use(backend_at(script))
        assert schemes(script) == {"Basic"}


def test_the_second_of_two_digests() -> None:
    """A server may offer a stronger algorithm before the one that is known here (RFC 7616, 3.7)."""
    gate = DigestGate(paper())

    def answer(asked: Asked) -> Reply:
        reply = gate(asked)
        if reply.status != 401:
            return reply
        first = 'Digest realm="x", nonce="m", algorithm=SHA-512-256-sess, qop="auth"'
        return Reply(401, "", {"WWW-Authenticate": f"{first}, {reply.headers['WWW-Authenticate']}"})

    with scripted(answer) as script:
        use(backend_at(script))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_away_when_it_is_first_asked(status: int) -> None:
    """It can't say that it wants digests, and is shown nothing until it can."""
    gate = DigestGate(paper())
    with scripted(lambda _: Reply(status, "", {})) as script:
        backend = backend_at(script)
        with pytest.raises(UnreachableError, match=f"answered {status}"):
            backend.sign_in(LOGIN)
        script.answer = gate
        use(backend)
        assert schemes(script) == {"Digest"}


@pytest.mark.parametrize("status", [207, 404, 403, 500])
def test_servers_that_challenge_nobody(status: int) -> None:
    """They may tell strangers nothing, or not much: the password is shown in the usual way, and still counts."""
    inside = paper()

    def answer(asked: Asked) -> Reply:
        shown = asked.headers.get("authorization")
        if shown == BASIC:
            return inside(asked)
        if shown is not None:
            return Reply(403, "", {})
        stranger = "<current-user-principal><unauthenticated/></current-user-principal>"
        return Reply(207, multistatus(found("/", stranger))) if status == 207 else Reply(status, "", {})

    with scripted(answer) as script:
        use(backend_at(script))
        with pytest.raises(BadCredentialsError):
            backend_at(script).sign_in(_WRONG)


def test_the_place_that_asks_decides() -> None:
    """An address that is open to all says nothing about the one behind it: no password goes there in another way."""
    gate = DigestGate(paper())
    answers = {"/.well-known/caldav": Reply(404, "", {})}
    with scripted(lambda asked: answers.get(asked.path) or gate(asked)) as script:
        use(backend_at(script))
        assert schemes(script) == {"Digest"}


def test_a_server_that_changes_its_mind() -> None:
    """Its new challenge is learned, once for all accounts, whichever way it goes."""
    inside = paper()
    with scripted(BasicGate(inside)) as script:
        backend = backend_at(script)
        use(backend)
        script.answer = DigestGate(inside)
        use(backend)
        script.asked.clear()
        use(backend)
        assert schemes(script) == {"Digest"}
        script.answer = BasicGate(inside)
        use(backend)
        script.asked.clear()
        use(backend)
        assert schemes(script) == {"Basic"}
        script.answer = lambda _: Reply(401, "", {"WWW-Authenticate": "Bearer"})
        with pytest.raises(PasswordsNotTakenError):
            backend.sign_in(LOGIN)


def test_each_host_is_asked_in_its_own_way() -> None:
    """What one of them takes says nothing about another, though a redirection or a home leads there."""
    inside = paper()
    with scripted(DigestGate(inside)) as other:
        home = f"<C:calendar-home-set><href>{other.url.rstrip('/')}{HOME}</href></C:calendar-home-set>"
        front = Paper(replies={"principal": Reply(body=multistatus(found("/me/", home)))})
        with scripted(BasicGate(front)) as script:
            with pytest.raises(UnreachableError, match=f"add {other.origin} to its `hosts`"):
                backend_at(script).calendars(LOGIN)
            assert other.asked == []
            backend = backend_at(script, other.origin)
            (calendar,) = backend.calendars(LOGIN)
            assert [each.name for each in backend.read(LOGIN, calendar.id, START, END).objects] == ["a"]
            assert (schemes(script), schemes(other)) == ({"Basic"}, {"Digest"})
            front.replies["principal"] = Reply(307, "", {"Location": f"{other.url}me/"})
            other.asked.clear()
            inside.replies["home"] = Reply(body=multistatus(found(f"{HOME}new/", IS_CALENDAR)))
            (calendar,) = backend_at(script, other.origin).calendars(LOGIN)
            assert calendar.id == f"{other.url.rstrip('/')}{HOME}new/"
            assert schemes(other) == {"Digest"}
