"""An error that the service has a word for and extcal has none: the word is shown wherever the connection is."""

import html
from dataclasses import replace

import pytest

from reconciler.sandbox.contract import Status
from tests.support.cli.command import Extcal
from tests.support.cli.schema import valid
from tests.support.cli.worlds import BUSY, HARBOR, KEY, PASSWORD_ENV, connected, connection, harbor, site, world

WORD = "ACCOUNT_SUSPENDED"
WHY = f"the service reports an error: {WORD}"
LINK = "[pay](https://evil.example)"


def suspended(extcal: Extcal, word: str | None) -> Extcal:
    """One connection, in an error that the service calls `word`."""
    broken = replace(connected(0), status=Status.ERROR, error_reason=word)
    extcal.on(world(replace(harbor(), connections=(broken,))))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0, more=BUSY))
    return extcal


@pytest.mark.parametrize(
    ("command", "form"),
    [("plan", "text"), ("plan", "html"), *(("status", form) for form in ("text", "json", "csv", "html"))],
)
def test_the_word_is_shown(extcal: Extcal, command: str, form: str) -> None:
    """In reports for people and for programs."""
    ran = suspended(extcal, WORD)(command, "manifests", "--format", form)
    assert ran.code == 0
    assert WHY in html.unescape(ran.out)


def test_the_word_is_a_field_of_a_plan(extcal: Extcal) -> None:
    """Programs find it beside the reason, which is one of those published."""
    (action,) = suspended(extcal, WORD)("plan", "manifests", "--format", "json").actions
    valid(extcal("plan", "manifests", "--format", "json").document)
    assert (action["action"], action["reason"], action["error_reason"]) == ("reconnect", "error", WORD)


@pytest.mark.parametrize("word", [None, "UNDEFINED"])
def test_no_word_is_no_field(extcal: Extcal, word: str | None) -> None:
    """UNDEFINED says as little as nothing."""
    (action,) = suspended(extcal, word)("plan", "manifests", "--format", "json").actions
    assert (action["reason"], "error_reason" in action) == ("error", False)
    assert "(the service reports an error)" in extcal("plan", "manifests").out
    assert "UNDEFINED" not in extcal("connections", "--site-id", HARBOR).out


def test_a_known_error_is_told_in_our_words(extcal: Extcal) -> None:
    """Its reason says it already."""
    (action,) = suspended(extcal, "TOKEN_REVOKED")("plan", "manifests", "--format", "json").actions
    assert (action["reason"], "error_reason" in action) == ("token-revoked", False)


def test_it_is_connected_again(extcal: Extcal) -> None:
    """By a plan that was saved with the word in it, and the connection is well afterwards."""
    suspended(extcal, WORD)("plan", "manifests", "--out", "plan.json")
    done = extcal("apply", "--plan", "plan.json", "--auto-approve")
    assert (done.code, WHY in done.out + done.err) == (0, True)
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0


def test_another_word_than_was_reviewed_is_not_acted_upon(extcal: Extcal) -> None:
    """What is wrong is a part of what the plan rests on."""
    suspended(extcal, WORD)("plan", "manifests", "--out", "plan.json")
    suspended(extcal, "ACCOUNT_CLOSED")
    assert extcal("apply", "--plan", "plan.json", "--auto-approve").code == 1
    assert extcal.writes == []


def test_a_secret_in_the_word_is_shown_nowhere_and_keeps_nothing_from_being_applied(extcal: Extcal) -> None:
    """It is only shown: the plan that is saved says `[secret]` there, and does what it would do."""
    ran = suspended(extcal, KEY)("plan", "manifests", "--out", "plan.json")
    assert "the service reports an error: [secret]" in ran.out
    assert KEY not in (extcal.folder / "plan.json").read_text()
    assert extcal("apply", "--plan", "plan.json", "--auto-approve").code == 0


def test_the_word_is_text(extcal: Extcal) -> None:
    """It moves no cursor, adds no line and no link, and one that is no word at all is only counted."""
    hostile = f"A\x1b[2J\n::error::x\u202e {LINK}"
    plain = suspended(extcal, WORD)("plan", "manifests").out
    shown = suspended(extcal, hostile)("plan", "manifests").out
    assert f"the service reports an error: A [2J ::error::x {LINK}" in shown
    assert shown.count("\n") == plain.count("\n")
    assert f"`A [2J ::error::x {LINK}`" in extcal("plan", "manifests", "--format", "markdown").out
    for command in (("plan", "manifests"), ("status", "manifests"), ("connections", "--site-id", HARBOR)):
        ran = suspended(extcal, "X" * 4_000)(*command)
        assert "a reason of 4,000 characters" in ran.out
        assert "XX" not in ran.out
