"""The message to an owner: its headers, its text and its HTML, and what a hostile name can do in them."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reconciler.consent.mail_message import ConsentMail, new_message_id
from reconciler.consent.mail_request import LinkError, RequestedConsent
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.text import width
from tests.consent.mails import ACTION, FIRST, STATE, URL, composed, dry_settings, requested
from tests.consent.screens import assert_legible
from tests.support.browser import Browser
from tests.support.hostile_texts import PAYLOADS, assert_inert
from tests.support.tools import needs_chromium

_LONG_URL = f"https://accounts.example/{'a=b&' * 500}.\u0065nd"
_LINKABLE = re.compile(r"\w://|www\.\w|[\w-]\.[a-z]{2}", re.IGNORECASE)


def reread(mail: ConsentMail) -> EmailMessage:
    """The message as a mail reader has it."""
    return message_from_bytes(mail.content, policy=policy.default)


def part(mail: ConsentMail, kind: str) -> str:
    """One of its two forms, decoded."""
    body = reread(mail).get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep what is no style."""
        if self.tags[-1:] and self.tags[-1][0] != "style":
            self.words.append(data)


def elements(mail: ConsentMail) -> _Elements:
    """What a browser finds in the HTML."""
    found = _Elements()
    found.feed(part(mail, "html"))
    return found


def test_the_headers_say_who_writes_to_whom_and_that_no_person_does() -> None:
    """One recipient, who is answered, when, and a Message-ID in the sender's domain."""
    message = reread(composed())
    assert {name: str(value) for name, value in message.items() if name != "Content-Type"} == {
        "From": "Harbor calendars <calendars@mail.example>",
        "To": "lee@harbor-dental.example",
        "Reply-To": "Harbor calendars <calendars@mail.example>",
        "Subject": "Calendar connection: harbor-dental",
        "Date": "Sun, 29 Nov 2026 12:00:00 +0000",
        "Message-ID": FIRST,
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "MIME-Version": "1.0",
    }
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_reminder_belongs_to_the_first_message() -> None:
    """It says that it is one, and refers to the first, even where the domain makes a long word of that."""
    first = f"<0123456789abcdef0123456789abcdef@{'long-label.' * 12}example>"
    message = reread(composed(thread=first))
    assert str(message["Subject"]) == "Calendar connection: harbor-dental (reminder)"
    assert message["In-Reply-To"] == message["References"] == first
    assert "a new link" in part(composed(thread=first), "plain")


@pytest.mark.parametrize("thread", ["", "x", "<a@b>\r\nBcc: c@evil.example", "<a b@c>", f"<{'x' * 30}>", FIRST])
def test_what_is_no_earlier_message_is_not_referred_to(thread: str) -> None:
    """A state file that was tampered with can't forge a header."""
    message = reread(composed(thread=thread))
    assert message["In-Reply-To"] is message["References"] is message["Bcc"] is None


def test_message_ids_are_of_the_sender_and_tell_nothing() -> None:
    """Each is new, and chance but for the sender's domain."""
    ids = {new_message_id(dry_settings().sender) for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"<[0-9a-f]{32}@mail\.example>", each) for each in ids)


@pytest.mark.parametrize("url", [URL, _LONG_URL, "http://127.0.0.1:8080/x?a=.&b=%0A", f"https://a.example/{'.' * 300}"])
def test_links_arrive_to_the_letter(url: str) -> None:
    """Alone on a line of the text, and as the only addresses of the HTML, whatever carries the message."""
    mail = composed("lee@harbor-dental.example", requested(url=url), requested("Room 2", url=f"{url}2"))
    assert [line for line in part(mail, "plain").splitlines() if "://" in line] == [url, f"{url}2"]
    links = [values["href"] for tag, values in elements(mail).tags if tag == "a"]
    assert links == [url, url, f"{url}2", f"{url}2"]
    assert max(map(len, mail.content.split(b"\r\n"))) <= 78
    assert mail.content.isascii()
    assert b"\n" not in mail.content.replace(b"\r\n", b"")


def test_all_that_an_owner_must_know_is_in_both_forms() -> None:
    """Site, schedule, account, what is read and written, how to revoke, whom to ask, and what not to do."""
    mail = composed()
    text = " ".join(part(mail, "plain").split())
    html = " ".join(" ".join("".join(elements(mail).words).split()).split())
    for words in (
        "harbor-dental asks for your permission to connect your calendar account lee@harbor-dental.example",
        '"Dr. Lee" at harbor-dental',
        "choose lee@harbor-dental.example and no other",
        "The events of your main calendar",
        "Nothing: your calendars are not changed.",
        "You can take your permission back at any time",
        "write to calendars@mail.example",
        "Please do not pass this mail on. A link connects the calendar of whoever opens it",
        "If you did not expect this mail, you can ignore it",
    ):
        assert words in text
        assert words in html


