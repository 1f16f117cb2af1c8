"""Answers that are errors: which error they become, and what it says."""

import re

import pytest

from reconciler.api.exchange import ExchangeLimits
from reconciler.api.retry import Backoff
from reconciler.api.session import SessionLimits
from reconciler.errors import (
    ApiError,
    InvalidRequestError,
    MalformedAnswerError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitedError,
    ResponseError,
    ServiceError,
    UnauthenticatedError,
)
from tests.api.conftest import OpenSession
from tests.support.builders.api import API_KEY, PASSWORD, PASSWORD_REF, app_site, run
from tests.support.servers.scripted import Reply, Scripted

ONCE = SessionLimits(exchange=ExchangeLimits(backoff=Backoff(tries=1)))
NAMED = {"x-wix-request-id": "1700000000.1234"}


def application(code: str, description: str = "as the service puts it") -> dict[str, object]:
    """An application error's body."""
    return {"message": "m", "details": {"applicationError": {"code": code, "description": description, "data": {}}}}


def caught_while_reading(opened: OpenSession) -> ApiError:
    """The error that ListProviders ends with, without another try."""

    async def story() -> ApiError:
        async with opened(limits=ONCE) as session:
            with pytest.raises(ApiError) as caught:
                await session.reader().list_providers()
            return caught.value

    return run(story())


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, InvalidRequestError, ""),
        (401, UnauthenticatedError, "check the API key (env:EXTCAL_API_KEY)"),
        (403, PermissionDeniedError, "needs the permission «Manage External Calendars» on this site"),
        (404, NotFoundError, "plan again"),
        (409, ResponseError, ""),
        (428, PreconditionFailedError, ""),
        (429, RateLimitedError, "try again in a minute"),
        (500, ServiceError, "try again later"),
        (503, ServiceError, "try again later"),
        (599, ServiceError, "try again later"),
        (204, ResponseError, ""),
        (304, ResponseError, "set the endpoint"),
    ],
)
def test_every_status_has_its_class(
    status: int, kind: type[ResponseError], advice: str, server: Scripted, opened: OpenSession
) -> None:
    """The class follows the status; the text has status, method, message, advice and request id."""
    server.script(Reply({"message": "as the service puts it"} if status not in {204, 304} else None, status, NAMED))
    error = caught_while_reading(opened)
    assert type(error) is kind
    assert isinstance(error, ResponseError)
    assert (error.status, error.code, error.request_id) == (status, None, "1700000000.1234")
    assert error.doubtful == (not 400 <= status < 500)
    text = str(error)
    assert text.startswith(f"ListProviders: HTTP {status}: ")
    assert text.endswith("(request id 1700000000.1234)")
    assert advice in text
    if status not in {204, 304}:
        assert "as the service puts it" in text


@pytest.mark.parametrize(
    ("code", "status", "advice"),
    [
        (
            "PREMIUM_FEATURE_NOT_ENABLED",
            403,
            "the site's plan does not include connecting accounts by password: upgrade",
        ),
        ("NOT_SUPPORTED_BY_PROVIDER", 428, "extcal providers"),
        ("CONNECTION_NOT_CONNECTED", 428, "connected again"),
        ("CONNECTION_ALREADY_DISCONNECTED", 428, "nothing is left to do"),
        ("BAD_CREDENTIALS", 401, "check the account's email and its password (env:EXTCAL_LEE_APP_PASSWORD)"),
        ("SOMETHING_NEW", 403, "«Manage External Calendars»"),
    ],
)
def test_codes_have_advice(code: str, status: int, advice: str, server: Scripted, opened: OpenSession) -> None:
    """An application error shows its code, its description, and what to do about that code."""
    server.script(Reply(application(code), status))

    async def story() -> ResponseError:
        async with opened() as session:
            with pytest.raises(ResponseError) as caught:
                await session.writer().connect_by_credentials("p", "s", "lee@harbor-dental.example", PASSWORD_REF)
            return caught.value

    error = run(story())
    assert error.code == code
    assert not error.doubtful
    assert f"HTTP {status} {code}: as the service puts it; " in str(error)
    assert advice in str(error)
    assert len(server.asked) == 1


def test_violations_name_their_fields(server: Scripted, opened: OpenSession) -> None:
    """A validation error lists fields and what is wrong with them, a few of them."""
    violations = [{"field": f"query.field{n}", "description": "must be a GUID"} for n in range(8)]
    odd: list[object] = [{"ruleName": "MAX_SIZE"}, "odd", {}, {"field": 7, "description": None}]
    server.script(Reply({"message": "", "details": {"validationError": {"fieldViolations": odd + violations}}}, 400))
    error = caught_while_reading(opened)
    assert isinstance(error, InvalidRequestError)
    assert error.fields == tuple(f"query.field{n}" for n in range(8))
    text = str(error)
    assert "request: MAX_SIZE; request: is not valid; query.field0: must be a GUID; " in text
    assert "; and 5 more" in text
    assert "field7" not in text


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"<html><body>Bad gateway</body></html>",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 50_000,
        b'{"message": 5, "details": []}',
        b'{"details": {"applicationError": "x", "validationError": {"fieldViolations": "y"}}}',
        b'{"message": "' + b"x" * 100_000 + b'"}',
    ],
)
def test_bodies_without_an_explanation(body: bytes | None, server: Scripted, opened: OpenSession) -> None:
    """Empty, foreign, odd and overlong bodies are not shown: the status speaks."""
    server.script(Reply(body, 502))
    text = str(caught_while_reading(opened))
    assert text == "ListProviders: HTTP 502: the service gave no explanation (Bad Gateway); try again later"


