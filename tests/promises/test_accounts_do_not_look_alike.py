"""An account can't be taken for another: what is outside ASCII is shown in ASCII, too; mixed scripts are told."""

from dataclasses import replace

import pytest

from reconciler.sandbox.world import Account, Calendar, World
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, PASSWORD, PASSWORD_ENV, connected, connection, email, harbor, site, world

LOOKALIKE = "staff0@h\u0430rbor-dental.example"
"""Its domain's second letter is Cyrillic."""
SHOWN = "xn--hrbor-dental-x9j.example"
_CONSENT = ("--auto-approve", "--consent", "link")
_BOTH = f"{LOOKALIKE} ({SHOWN})"


def declared(account: str, *, provider: str = "apple") -> str:
    """The manifest of Staff 0, its account another one."""
    return connection(0, provider=provider, more=BUSY).replace(email(0), account)


def connected_with(account: str, *accounts: str) -> World:
    """A world in which Staff 0 is connected with an account, and others can be."""
    people = tuple(
        Account(provider, each, None if provider == "google" else PASSWORD, (Calendar("work", "Work"),))
        for each in (account, *accounts)
        for provider in ("apple", "google")
    )
    return World(sites=(replace(harbor(), connections=(replace(connected(0), account=account),)),), accounts=people)


@pytest.fixture
def live(extcal: Extcal) -> Extcal:
    """Staff 0 is connected with the lookalike, which no manifest declares: they say what it looks like."""
    extcal.on(connected_with(LOOKALIKE))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), declared(email(0)))
    return extcal


@pytest.mark.parametrize("output", ["text", "markdown", "html"])
def test_a_plan_shows_what_a_lookalike_is(live: Extcal, output: str) -> None:
    """In every form of a plan for people the domain stands as it is looked up, be it live or declared."""
    kim = declared(LOOKALIKE.replace("staff0", "kim")).replace("staff-0", "kim")
    live.write(site(), declared(LOOKALIKE) + "  state: absent\n", kim)
    ran = live("plan", "manifests", "--format", output)
    assert ran.out.count(_BOTH) >= 2
    assert f"kim@h\u0430rbor-dental.example ({SHOWN})" in ran.out
    for line in ran.err.splitlines():
        assert "h\u0430rbor" not in line or SHOWN in line


def test_documents_hold_the_address_itself(live: Extcal) -> None:
    """What programs read is what the service says."""
    found = [action["account"] for action in live("plan", "manifests", "--format", "json").actions]
    assert sorted(map(str, found)) == sorted([LOOKALIKE, email(0)])
    assert [row["externalAccountEmail"] for row in live("connections", "manifests", "--format", "json").rows] == [
        LOOKALIKE
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("status", "manifests"),
        ("status", "manifests", "--format", "html"),
        ("status", "manifests", "--format", "csv"),
        ("connections", "manifests"),
        ("connections", "manifests", "--format", "csv"),
    ],
)
def test_what_is_live_is_shown_so(live: Extcal, words: tuple[str, ...]) -> None:
    """Tables and the status show it, too."""
    ran = live(*words)
    assert _BOTH in ran.out


def test_a_lookalike_in_a_manifest_is_pointed_out(extcal: Extcal) -> None:
    """Validate and plan name the file and line, and keep nothing from being done; the comment has the same warning."""
    extcal.write(site(), declared(LOOKALIKE))
    told = (
        f"manifests/all.yaml:17:3: the account {_BOTH} may be mistaken for another: 'h\u0430rbor-dental' mixes "
        "Cyrillic and Latin letters, at harbor/staff-0 (if that is not meant, type it again)"
    )
    ran = extcal("validate", "manifests")
    assert (ran.code, ran.err) == (0, f"warning: {told}\n")
    assert ran.out == "Valid: 1 site, 1 connection.\n"
    ran = extcal("validate", "manifests", "--format", "github")
    assert ran.out.startswith(f"::warning file=manifests/all.yaml,line=17,col=3,title=extcal validate::{told}\n")
    assert (ran.code, ran.err) == (0, "")
    ran = extcal("plan", "manifests", "--format", "markdown", env=PASSWORD_ENV)
    assert ran.code == 0
    assert f"warning: {told}" in ran.err
    assert f"#### Warnings\n\n- `{told}`" in ran.out


def test_nothing_is_told_of_another_connection(extcal: Extcal) -> None:
    """A plan that is narrowed speaks of what it plans."""
    extcal.write(site(), declared(LOOKALIKE), connection(1))
    assert "mistaken" not in extcal("plan", "manifests", "--connection", "staff-1", env=PASSWORD_ENV).err


