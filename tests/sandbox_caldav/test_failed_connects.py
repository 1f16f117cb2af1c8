"""A connect that fails says why: in the answer, and in the sandbox's log."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.server import running
from tests.support.caldav.paper import EMAIL, PASSWORD, Paper, found, multistatus
from tests.support.caldav.scripted import XML, Reply, scripted
from tests.support.sandbox.api import UNHURRIED, Api, client, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.support.caldav.scripted import Asked, Scripted

_KEY = "a-key-for-tests"
_LATER, _NEVER = (503, None), (428, "NOT_SUPPORTED_BY_PROVIDER")
_LONG = 700


@pytest.fixture
def script() -> Iterator[Scripted]:
    """The server of Apple's accounts."""
    with scripted(Paper()) as found_script:
        yield found_script


@pytest.fixture
def api(script: Scripted, tmp_path: Path) -> Iterator[Api]:
    """A sandbox whose Apple accounts are there."""
    config = tmp_path / "sandbox.yaml"
    config.write_text(f"apple: {{caldav: {{url: '{script.url}'}}}}\n")
    with (
        running(tmp_path / "data", api_key=_KEY, settings=UNHURRIED, config=config) as sandbox,
        client(sandbox.endpoint, _KEY) as http,
    ):
        yield Api(http)


def connecting(api: Api, password: str = PASSWORD) -> httpx.Response:
    """The answer to a connect."""
    return api.by_credentials(email=EMAIL, password=password)


def answers(reply: Reply) -> Callable[[Asked], Reply]:
    """A server that always says the same."""
    return lambda _: reply


@pytest.mark.parametrize(
    ("reply", "code", "why"),
    [
        (Reply(307, "", {"Location": "https://dav9.example/me/"}), _NEVER, "add dav9.example to its `hosts`"),
        (Reply(307, "", {"Location": "http://dav9.example/me/"}), _NEVER, "should say https"),
        (
            Reply(
                207, gzip.compress(multistatus(found("/")).encode()), {"Content-Type": XML, "Content-Encoding": "gzip"}
            ),
            _LATER,
            "turn it off there",
        ),
        (Reply(body='<!DOCTYPE d><multistatus xmlns="DAV:"/>'), _LATER, "document type"),
        (Reply(404, "", {}), _NEVER, "no CalDAV server found"),
        (Reply(200, "<html/>", {"Content-Type": "text/html"}), _NEVER, "no CalDAV server found"),
        (Reply(raw=[b"nonsense"]), _LATER, "no answer"),
        (Reply(307, "", {"Location": f"https://{PASSWORD}.example/"}), _NEVER, "contains the password"),
        (Reply(body='<red xmlns="\u202eevil"/>'), _LATER, "found <{?evil}red>"),
        (Reply(207, "", {"Content-Type": f"\x9b31m/{'x' * 5000}"}), _LATER, r"answered '\x9b31m/xxx"),
    ],
)
def test_why(
    api: Api, script: Scripted, caplog: pytest.LogCaptureFixture, reply: Reply, code: tuple[int, str | None], why: str
) -> None:
    """Each has words of its own, inert, bounded, and without the password; what no later try mends says so."""
    script.answer = answers(reply)
    answer = connecting(api)
    assert code_of(answer) == code
    message = answer.json()["message"]
    assert why in message
    assert message.isprintable()
    assert len(message) < _LONG
    (logged,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert logged.startswith(f"sandbox: apple/{EMAIL}: not connected: ")
    assert logged.partition("not connected: ")[2] == message.partition(": ")[2]
    for told in (answer.text, caplog.text):
        assert PASSWORD not in told


def test_a_server_that_takes_no_passwords(api: Api, script: Scripted) -> None:
    """It isn't supported, which is no wrong password, and not worth another try."""
    script.answer = answers(Reply(401, "", {"WWW-Authenticate": "Bearer"}))
    answer = connecting(api)
    assert code_of(answer) == (428, "NOT_SUPPORTED_BY_PROVIDER")
    assert "takes no passwords for CalDAV" in answer.json()["message"]
    assert "Bearer" in answer.json()["message"]


def test_a_wrong_password(api: Api, script: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    """It is said to be one; the log has what the server said."""
    script.answer = answers(Reply(401, "", {"WWW-Authenticate": "Basic"}))
    assert code_of(connecting(api, "a-guess")) == (401, "BAD_CREDENTIALS")
    assert "the server doesn't accept this login and password" in caplog.text
    assert "a-guess" not in caplog.text


def test_listing_calendars_says_why_too(api: Api, script: Scripted) -> None:
    """As for a connect."""
    connection = connecting(api).json()["connection"]
    script.answer = answers(Reply(500, "", {}))
    answer = api.get(f"/connections/{connection['id']}/calendars")
    assert code_of(answer) == (503, None)
    assert "answered 500" in answer.json()["message"]
