"""The listener answers its own address, truly and briefly, whatever comes; nothing of a request is repeated."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import httpx
import pytest

from reconciler.api.redaction import Redactor
from reconciler.consent.callback_server import serve_callbacks
from reconciler.consent.pending import PendingConsent, PendingConsents
from reconciler.model.account import Account
from reconciler.model.consent import Callback, CallbackResult, CallbackStatus, ConsentRefusal
from tests.consent.owners import action
from tests.support import web
from tests.support.timeouts import TIMEOUT

_ID = "Ab-_9" * 30


def meet(
    browse: Callable[[PendingConsent], None], *results: CallbackResult, redact: Callable[[str], str] = str
) -> list[Callback]:
    """Wait for an owner while `browse` runs as their browser, and tell the results in turn; what was brought."""

    async def met(pending: PendingConsents) -> list[Callback]:
        brought: list[Callback] = []

        async def receive(consent: PendingConsent) -> None:
            for result in results:
                brought.append(await consent.receive())
                consent.reply(result)

        with pending.open(action()) as consent:
            receiving = asyncio.create_task(receive(consent))
            await asyncio.to_thread(browse, consent)
            receiving.cancel()
            await asyncio.wait([receiving])
        return brought

    with serve_callbacks(redact=redact) as pending:
        return asyncio.run(met(pending))


@contextmanager
def connection_to(url: str) -> Iterator[socket.socket]:
    """A bare connection to the listener."""
    parts = urlsplit(url)
    with closing(socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT)) as found:
        yield found


def everything(connection: socket.socket) -> bytes:
    """All that comes until the listener closes."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_no_page_shows_a_secret() -> None:
    """What an account is called is the service's word, and it may repeat what it was told in confidence."""
    redactor, pages = Redactor(), list[str]()
    redactor.learn("sea<gull&lantern")
    meet(
        lambda consent: pages.append(web.get(f"{consent.redirect_url}?connectionId={_ID}").text),
        CallbackResult(CallbackStatus.CONNECTED, Account("lee sea<gull&lantern")),
        redact=redactor.redact,
    )
    assert "lee [secret]" in pages[0]
    assert "lantern" not in pages[0]


def test_a_browser_brings_a_connection_and_is_shown_the_result() -> None:
    """What the browser says is handed over as it is, and the page follows from the result."""

    def browse(consent: PendingConsent) -> None:
        page = web.get(f"{consent.redirect_url}?connectionId={_ID}")
        assert page.status_code == 200
        assert "Connected" in page.text
        assert "lee@harbor.example" in page.text
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert "server" not in page.headers
        assert "<script" not in page.text

    assert meet(browse, CallbackResult(CallbackStatus.CONNECTED, Account("lee@harbor.example"))) == [Callback(_ID)]


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ("reject", ConsentRefusal.REJECT),
        ("unsupported", ConsentRefusal.UNSUPPORTED),
        ("internal", ConsentRefusal.INTERNAL),
        ("<script>alert(1)</script>", ConsentRefusal.INTERNAL),
    ],
)
def test_a_browser_brings_an_error(error: str, refusal: ConsentRefusal) -> None:
    """The API's three words are known; whatever else it says counts as internal and is shown nowhere."""

    def browse(consent: PendingConsent) -> None:
        page = web.get(f"{consent.redirect_url}?error={quote(error)}")
        assert "<script" not in page.text
        assert "alert" not in page.text

    assert meet(browse, CallbackResult(CallbackStatus.INTERNAL)) == [Callback(refusal)]


@pytest.mark.parametrize("status", list(CallbackStatus))
def test_every_result_has_a_page_that_says_what_to_do(status: CallbackStatus) -> None:
    """No result leaves the owner without a heading, a reason, and a way to go on."""
    pages: list[str] = []
    meet(
        lambda consent: pages.append(web.get(f"{consent.redirect_url}?connectionId=x").text),
        CallbackResult(status, Account("a@b")),
    )
    assert pages[0].count("<h1>") == 1
    assert pages[0].count("<p>") >= 2
    assert "close this window" in pages[0] or "new link" in pages[0]
    assert "{" not in pages[0].partition("</style>")[2]


def test_hostile_names_stay_text() -> None:
    """Whatever an account is called, it is shown as text, without characters that reorder what stands around it."""
    evil = "<b onclick=x>\u202egnp.\"'&amp;{account}"
    pages: list[str] = []
    result = CallbackResult(CallbackStatus.CONNECTED, Account(evil))
    meet(lambda consent: pages.append(web.get(f"{consent.redirect_url}?connectionId=x").text), result)
    assert "<b onclick" not in pages[0]
    assert "\u202e" not in pages[0]
    assert "&lt;b onclick=x&gt;gnp.&quot;&#x27;&amp;amp;{account}" in pages[0]