@pytest.mark.parametrize(
    ("account", "remark"),
    [
        ("l\u0435e@harbor.example", "'l\u0435e' mixes Cyrillic and Latin letters"),
        ("\u0430\u0440\u0440\u04cf\u0435@harbor.example", "is all Cyrillic letters that look like Latin ones"),
        ("lee@\u0430\u0440\u0440\u04cf\u0435.example", "is all Cyrillic letters that look like Latin ones"),
        ("lee@harb\u03bfr.example", "mixes Greek and Latin letters"),
        ("lee@\u30ab\u30bf\ud55c.example", "mixes Hangul and Katakana letters"),
        ("jos\u00e9.mu\u00f1oz@m\u00fcnchen.example", None),
        ("\u0438\u0432\u0430\u043d@\u043f\u043e\u0447\u0442\u0430.example", None),
        ("\u0440\u043e\u0441@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444", None),
        ("lee@\u6771\u4eac\u306e\u30ab\u30ca-7.example", None),
        ("lee@\ud55c\u570b.example", None),
        ("lee@\u4e2d\u3105.example", None),
    ],
)
def test_what_may_be_mistaken_is_told_and_nothing_else(bare: Extcal, account: str, remark: str | None) -> None:
    """Scripts that are mixed in one word are told, those of one language are no mixture; so is what looks Latin."""
    bare.write(site(), declared(account))
    ran = bare("validate", "manifests")
    assert ran.code == 0
    if remark is None:
        assert ran.err == ""
    else:
        assert remark in ran.err


def test_a_domain_in_either_form_is_the_same(live: Extcal) -> None:
    """What is declared in the form that is looked up fits what is live in the other; and so does another case."""
    for account in (LOOKALIKE, f"staff0@{SHOWN}", f"STAFF0@{SHOWN.upper()}", "staff0@H\u0410RBOR-DENTAL.example"):
        live.write(site(), declared(account))
        assert live("plan", "manifests", "--detailed-exitcode").code == 0, account


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stra\u00dfe@harbor-dental.example", "strasse@harbor-dental.example"),
        ("lee@stra\u00dfe.example", "lee@strasse.example"),
        ("l\u0435e@harbor-dental.example", "lee@harbor-dental.example"),
        ("\ufb01sher@harbor-dental.example", "fisher@harbor-dental.example"),
    ],
)
def test_accounts_that_are_alike_are_two(extcal: Extcal, one: str, other: str) -> None:
    """A connection of one is none of the other, in both directions; the one that is live is not adopted."""
    for wanted, there in ((one, other), (other, one)):
        extcal.on(connected_with(there))
        extcal.write(site(), declared(wanted))
        ran = extcal("plan", "manifests", "--format", "json", env=PASSWORD_ENV)
        assert {(action["action"], action["account"]) for action in ran.actions} == {
            ("connect", wanted),
            ("unmanaged", there),
        }


def test_one_account_in_two_forms_is_declared_once(bare: Extcal) -> None:
    """That two connections share an account is seen in whatever form its domain is, and shown."""
    second = declared(f"staff0@{SHOWN}").replace("staff-0", "second")
    bare.write(site(), declared(LOOKALIKE), second)
    assert "would match the same live connection as harbor/staff-0" in bare("validate", "manifests").err
    first = declared(f"staff0@{SHOWN}").replace("0000", "0001")
    bare.write(site(), first, second.replace("second", "third").replace(f"staff0@{SHOWN}", LOOKALIKE))
    assert f"the account '{_BOTH}' is declared for another schedule" in bare("validate", "manifests").err


def test_the_owner_who_is_asked_is_shown_so(extcal: Extcal) -> None:
    """Whoever sends a link sees whom it is for."""
    extcal.on(replace(connected_with(LOOKALIKE), sites=(harbor(),)))
    extcal.write(site(), declared(LOOKALIKE, provider="google"))
    ran = extcal("apply", "manifests", *_CONSENT)
    assert ran.code == 3, ran.err
    assert f"  {_BOTH}  (google, harbor/staff-0)" in ran.out


def test_what_no_domain_is_shown_in_escapes(extcal: Extcal) -> None:
    """A domain that can't be looked up, or an address beyond what is read, shows what it is made of."""
    extcal.on(world(accounts=0))
    extcal.env |= {"EXTCAL_APP_PASSWORD": PASSWORD}
    for account, shown in (
        ("lee@\U0001f600.example", "lee@\U0001f600.example (\\U0001f600.example)"),
        ("lee@h\u0430_b.example", "lee@h\u0430_b.example (h\\u0430_b.example)"),
        (f"{'x' * 150}@h\u0430rbor.example", f"{'x' * 150}@xn--hrbor-4ve.example"),
    ):
        extcal.write(site(), declared(account))
        assert f"apple {shown}  (not connected yet)" in extcal("plan", "manifests").out


@pytest.mark.parametrize("unseen", ["\\u202E", "\\u200b", "\\u00ad", "\\u3164", "\\uE000"])
def test_what_is_not_drawn_is_pointed_out(bare: Extcal, unseen: str) -> None:
    """An account with a character that nobody sees looks like another one, wherever it stands."""
    bare.write(site(), declared(f'"staff0@{unseen}harbor-dental.example"'))
    assert "holds characters that nobody sees" in bare("validate", "manifests").err
