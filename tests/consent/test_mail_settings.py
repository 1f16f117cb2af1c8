"""What the operator says about mail: what is taken, what is refused by name, and who may receive a link."""

import pytest

from reconciler.consent.mail_settings import MailSettings
from reconciler.errors import UsageError
from reconciler.model.account import Account
from tests.consent.mails import ENVIRON, composed, dry_settings

_SERVER = {**ENVIRON, "EXTCAL_SMTP_URL": "smtp://mail.example"}
_PASSWORD = "hunter2 hunter2"


def refused(variable: str, value: str, **more: str) -> str:
    """What is said of a setting that is refused."""
    with pytest.raises(UsageError) as error:
        MailSettings.of({**_SERVER, variable: value, **more})
    return str(error.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 587, False, None)),
        ("smtp://mail.example:2525/", ("mail.example", 2525, False, None)),
        ("smtps://Mail.Example", ("mail.example", 465, True, None)),
        ("smtps://me@mail.example", ("mail.example", 465, True, "me")),
        ("smtp://me%40clinic.example@mail.example:25", ("mail.example", 25, False, "me@clinic.example")),
        ("smtp://[::1]:25", ("::1", 25, False, None)),
    ],
)
def test_a_server_is_read(url: str, expected: tuple[str, int, bool, str | None]) -> None:
    """The host, its usual port or another, and the user, whose password comes from its own variable."""
    server = MailSettings.of({**_SERVER, "EXTCAL_SMTP_URL": url, "EXTCAL_SMTP_PASSWORD": _PASSWORD}).server
    assert server is not None
    assert (server.host, server.port, server.tls_from_start, server.user) == expected
    assert server.password == (None if expected[3] is None else _PASSWORD)
    assert _PASSWORD not in repr(server) + str(server)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://:25",
        "smtp://mail.example:0",
        "smtp://mail.example:65536",
        "smtp://mail.example:x",
        "smtp://mail.example/path",
        "smtp://mail.example?x=1",
        "smtp://mail.example#x",
        "smtp://mail.example\r\nX: y",
        "smtp://-oProxyCommand=x",
        "smtp://@mail.example",
        "smtp://mä@mail.example",
        "smtp://m%C3%A4@mail.example",
        "smtp://me%0d%0a@mail.example",
        "smtp://[::1",
        "smtp://a b.example",
        "smtp://x" + "y" * 3000,
    ],
)
def test_what_is_no_server_is_refused_by_name(url: str) -> None:
    """Each URL that is not one server is a usage error that names the variable."""
    assert refused("EXTCAL_SMTP_URL", url, EXTCAL_SMTP_PASSWORD=_PASSWORD).startswith("EXTCAL_SMTP_URL: ")


@pytest.mark.parametrize(
    "url",
    [
        "smtp://me:hunter2@mail.example",
        "smtp://me:hunter2@x@mail.example",
        "smtp://me:hunter2/@mail.example",
        "smtp://me:hunter2#@mail.example",
        "smtp://me:hunter2?@mail.example",
        "smtp://:hunter2@mail.example",
        "smtps:me:hunter2@mail.example",
        "hunter2",
        "smtp://hunter2 x@mail.example",
    ],
)
def test_a_password_in_the_url_is_refused_and_never_shown(url: str) -> None:
    """Wherever it ended up, nothing of the URL is repeated, not even in a cause."""
    with pytest.raises(UsageError) as error:
        MailSettings.of({**_SERVER, "EXTCAL_SMTP_URL": url})
    assert "hunter2" not in str(error.value)
    assert error.value.__suppress_context__


@pytest.mark.parametrize("password", ["", "short", "with\nline", "pässword with umlaut", "x" * 5000])
def test_a_password_that_cannot_be_used_is_refused_unseen(password: str) -> None:
    """A user needs a password that can be sent and kept out of outputs; it is not repeated."""
    said = refused("EXTCAL_SMTP_PASSWORD", password, EXTCAL_SMTP_URL="smtp://me@mail.example")
    assert said.startswith("EXTCAL_SMTP_PASSWORD: ")
    assert password == "" or password not in said


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ("calendars@mail.example", "calendars@mail.example"),
        ("Calendars <calendars@mail.example>", "Calendars <calendars@mail.example>"),
        ('"Harbor, calendars" <c@mail.example>', '"Harbor, calendars" <c@mail.example>'),
        ("Harbor, calendars <c@mail.example>", '"Harbor, calendars" <c@mail.example>'),
        ("Zahnärzte <c@bücher.example>", "Zahnärzte <c@xn--bcher-kva.example>"),
    ],
)
def test_the_sender_may_have_a_name(given: str, header: str) -> None:
    """The name is quoted as needed, and a domain is as it is looked up."""
    message = composed(settings=dry_settings(EXTCAL_MAIL_FROM=given)).message
    assert str(message["From"]) == str(message["Reply-To"]) == header


_NO_MAILBOXES = [
    "calendars",
    "a@b.example, c@d.example",
    "a@b.example c@d.example",
    "a@b.example <c@d.example>",
    "x <a@b.example>, y <c@d.example>",
    "x <a@b.example",
    "x <>",
    "group: a@b.example;",
    "a@b.example\r\nBcc: c@d.example",
    "x\r\nBcc: y <a@b.example>",
    'x"y <a@b.example>',
    "x\u202ey <a@b.example>",
    "ä@b.example",
    "a@",
    "@b.example",
    "a@[127.0.0.1]",
]