def test_a_second_callback_changes_nothing() -> None:
    """A replayed callback, the same or another, is told that the answer was taken; nothing more is handed over."""

    def browse(consent: PendingConsent) -> None:
        web.get(f"{consent.redirect_url}?connectionId={_ID}")
        for query in (f"connectionId={_ID}", "connectionId=other", "error=reject"):
            again = web.get(f"{consent.redirect_url}?{query}")
            assert again.status_code == 410
            assert "Already answered" in again.text

    assert meet(browse, CallbackResult(CallbackStatus.CONNECTED)) == [Callback(_ID)]


def test_two_at_once_are_one_answer() -> None:
    """Of two browsers at the same moment one counts."""
    codes: list[int] = []

    def browse(consent: PendingConsent) -> None:
        async def both() -> None:
            async with httpx.AsyncClient(timeout=TIMEOUT) as http:
                url = f"{consent.redirect_url}?connectionId={_ID}"
                codes.extend(answer.status_code for answer in await asyncio.gather(http.get(url), http.get(url)))

        asyncio.run(both())

    assert meet(browse, CallbackResult(CallbackStatus.CONNECTED)) == [Callback(_ID)]
    assert sorted(codes) == [200, 410]


def test_a_foreign_callback_leaves_the_true_one_its_place() -> None:
    """After a foreign callback, the right one may still come."""

    def browse(consent: PendingConsent) -> None:
        assert web.get(f"{consent.redirect_url}?connectionId=foreign").status_code == 400
        assert web.get(f"{consent.redirect_url}?connectionId={_ID}").status_code == 200

    brought = meet(browse, CallbackResult(CallbackStatus.FOREIGN), CallbackResult(CallbackStatus.CONNECTED))
    assert brought == [Callback("foreign"), Callback(_ID)]


@pytest.mark.parametrize(
    ("query", "said"), [(f"connectionId={_ID}", "you need not do it again"), ("error=reject", "Too late")]
)
def test_a_browser_that_comes_back_too_late_is_told_so(query: str, said: str) -> None:
    """After the wait, and while the listener still stands, the page says that nobody waits, and changes nothing."""

    async def late(pending: PendingConsents) -> httpx.Response:
        with pending.open(action()) as consent:
            pass
        async with httpx.AsyncClient(timeout=TIMEOUT) as http:
            return await http.get(f"{consent.redirect_url}?{query}")

    with serve_callbacks() as pending:
        page = asyncio.run(late(pending))
    assert page.status_code == 410
    assert said in page.text


def test_a_wait_that_ends_while_a_browser_is_there_tells_it_so() -> None:
    """A browser whose answer nobody could judge any more gets a page all the same."""

    async def cut_short(pending: PendingConsents) -> httpx.Response:
        async with httpx.AsyncClient(timeout=TIMEOUT) as http:
            with pending.open(action()) as consent:
                asking = asyncio.create_task(http.get(f"{consent.redirect_url}?connectionId={_ID}"))
                assert await consent.receive() == Callback(_ID)
            return await asking

    with serve_callbacks() as pending:
        assert asyncio.run(cut_short(pending)).status_code == 410


def test_a_result_that_takes_long_does_not_keep_the_browser() -> None:
    """Where the service is slow, the page says that nothing more is asked; the answer counts all the same."""

    async def slow(pending: PendingConsents) -> httpx.Response:
        async with httpx.AsyncClient(timeout=TIMEOUT) as http:
            with pending.open(action()) as consent:
                page = await http.get(f"{consent.redirect_url}?connectionId={_ID}")
                assert await consent.receive() == Callback(_ID)
                consent.reply(CallbackResult(CallbackStatus.CONNECTED))
                return page

    with serve_callbacks(page_timeout=0.05) as pending:
        page = asyncio.run(slow(pending))
    assert page.status_code == 200
    assert "You have nothing more to do" in page.text