def test_text_fits_a_terminal() -> None:
    """Every line but a link is short enough to be quoted, in columns rather than letters; the rest is a signature."""
    names = "漢字" * 30, "word " * 30, "x" * 200
    mail = composed("lee@harbor-dental.example", *(requested(name, site=f"site-{name}"[:80]) for name in names))
    text = part(mail, "plain")
    assert all(width(line) <= 72 for line in text.splitlines() if line != URL)
    assert text.endswith("\n-- \nThis mail was sent automatically.\n")


_CALENDARS = (CalendarRef("id-1", "Work"), CalendarRef("id-2"))


@pytest.mark.parametrize(
    ("sync", "read", "written"),
    [
        (None, "What Google connections read", "What Google connections write"),
        (SyncConfig(), "What Google connections read", "What Google connections write"),
        (
            SyncConfig(Direction(enabled=True), Direction(enabled=True)),
            "What Google connections read",
            "What Google connections write",
        ),
        (
            SyncConfig(Direction(enabled=True, arm=Arm.PRIMARY), Direction(enabled=True, arm=Arm.PRIMARY)),
            "The events of your main calendar",
            "Your bookings, into your main calendar",
        ),
        (
            SyncConfig(
                Direction(enabled=True, arm=Arm.CALENDARS, calendars=_CALENDARS),
                Direction(enabled=True, arm=Arm.CALENDARS, calendars=_CALENDARS[:1]),
            ),
            "busy: Work, id-2.",
            "into this calendar: Work.",
        ),
        (
            SyncConfig(Direction(enabled=False, arm=Arm.PRIMARY), Direction(enabled=True, arm=Arm.DEDICATED)),
            "Nothing:",
            "a new calendar",
        ),
    ],
)
def test_what_is_read_and_written_is_what_the_sync_config_says(
    sync: SyncConfig | None, read: str, written: str
) -> None:
    """Each way of it has its words; what no manifest manages is the provider's usual setting."""
    text = " ".join(part(composed("lee@harbor-dental.example", requested(sync=sync)), "plain").split())
    reading, _, writing = text.partition("* What is read: ")[2].partition("* What is written: ")
    assert read in reading
    assert written in writing.partition("Please do not")[0]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_name_stays_a_name(payload: str) -> None:
    """Wherever a name comes from, it adds no header, no element, no attribute, and nothing that hides or reorders."""
    mail, plain = (
        composed(
            "lee@harbor-dental.example",
            requested(
                name,
                site=name,
                provider=name,
                sync=SyncConfig(
                    Direction(enabled=True, arm=Arm.CALENDARS, calendars=(CalendarRef(name=name),)),
                    Direction(enabled=False),
                ),
            ),
        )
        for name in (payload, "a name")
    )
    assert reread(mail).keys() == reread(plain).keys()
    assert [tag for tag, _ in elements(mail).tags] == [tag for tag, _ in elements(plain).tags]
    assert {value for _, values in elements(mail).tags for value in values.values()} == {
        value for _, values in elements(plain).tags for value in values.values()
    }
    text = part(mail, "plain")
    assert_inert(text)
    assert_inert("".join(elements(mail).words))
    assert_inert(str(reread(mail)["Subject"]))
    assert [line for line in text.splitlines() if "://" in line] == [URL]


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example/x",
        "HTTP:\\\\evil.example",
        "evil.example",
        "www.evil.example",
        "evil\u3002example",
        "see https://evil.example, or a@evil.example",
        "x.evil1.co/a",
        "1evil.2example.com",
        "ftp://1.2.3.4/",
    ],
)
def test_no_mail_reader_makes_a_link_of_a_name(name: str) -> None:
    """What looks like an address is spelt so that it is none any more, and can still be read."""
    mail = composed("lee@harbor-dental.example", requested(name, provider=name))
    for shown in (part(mail, "plain").replace(URL, ""), "".join(elements(mail).words).replace(URL, "")):
        own = shown.replace("lee@harbor-dental.example", "").replace("calendars@mail.example", "")
        assert not _LINKABLE.search(own.replace("\u3002", ".")), own
        assert "evil" in own or "1.2.3.4" in own