@pytest.mark.parametrize("given", _NO_MAILBOXES)
@pytest.mark.parametrize("variable", ["EXTCAL_MAIL_FROM", "EXTCAL_MAIL_REPLY_TO"])
def test_what_is_no_address_is_refused_by_name(variable: str, given: str) -> None:
    """Neither the sender nor who is answered can be more than one address."""
    assert refused(variable, given).startswith(f"{variable}: ")


def test_answers_may_go_elsewhere() -> None:
    """EXTCAL_MAIL_REPLY_TO is who is answered, and the contact that the message names."""
    mail = composed(settings=dry_settings(EXTCAL_MAIL_REPLY_TO="Front desk <desk@harbor-dental.example>"))
    assert str(mail.message["Reply-To"]) == "Front desk <desk@harbor-dental.example>"
    assert b"write to desk@harbor-dental.example" in mail.content


@pytest.mark.parametrize(
    "domains", ["", " ", ",", "*.clinic.example", "@clinic.example", "clinic.example b", "a@b", "*"]
)
def test_domains_are_named_one_by_one(domains: str) -> None:
    """No pattern, no address, and not nothing: without a domain nothing is sent."""
    assert refused("EXTCAL_MAIL_DOMAINS", domains).startswith("EXTCAL_MAIL_DOMAINS: ")


def test_without_a_server_nothing_can_be_sent_but_files_can_be_written() -> None:
    """Dry mail needs the sender and the domains, and reads nothing about a server."""
    with pytest.raises(UsageError, match=r"^EXTCAL_SMTP_URL: not set"):
        MailSettings.of(ENVIRON)
    assert MailSettings.of({**ENVIRON, "EXTCAL_SMTP_URL": "nonsense"}, dry=True).server is None
    for variable in ENVIRON:
        with pytest.raises(UsageError, match=rf"^{variable}: not set"):
            MailSettings.of({**ENVIRON, variable: ""}, dry=True)


@pytest.mark.parametrize(
    ("account", "recipient"),
    [
        ("lee@clinic.example", "lee@clinic.example"),
        ("Lee.O'Brien+cal@Clinic.Example", "Lee.O'Brien+cal@clinic.example"),
        ("lee@BÜCHER.example", "lee@xn--bcher-kva.example"),
        ("lee@xn--bcher-kva.example", "lee@xn--bcher-kva.example"),
        ("lee@clinic\u3002example", "lee@clinic.example"),
        ("lee@\uff43linic.example", "lee@clinic.example"),
    ],
)
def test_an_account_in_a_domain_is_written_to_exactly(account: str, recipient: str) -> None:
    """Domains compare as they are looked up, and the message goes to that very mailbox."""
    settings = dry_settings(EXTCAL_MAIL_DOMAINS="clinic.example, bücher.example,")
    assert settings.allows(Account(account)) is None
    (to,) = composed(account, settings=settings).message["To"].addresses
    assert to.addr_spec == recipient


@pytest.mark.parametrize(
    "account",
    [
        "lee@evil.example",
        "lee@sub.clinic.example",
        "lee@clinic.example.evil.example",
        "lee@evilclinic.example",
        "lee@example",
        "lee@clinic.example.",
        "a@evil.example@clinic.example",
        '"x@evil.example"@clinic.example',
        '"x"@clinic.example',
        "<a@evil.example>",
        "<a@evil.example>@clinic.example",
        "a@evil.example,b@clinic.example",
        "a@evil.example b@clinic.example",
        "@evil.example:a@clinic.example",
        "g:a@evil.example;@clinic.example",
        "a%evil.example@clinic.example",
        "evil.example!a@clinic.example",
        "a(comment)@clinic.example",
        "a@clinic.example(comment)",
        "a@(evil.example)clinic.example",
        " a@clinic.example",
        "a@clinic.example ",
        "a @clinic.example",
        "a@ clinic.example",
        "a@clinic.example\r\nRCPT TO:<b@evil.example>",
        "a\r\nBcc: b@evil.example\r\nX: @clinic.example",
        "a\0@clinic.example",
        "a\x7f@clinic.example",
        "ä@clinic.example",
        "\uff41@clinic.example",
        "a\u200b@clinic.example",
        "a@cl\u0456nic.example",
        "a@clinic\u2024example",
        "a@clinic.example\u2215.evil.example",
        "a@evil.example\uff20clinic.example",
        "a@[10.0.0.1]",
        "a@10.0.0.1",
        ".a@clinic.example",
        "a.@clinic.example",
        "a..b@clinic.example",
        "a|b@clinic.example",
        "a`id`@clinic.example",
        "=?utf-8?q?a=40evil.example?=@clinic.example",
        "=?utf-8?b?YUBldmls?=@clinic.example",
        "x" * 65 + "@clinic.example",
        "@clinic.example",
        "a@",
        "a",
        "",
        "clinic.example",
    ],
)
def test_no_trick_gets_a_link_out(account: str) -> None:
    """Whatever is not one plain mailbox of an allowed domain is refused with a reason on one inert line."""
    why = dry_settings(EXTCAL_MAIL_DOMAINS="clinic.example").allows(Account(account))
    assert why
    assert why.isprintable()
    assert len(why) < 400


def test_an_account_that_is_not_shown_gets_nothing() -> None:
    """Where the service shows no address there is nobody to write to."""
    assert dry_settings().allows(None) == "the account's address is not known"


def test_the_reason_names_the_domains_and_the_domain_that_was_meant() -> None:
    """An operator sees what to add, and a lookalike in the form that can't be mistaken."""
    why = str(dry_settings(EXTCAL_MAIL_DOMAINS="clinic.example,b.example").allows(Account("a@cl\u0456nic.example")))
    assert "xn--clnic-o2e.example" in why
    assert "EXTCAL_MAIL_DOMAINS: b.example, clinic.example" in why