def test_nobody_elses_address_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """An unknown nonce, a part of one, a foreign host name, or none: 404, the same page, no word in any log."""

    def browse(consent: PendingConsent) -> None:
        base, _, nonce = consent.redirect_url.rpartition("/")
        port = urlsplit(base).port
        pages = [
            web.get(f"{base}/"),
            web.get(f"{base}/favicon.ico"),
            web.get(f"{base}/{nonce[:-1]}?connectionId={_ID}"),
            web.get(f"{base}/{nonce}x?connectionId={_ID}"),
            web.get(f"{base}/x/{nonce}?connectionId={_ID}"),
            web.get(f"{consent.redirect_url}?connectionId={_ID}", headers={"host": f"rebound.example:{port}"}),
            web.get(f"{consent.redirect_url}?connectionId={_ID}", headers={"host": f"localhost:{port}"}),
        ]
        assert {(page.status_code, page.text) for page in pages} == {(404, pages[0].text)}
        assert nonce not in pages[0].text
        twice = f"Host: 127.0.0.1:{port}\r\n" * 2
        with connection_to(base) as connection:
            connection.sendall(f"GET /{nonce}?connectionId={_ID} HTTP/1.1\r\n{twice}\r\n".encode())
            assert everything(connection).startswith(b"HTTP/1.0 404 ")
        with connection_to(base) as connection:
            connection.sendall(f"GET http://[ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert everything(connection).startswith(b"HTTP/1.0 404 ")

    assert meet(browse, CallbackResult(CallbackStatus.CONNECTED)) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "connectionId=",
        "connectionId=a&connectionId=b",
        "connectionId=a&error=reject",
        "connectionId=%0d%0aSet-Cookie:x",
        "connectionId=%ff",
        "connectionId=" + "a" * 4097,
        "&".join(f"a{n}=1" for n in range(11)),
        "error=reject&error=reject",
    ],
)
def test_what_can_not_be_read_changes_nothing(query: str) -> None:
    """An answer that is none, two, or malformed is refused, and the true one may still come."""

    def browse(consent: PendingConsent) -> None:
        page = web.get(f"{consent.redirect_url}?{query}")
        assert page.status_code == 400
        assert "could not be read" in page.text
        assert web.get(f"{consent.redirect_url}?connectionId={_ID}").status_code == 200

    assert meet(browse, CallbackResult(CallbackStatus.CONNECTED)) == [Callback(_ID)]


def test_only_looking_is_allowed_and_a_head_uses_nothing_up() -> None:
    """HEAD has no body and takes no answer; POST, PUT and unknown methods are refused."""

    def browse(consent: PendingConsent) -> None:
        url = f"{consent.redirect_url}?connectionId={_ID}"
        head = web.head(url)
        assert (head.status_code, head.content) == (200, b"")
        for method in ("POST", "PUT", "OPTIONS", "BREW"):
            assert web.request(method, url).status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert web.get(url).status_code == 200

    assert meet(browse, CallbackResult(CallbackStatus.CONNECTED)) == [Callback(_ID)]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no HTTP at all\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\r\n",
    ],
)
def test_heads_that_no_browser_sends_are_refused(sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Huge or malformed heads get a refusal or nothing; the owner's browser is served all the same."""

    def browse(consent: PendingConsent) -> None:
        with connection_to(consent.redirect_url) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                answer = everything(connection)
            except OSError:
                # The listener closes without reading on, which the sender may learn so.
                answer = b""
        assert b"Traceback" not in answer
        assert not answer.startswith(b"HTTP/1.0 200")
        assert web.get(f"{consent.redirect_url}?connectionId={_ID}").status_code == 200

    meet(browse, CallbackResult(CallbackStatus.CONNECTED))
    assert capfd.readouterr() == ("", "")


def test_slow_and_idle_clients_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """While others say nothing or little, and are waited for, an owner is served."""
    monkeypatch.setattr("reconciler.http_server.HEAD_SECONDS", 10 * TIMEOUT)

    def browse(consent: PendingConsent) -> None:
        with connection_to(consent.redirect_url) as idle, connection_to(consent.redirect_url) as slow:
            slow.sendall(b"GET /")
            assert web.get(f"{consent.redirect_url}?connectionId={_ID}").status_code == 200
            for connection in (idle, slow):
                connection.settimeout(0)
                with pytest.raises(BlockingIOError):
                    connection.recv(1)

    meet(browse, CallbackResult(CallbackStatus.CONNECTED))


def test_more_clients_than_there_is_room_for_are_turned_away() -> None:
    """The number of those served at once is bounded."""

    def browse(consent: PendingConsent) -> None:
        idle = [socket.create_connection(("127.0.0.1", urlsplit(consent.redirect_url).port)) for _ in range(40)]
        try:
            idle[-1].settimeout(TIMEOUT)
            assert idle[-1].recv(1) == b""
        finally:
            for each in idle:
                each.close()

    meet(browse)


def test_addresses_can_not_be_guessed() -> None:
    """Each pending consent has an address of its own, with at least 128 bits that are random."""

    async def addresses(pending: PendingConsents) -> set[str]:
        found = set()
        for _ in range(50):
            with pending.open(action()) as consent:
                found.add(consent.redirect_url)
        return found

    with serve_callbacks() as pending:
        found = asyncio.run(addresses(pending))
    assert len(found) == 50
    assert all(len(urlsplit(url).path) >= 1 + 22 and url.startswith("http://127.0.0.1:") for url in found)