def test_usual_names_are_left_as_they_are() -> None:
    """Dots and colons that join nothing are names' own."""
    for name in ("Dr. Lee", "Room 1.5", "Mon: 8-12", "so ... on", "Müller, Jürgen"):
        assert f'"{name}" at' in part(composed("lee@harbor-dental.example", requested(name)), "plain")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "//evil.example",
        "ftp://x.example",
        "https://",
        "https://x.example/a b",
        "https://x.example/\n",
        "https://x.example/\r\nBcc: y@z.example",
        'https://x.example/">',
        "https://x.example/<b>",
        "https://x.example/\u202e",
        "https://bücher.example/",
        "https://[x/",
        "https://x.example/" + "a" * 5000,
    ],
)
def test_only_web_addresses_are_links(url: str) -> None:
    """What the service gives in place of one is refused, and not repeated."""
    with pytest.raises(LinkError, match="is not an http"):
        RequestedConsent.of(ACTION, url)


def test_a_request_is_made_of_an_action() -> None:
    """The schedule by its name where that is known, and the provider as people call it."""
    made = RequestedConsent.of(ACTION, URL)
    assert (made.url, made.site, made.address) == (URL, ACTION.site, ACTION.address)
    assert (made.schedule, made.provider) == (ACTION.schedule_id, "Google")
    assert RequestedConsent.of(ACTION, URL, "Some App").provider == "Some App"


def test_what_makes_a_link_one_is_known_as_secret() -> None:
    """The link, and the parts of it that nobody could guess."""
    assert {URL, STATE} <= composed().secrets
    assert STATE not in repr(composed()) + repr(requested())


@pytest.mark.parametrize("many", [1, 4, 40])
def test_a_subject_is_short_and_can_be_found(many: int) -> None:
    """It begins alike however many sites there are, and names the first of them."""
    names = [f"site-{number}-{'x' * 60}" for number in range(many)]
    subject = str(reread(composed("lee@harbor-dental.example", *(requested(site=name) for name in names)))["Subject"])
    assert subject.startswith("Calendar connection: site-0-")
    assert len(subject) <= 150


def test_html_loads_and_runs_nothing() -> None:
    """No picture, script, frame, form, or style from elsewhere, and no address but the links."""
    found = elements(composed())
    allowed = {"html", "head", "meta", "title", "style", "body", "div", "p", "h2", "a", "bdi", "br", "dl", "dt", "dd"}
    assert {tag for tag, _ in found.tags} <= allowed
    attributes = {name for _, values in found.tags for name in values}
    assert attributes == {"lang", "dir", "charset", "name", "content", "class", "href", "rel"}
    html = part(composed(), "html")
    assert not re.search(r"url\(|@import|src=|http-equiv", html)
    assert re.findall(r"\w+://[^\s\"<]+", html) == [URL.replace("&", "&amp;")] * 3


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The HTML as a file, with two links and a long name."""
    calendars = SyncConfig(
        Direction(enabled=True, arm=Arm.CALENDARS, calendars=_CALENDARS), Direction(enabled=True, arm=Arm.DEDICATED)
    )
    file = tmp_path / "mail.html"
    mail = composed(
        "lee@harbor-dental.example",
        requested(),
        requested("x" * 200, url=_LONG_URL, provider="Microsoft", sync=calendars),
    )
    file.write_text(part(mail, "html"), encoding="utf-8")
    return file


@pytest.fixture
def quiet(window: Browser) -> Iterator[Browser]:
    """The browser, in which no script runs, as in mail readers, but those of the test."""
    yield window
    window.send("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_", [360, 1280])
def test_it_can_be_read_on_every_screen(quiet: Browser, page: Path, width_: int, scheme: str) -> None:
    """On a phone and on a desk, light and dark, nothing overflows or is too faint, and nothing is asked of anybody."""
    quiet.show(page, width=width_, scheme=scheme)
    assert_legible(quiet)
    asked = [str(event["request"]["url"]) for event in quiet.told("Network.requestWillBeSent")]  # type: ignore[index] # as the protocol says
    assert asked == [page.as_uri()]
    assert quiet.told("Log.entryAdded") == quiet.told("Runtime.exceptionThrown") == []
    background = str(quiet.value("getComputedStyle(document.body).backgroundColor"))
    assert background == ("rgb(13, 17, 23)" if scheme == "dark" else "rgb(244, 245, 247)")


@needs_chromium
def test_it_reads_well_where_its_styles_are_dropped(quiet: Browser, page: Path) -> None:
    """Headings, links and facts stay in order and in sight."""
    page.write_text(re.sub(r"<style>.*</style>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL), "utf-8")
    quiet.show(page)
    shown = str(quiet.value("document.body.innerText"))
    order = ["Hello,", "Dr. Lee", "Connect your Google calendar", "choose lee@", "What is read", URL, "Questions?"]
    places = [shown.index(each) for each in order]
    assert places == sorted(places)