def test_a_status_without_a_name(server: Scripted, opened: OpenSession) -> None:
    """A status that HTTP does not know is shown by its number."""
    server.script(Reply(None, 499))
    assert str(caught_while_reading(opened)) == "ListProviders: HTTP 499: the service gave no explanation"


def test_text_from_the_service_is_harmless(server: Scripted, opened: OpenSession) -> None:
    """What the service says loses controls, what is never drawn, secrets, commands of a CI, and length."""
    hostile = (
        f"\x1b[2Jkey {API_KEY[:5]}\u200b{API_KEY[5:]}\r\n\u202egnp\u2028 \ud800\u3164 ##[add-mask] " + "long " * 500
    )
    server.script(Reply(application("C" * 300 + "\x07", hostile), 400, {"x-wix-request-id": "r" * 300}))
    error = caught_while_reading(opened)
    text = str(error)
    assert text.isprintable()
    assert API_KEY not in text
    assert "[2Jkey [secret] gnp # #[add-mask] long" in text
    assert len(text) < 1000


@pytest.mark.parametrize("location", ["https://evil.example/login?key=1", "", "/elsewhere"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int, location: str, server: Scripted, opened: OpenSession) -> None:
    """Credentials never follow a redirect; the error names where it leads and what to do."""
    server.script(Reply(None, status, {"Location": location} if location else {}))
    text = str(caught_while_reading(opened))
    assert f"HTTP {status}: redirected to {location.partition('?')[0] or 'nowhere'}, which is not followed" in text
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the answer: expected JSON, found nothing"),
        (b"<html>", "the answer: expected JSON, found something else"),
        (b'{"providers": NaN}', "the answer: expected JSON, found something else"),
        (b'{"providers": ' + b"1" * 5000 + b"}", "the answer: expected JSON, found something else"),
        (b"\xff", "the answer: expected JSON, found something else"),
        (b"9" * 5_000, "the answer: expected JSON, found something else"),
        (b'{"providers": [' + b"9" * 5_000 + b"]}", "the answer: expected JSON, found something else"),
        (b"[" * 50_000, "the answer: expected JSON nested a few levels, found hundreds"),
        (b"[]", "the answer: expected an object, found a list"),
        (b'{"providers": {}}', "providers: expected a list, found an object"),
        (b'{"providers": [null]}', r"providers\[0\]: expected an object, found nothing"),
        (b'{"providers": [{}]}', r"providers\[0\].id: expected text, found nothing"),
        (b'{"providers": [{"id": ""}]}', r"providers\[0\].id: expected text"),
        (b'{"providers": [{"id": 7}]}', r"providers\[0\].id: expected text, found a number"),
        (b'{"providers": [{"id": "\\ud800"}]}', r"providers\[0\].id: expected text in whole characters"),
        (b'{"providers": [{"id": "p", "name": true}]}', r"providers\[0\].name: expected text, found true or false"),
        (
            b'{"providers": [{"id": "p", "features": {"updateSyncConfig": "yes"}}]}',
            r"providers\[0\].features.updateSyncConfig: expected true or false, found text",
        ),
        (
            b'{"providers": [{"id": "p", "features": {"connectMethods": ["OAUTH", 1]}}]}',
            r"features.connectMethods\[1\]: expected text, found a number",
        ),
    ],
)
def test_answers_that_break_the_contract(body: bytes, message: str, server: Scripted, opened: OpenSession) -> None:
    """A wrong shape is an error that says what was expected where, with the request id and without the body."""
    server.script(Reply(body, headers=NAMED))
    error = caught_while_reading(opened)
    assert type(error) is MalformedAnswerError
    assert error.doubtful
    assert str(error).startswith("ListProviders: unexpected answer: ")
    assert str(error).endswith(" (request id 1700000000.1234)")
    assert re.search(message, str(error))


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server: Scripted, opened: OpenSession) -> None:
    """A body over the limit is given up."""
    server.script(Reply(b'"' + b"x" * 200_000))

    async def story() -> None:
        async with opened(limits=SessionLimits(exchange=ExchangeLimits(largest=100_000))) as session:
            with pytest.raises(MalformedAnswerError, match="expected at most 100000 bytes, found more"):
                await session.reader().list_providers()

    run(story())


def test_an_answer_that_is_not_compressed_as_it_says(server: Scripted, opened: OpenSession) -> None:
    """A body that does not unpack is an answer that breaks the contract."""
    server.script(Reply(b"no gzip at all", headers={"Content-Encoding": "gzip"}))
    assert "not compressed as it says" in str(caught_while_reading(opened))


def test_an_app_is_told_what_to_check(server: Scripted, opened: OpenSession) -> None:
    """When a token is refused, the error names the references of the app, and no value."""
    server.script(Reply(application("X", f"client {PASSWORD}"), 401))

    async def story() -> None:
        async with opened(app_site()) as session:
            with pytest.raises(
                UnauthenticatedError, match=r"CreateAccessToken: HTTP 401 X: .* secret \(env:EXTCAL_APP_SECRET\)"
            ):
                await session.reader().list_providers()

    run(story())
