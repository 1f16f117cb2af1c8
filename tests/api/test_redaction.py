"""Secrets are taken out of text in every form that an echo may give them, and the text around them stays."""

import base64
import functools
import html
import json
import sys
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from reconciler.api.redaction import Redactor
from reconciler.text import inert, one_line, unseen
from tests.support.hostile_texts import UNSEEN, broken
from tests.support.work import steps

SECRET = "pä\"s\\/ w+%0 <ñ'>&~€𝄞-z"


def knowing(*secrets: str) -> Redactor:
    """A redactor that knows these."""
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


def shown(form: str, *secrets: str) -> str:
    """What is left of a form of a secret amid other text."""
    return knowing(*(secrets or (SECRET,))).redact(f"before <{form}> after")


def every(encode: Callable[[str], str]) -> str:
    """The secret with every character encoded."""
    return "".join(map(encode, SECRET))


def json_units(character: str) -> str:
    """A character as JSON escapes, a surrogate pair where it takes one."""
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


FORMS = {
    "plain": SECRET,
    "percent": quote(SECRET, safe=""),
    "percent, slashes spared": quote(SECRET),
    "percent, lower case": quote(SECRET, safe="").lower(),
    "percent, each": every(lambda c: "".join(f"%{byte:02X}" for byte in c.encode())),
    "as a form": quote_plus(SECRET),
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON, as it is": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "JSON, slashes escaped": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "JSON, each": every(json_units),
    "JSON, each, upper case": every(lambda c: json_units(c).upper().replace("\\U", "\\u")),
    "Python": repr(SECRET)[1:-1],
    "Python, bytes": repr(SECRET.encode())[2:-1],
    "Python, bytes, each": every(lambda c: "".join(f"\\x{byte:02X}" for byte in c.encode())),
    "HTML": html.escape(SECRET),
    "HTML, text alone": html.escape(SECRET, quote=False),
    "HTML, named": SECRET.replace("&", "&amp;").replace("ä", "&auml;").replace("€", "&euro;").replace("ñ", "&ntilde;"),
    "HTML, apostrophe": SECRET.replace("'", "&apos;"),
    "HTML, decimal": every(lambda c: f"&#{ord(c)};"),
    "HTML, decimal, with zeros": every(lambda c: f"&#{ord(c):07d};"),
    "HTML, hexadecimal": every(lambda c: f"&#x{ord(c):x};"),
    "HTML, hexadecimal, upper case, with zeros": every(lambda c: f"&#X{ord(c):08X};"),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal, upper case": SECRET.encode().hex().upper(),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64, unpadded": base64.b64encode(SECRET.encode()).decode().rstrip("="),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "ASCII alone": SECRET.encode("ascii", "ignore").decode(),
    "ASCII with marks": SECRET.encode("ascii", "replace").decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_replaced_and_nothing_else(form: str) -> None:
    """What comes before and after it stays as it is."""
    assert shown(form) == "before <[secret]> after"


@pytest.mark.parametrize("encode", [quote, json_units, lambda c: f"&#{ord(c)};"], ids=["URL", "JSON", "HTML"])
@pytest.mark.parametrize("first", [0, 1])
def test_each_character_may_be_encoded_or_not(encode: Callable[[str], str], first: int) -> None:
    """Encoders differ in which characters they spare; only what begins an encoding itself is never spared."""
    secret = SECRET.replace("%", "").replace("\\", "")
    mixed = "".join(encode(c) if n % 2 == first else c for n, c in enumerate(secret))
    assert shown(mixed, secret) == "before <[secret]> after"


@pytest.mark.parametrize(
    ("secret", "echo"),
    [
        ("sword fish", "sword+fish"),
        ("sword+fish", "sword%2Bfish"),
        ("100%41+x", "100%41+x"),
        ("a&amp;b&lt", "a&amp;b&lt"),
        ("a\\u0041b", "a\\u0041b"),
        ("sea\\gull", "sea\\\\gull"),
        ("sea\\gull", "sea%5Cgull"),
        ("sea\\\\gull", "sea\\\\gull"),
        ("sea\\\\gull", "sea\\\\\\\\gull"),
        ("sea\\\\gull", "sea%5C%5cgull"),
        ("sea\\\\gull", "sea&#92;&#x5C;gull"),
        ("sea'gull", "sea\\'gull"),
        ('sea"gull', 'sea\\"gull'),
        ('"seagull"', '\\"seagull\\"'),
        ("\\\\\\\\\\\\", "\\\\\\\\\\\\"),
    ],
)
def test_secrets_that_look_like_something_encoded(secret: str, echo: str) -> None:
    """As they stand, and encoded once more, whatever they would say if they were decoded."""
    assert shown(echo, secret) == "before <[secret]> after"


def test_a_backslash_before_a_secret_stays() -> None:
    """Only what escapes a secret's own quotes and slashes goes with it."""
    assert knowing("seagull").redact("C:\\seagull") == "C:\\[secret]"
    assert knowing("sea/gull").redact("C:\\sea\\/gull") == "C:\\[secret]"


@pytest.mark.parametrize("by", UNSEEN.values(), ids=UNSEEN.keys())
@pytest.mark.parametrize("secret", ["sw0rd-fish/of+harbor", "sword fish  of harbor", SECRET])
def test_what_is_not_seen_hides_nothing(secret: str, by: str) -> None:
    """In the secret, in any encoding of it, and encoded itself: what is shown would be whole."""
    bytewise = "".join(f"%{byte:02X}" for byte in secret.encode())
    for form in (secret, quote(secret, safe=""), bytewise, base64.b64encode(secret.encode()).decode()):
        assert shown(broken(form, by), secret) == "before <[secret]> after"
    whole = broken(secret, by)
    for encode in (json.dumps, lambda text: json.dumps(json.dumps(text)), lambda text: html.escape(repr(text))):
        assert "[secret]" in knowing(secret).redact(encode(whole))
    if by.isprintable():
        assert shown(quote(quote(whole)), secret) == "before <[secret]> after"


@pytest.mark.parametrize("by", ["\u200b", "\u034f", "\n", "\\n"])
def test_what_is_not_seen_hides_no_encoding(by: str) -> None:
    """Not even amid an escape, or at every one of its places."""
    encoded = "".join(f"%{byte:02X}" for byte in b"sword-fish")
    assert shown(by.join(encoded), "sword-fish") == "before <[secret]> after"


def test_whatever_is_made_fit_to_be_shown_is_seen_through() -> None:
    """No character is taken out of what is shown, or blanked, that could stand in a secret unnoticed."""
    for first in range(0, sys.maxunicode + 1, 256):
        characters = [chr(code) for code in range(first, first + 256)]
        together = ";".join(f"a{character}b" for character in characters)
        if inert(together) == one_line(together) == together:  # as most are: nothing of these is taken out
            continue
        for character in characters:
            if inert(f"a{character}b") == "ab" or (one_line(f"a{character}b") in {"ab", "a b"} and character != " "):
                assert list(unseen(f"a{character}b")) == [(1, 2)], hex(ord(character))


def test_lines_and_marks_around_a_secret_stay() -> None:
    """What is taken out to look for it is not taken out of the text."""
    text = "é\u0301 one\ttwo\n  thr\u200bee {}\n\u3164four {} \\n"
    assert knowing("swordfish").redact(text.format("swordfish", "sw\u034fordfish")) == text.format(
        "[secret]", "[secret]"
    )


TWICE: dict[str, Callable[[str], str]] = {
    "percent": lambda text: quote(text, safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "HTML": html.escape,
    "Python": lambda text: repr(text)[1:-1],
}


@pytest.mark.parametrize("outer", TWICE.values(), ids=TWICE.keys())
@pytest.mark.parametrize("inner", TWICE.values(), ids=TWICE.keys())
def test_what_was_encoded_twice_is_not_shown(inner: Callable[[str], str], outer: Callable[[str], str]) -> None:
    """A message within a message: the secret is cut out."""
    assert shown(outer(inner(SECRET))) == "before <[secret]> after"


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:", "dr.lee@harbor.example:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_no_base64_of_more_than_the_secret_shows_it(encode: Callable[[bytes], bytes], before: str) -> None:
    """Behind something else, as in `user:password`, what is the secret's is cut out, whatever follows it."""
    secret = "sw0rdf?sh>of~the/site"
    for after in ("", "\n", ":and more"):
        encoded = encode((before + secret + after).encode()).decode()
        left = knowing(secret).redact(encoded)
        assert "[secret]" in left
        # At most three characters have a bit of a neighbour in them, on either side.
        spared = left.split("[secret]")
        assert len(spared[0]) * 6 <= len(before.encode()) * 8 + 12
        assert len(spared[-1]) * 6 <= len(after.encode()) * 8 + 24
        assert len(spared) == 2


def test_a_short_piece_of_base64_is_no_secret() -> None:
    """Of six bytes seven characters are theirs alone; what fewer leave could be anything."""
    encoded = base64.b64encode(b"xabcdef").decode()
    assert knowing("abcdef").redact(encoded) == f"{encoded[:2]}[secret]{encoded[9:]}"
    assert knowing("abcdef").redact(encoded[:7]) == encoded[:7]


@pytest.mark.parametrize(
    "text",
    [
        "nothing of it",
        "100% of it + more",
        "%zz %C3 + &amp; &notme; &#65; \\u0041 \\x41 \\n \\",
        "no text: \\xff\\xfe \\ud800 %FF &#xD800; &#99999999;",
        '{"a": "b\\/c"}',
        "",
        "\ud800 lone",
    ],
)
def test_what_holds_no_secret_is_left_as_it_is(text: str) -> None:
    """Nothing is decoded for whoever reads it."""
    assert knowing(SECRET, "another-one").redact(text) == text


def test_what_was_not_learned_is_not_replaced() -> None:
    """An empty secret says nothing, and a redactor begins with none."""
    assert knowing().redact(SECRET) == SECRET
    assert knowing("").redact("a b") == "a b"


def test_all_places_of_all_secrets_are_replaced() -> None:
    """However often they stand there, side by side or apart."""
    text = f"{SECRET}{SECRET} {quote(SECRET)} other-one,{SECRET}"
    assert knowing(SECRET, "other-one").redact(text) == "[secret][secret] [secret] [secret],[secret]"


@pytest.mark.parametrize("order", [("site-key", "site-key-of-harbor"), ("site-key-of-harbor", "site-key")])
def test_a_secret_that_holds_another_is_replaced_whole(order: tuple[str, str]) -> None:
    """Nothing of the longer one is left, whichever was learned first."""
    assert shown("site-key-of-harbor", *order) == "before <[secret]> after"
    assert shown("site-key", *order) == "before <[secret]> after"


@pytest.mark.parametrize("short", ["", "e", "se", "sec", "t]", "eight", "fünf!"])
def test_what_is_too_short_to_be_a_secret_is_left(short: str) -> None:
    """Masking it would tell it: every such letter would be missing."""
    text = f"swordfish {short} an eighth of a sea bee"
    assert knowing(short).redact(text) == text
    assert knowing("swordfish", short).redact(text) == text.replace("swordfish", "[secret]")


@pytest.mark.parametrize("secret", ["[secret]", "secret", "[secret"])
def test_masks_are_not_bitten_into(secret: str) -> None:
    """A secret that stands within the mask's own letters is masked where it stood before."""
    shown = knowing("swordfish", secret).redact(f"swordfish {secret} swordfish")
    assert shown == "[secret] [secret] [secret]"


def test_an_entity_without_its_end_is_cut_out() -> None:
    """A browser reads it, too."""
    assert knowing("sw<rdfish").redact("heard sw&ltrdfish here") == "heard [secret] here"
    assert knowing("sw<rdfish").redact("heard sw&lt;rdfish here") == "heard [secret] here"


@pytest.mark.parametrize("echo", ["SWORDFISH", "Swordfish", "SWORD%66ISH", "53574F5244464953 48".replace(" ", "")])
def test_capitals_hide_nothing(echo: str) -> None:
    """Addresses are lower-cased on their way, and headings may be in capitals."""
    assert shown(echo, "swordfish" if echo[0] != "5" else "SWORDFISH") == "before <[secret]> after"


def test_a_very_long_secret_is_found_all_the_same() -> None:
    """As it stands, and encoded."""
    long = "w+x" * 2000
    assert knowing(long).redact(f"<{long}>") == "<[secret]>"
    assert knowing(long).redact(f"<{quote(long, safe='')}>") == "<[secret]>"


@pytest.mark.parametrize(
    ("secret", "echo"),
    [
        ("sword\u200bfish", "swordfish"),
        ("sword\u202e  \x1ffish", "sword fish"),
        ("swörd\u200b  fish", "swörd  fish"),
        ("sword  fish\u2028 x", "sword fish x"),
        ("a\u200bbcdef", "abcdef"),
        ("äbcdef", "bcdef"),
        ("äbcdef", "?bcdef"),
    ],
)
def test_what_is_left_of_a_secret_that_was_made_fit_to_show_is_replaced(secret: str, echo: str) -> None:
    """Without its invisible characters, with single blanks, in ASCII."""
    assert shown(echo, secret) == "before <[secret]> after"


@pytest.mark.parametrize(("secret", "rest"), [("äöüabc", "abc"), ("ä\u200bö\u00fcßx", "x")])
def test_what_is_next_to_nothing_is_no_secret(secret: str, rest: str) -> None:
    """Three characters that are left of one would mask half of every message."""
    assert shown(rest, secret) == f"before <{rest}> after"


def test_a_copy_knows_the_same_and_learns_alone() -> None:
    """Neither hears of what the other one learns."""
    first = knowing("swordfish")
    second = first.copy()
    assert second.redact("swordfish") == "[secret]"
    first.learn("herring")
    second.learn("mackerel")
    assert (first.redact("herring mackerel"), second.redact("herring mackerel")) == (
        "[secret] mackerel",
        "herring [secret]",
    )


@pytest.mark.parametrize(
    "unit",
    [
        "\\",
        "\\u0041",
        "\\ud834",
        "%41",
        "%25",
        "&#0",
        "&#00065;",
        "&amp;",
        "&amp",
        "+",
        "swordfish",
        "swordfis",
        "\\x4%4&#",
    ],
)
@pytest.mark.parametrize("before", ["", "swordfish", "&#"])
def test_twice_the_text_costs_twice_as_much(unit: str, before: str) -> None:
    """Whatever a service repeats, behind a secret or not."""
    redactor = knowing("swordfish")
    once, twice = (steps(functools.partial(redactor.redact, before + unit * count)) for count in (200, 400))
    assert twice <= 2.1 * once


@pytest.mark.parametrize("unit", ["\\", "&#", "&#0", "0", "%", "\\u", "u00", "x4", "&a"])
def test_no_pattern_is_tried_again_and_again(unit: str) -> None:
    """Where each place of so long a text were tried from each other one, this would not end."""
    text = f"swordfish &#{unit * 50_000} \\{unit * 50_000}"
    assert knowing("swordfish").redact(text) == text.replace("swordfish", "[secret]")


def test_numbers_of_thousands_of_digits_are_no_characters() -> None:
    """What HTML calls a reference may be longer than any number that Python reads."""
    for text in (f"&#{'9' * 5_000};", f"&#x{'f' * 5_000};", f"&#{'0' * 5_000}65;", "&#1114112;", "&#xD800;"):
        assert knowing("swordfish").redact(text) == text
        assert knowing("swordfish").redact(f"{text}swordfish") == f"{text}[secret]"
