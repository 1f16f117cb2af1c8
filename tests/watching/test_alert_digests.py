"""What an alert says: the worst first, grouped by cause, short, and nothing that a chat takes for more than text."""

import pytest

from reconciler.watching.alert_digest import LONGEST, compose, harmless
from reconciler.watching.alert_state import Condition, Transition
from tests.support.hostile_texts import assert_inert


def event(address: str, condition: Condition = Condition.BROKEN, cause: str = "access was revoked") -> Transition:
    """Something began."""
    return Transition(address, condition, began=True, cause=cause, word="in error", account="lee@harbor.example")


def test_the_worst_is_first_and_one_cause_is_said_once() -> None:
    """Conditions in their order, causes below, then addresses by name; what ended is last."""
    ended = Transition("harbor/a", Condition.BROKEN, began=False, cause="", word="ok", account="")
    drifted = event("harbor/d", Condition.DRIFTED, "sync config differs")
    digest = compose([ended, drifted, event("harbor/c"), event("harbor/b"), event("harbor", Condition.UNREADABLE)])
    assert digest.title == "extcal: can't be read: 1, and 4 more"
    assert digest.text.splitlines() == [
        "Can't be read: access was revoked",
        "- harbor: in error, lee@harbor.example",
        "Broke: access was revoked",
        "- harbor/b: in error, lee@harbor.example",
        "- harbor/c: in error, lee@harbor.example",
        "Not as declared: sync config differs",
        "- harbor/d: in error, lee@harbor.example",
        "Recovered",
        "- harbor/a: ok",
    ]


def test_what_is_no_longer_in_error_and_not_connected_has_not_recovered() -> None:
    """It says so."""
    gone = Transition("harbor/a", Condition.BROKEN, began=False, cause="", word="awaiting consent", account="")
    assert compose([gone]).text.startswith("No longer in error, and not connected\n")


def test_a_digest_of_long_texts_is_short() -> None:
    """However long names and causes are: what does not fit is counted."""
    events = [event(f"harbor/{number:02}{'x' * 300}", cause="y" * 900 + str(number)) for number in range(50)]
    text = compose(events).text
    assert len(text) <= LONGEST
    named = sum(line.startswith("- ") for line in text.splitlines())
    assert named >= 1
    assert text.endswith(f"\nand {50 - named} more; extcal status shows all")


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("@everyone", "(at)everyone"),
        ("x@here", "x(at)here"),
        (
            "<!channel> <@U12> <#C1> <users/all> <at>Lee</at>",
            (
                "\u2039!channel\u203a \u2039(at)U12\u203a \u2039#C1\u203a"
                " \u2039users/all\u203a \u2039at\u203aLee\u2039/at\u203a"
            ),
        ),
        ("[x](http://evil.example)", "[x] (http[:]//evil.example)"),
        ("||hidden|| `code` ~~gone~~ **bold** __under__", "| |hidden| | 'code' ~ ~gone~ ~ * *bold* * _ _under_ _"),
        ("two\nlines\u202ereversed", "two linesreversed"),
        ("lee@harbor.example", "lee@harbor.example"),
        ("(@lee)", "((at)lee)"),
    ],
)
def test_no_chat_takes_a_name_for_more_than_text(named: str, shown: str) -> None:
    """Neither a mention, nor a link, nor markup; an account can be read as it is."""
    assert harmless(named, 200) == shown
    digest = compose([Transition(named, Condition.BROKEN, began=True, cause=named, word="in error", account=named)])
    assert_inert(digest.text)
    assert "@everyone" not in digest.text
    assert "<" not in digest.text
    assert "://" not in digest.text


def test_secrets_are_taken_out_before_a_text_is_cut() -> None:
    """No half of one is left."""
    secret = "seagull-lantern-41"
    digest = compose([event("harbor/a", cause="z" * 190 + secret)], lambda text: text.replace(secret, "[secret]"))
    assert "seagull" not in digest.text
