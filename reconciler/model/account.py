"""Compares and shows accounts, addresses that anybody may write, and tells lookalikes."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from reconciler.text import escaped

_LONGEST = 320
"""Characters of an address (source: RFC 3696, erratum 1690); a longer one has no domain that could be looked up."""
_LONGEST_SHOWN = 160
"""What is longer than this would be cut, and with it what tells a lookalike."""

# What parts a domain's labels (source: UTS 46, section 4.5), and the words of a local part.
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
# Letters of other scripts that are drawn like Latin ones (source: Unicode, confusables.txt).
_LIKE_LATIN = {
    "Cyrillic": frozenset(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u0475\u04af\u04bb\u04bd\u04cf\u0501\u051b\u051d"
        "\u0405\u0406\u0408\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u04ae\u04c0\u051a\u051c"
    ),
    "Greek": frozenset(
        "\u03b1\u03b3\u03b9\u03bd\u03bf\u03c1\u03c3\u03c5"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    ),
}
# Scripts that are written together in one language (source: UTS 39, section 5.1).
_TOGETHER = (
    frozenset({"Han", "Hiragana", "Katakana"}),
    frozenset({"Han", "Hangul"}),
    frozenset({"Han", "Bopomofo"}),
)
_HAN = {"CJK", "IDEOGRAPHIC"}
# What is assigned to nobody, or by private agreement: nothing is drawn for it, or a box.
_UNASSIGNED = {"Cn", "Co"}
_WIDTHS = {"FULLWIDTH", "HALFWIDTH"}


@dataclass(frozen=True, slots=True)
class Account:
    """An account's address, equal to every other spelling of it."""

    given: str = field(compare=False)
    """As a manifest or the service spells it: so it is shown and sent."""

    normal: str = field(init=False, repr=False)
    """By what it is compared: the local part without its case, the domain as it is looked up (`xn--…`)."""

    def __post_init__(self) -> None:
        """Normalise it, once for all comparisons."""
        object.__setattr__(self, "normal", _normal(self.given))

    def __str__(self) -> str:
        return self.given


def _normal(account: str) -> str:
    """Both parts are brought to one form of those that Unicode holds to be the same text.

    A domain that is none is compared as the local part is.
    """
    account = account.strip()
    if account.isascii():
        return account.lower()
    local, domain = _parts(account)
    return f"{_caseless(local)}@{_looked_up(domain) or _caseless(domain)}" if domain else _caseless(account)


def shown(address: Account | str | None, unknown: str = "account not shown") -> str:
    """An account's address for people: beside one that is not ASCII comes what can't be mistaken.

    That is its domain as it is looked up (`xn--…`) or, where the local part is not ASCII either, the whole address in
    escapes; it comes alone where both are too long to be shown whole. `unknown` stands for one that is not known.
    """
    account = "" if address is None else str(address)
    if not account:
        return unknown
    if account.isascii():
        return account
    local, domain = _parts(account)
    plain_domain = _looked_up(domain) or _escaped(domain)
    plain = f"{_escaped(local)}@{plain_domain}" if domain else _escaped(account)
    both = f"{account} ({plain_domain if local.isascii() and domain else plain})"
    return both if len(both) <= _LONGEST_SHOWN else plain


def lookalikes(address: Account | str) -> Iterator[str]:
    """What in an address may be taken for something else: a remark for each such part of it."""
    account = str(address)
    if account.isascii():
        return
    if (seen := escaped(account)) != account or any(unicodedata.category(each) in _UNASSIGNED for each in account):
        yield f"'{seen}' holds characters that nobody sees"
    latin = "Latin" in _scripts(account)
    for part in dict.fromkeys(part for side in _parts(account) for part in _DOTS.split(side)):
        scripts = _scripts(part)
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            *others, last = sorted(scripts)
            yield f"'{part}' mixes {', '.join(others)} and {last} letters"
        # In an address that is all of one script nothing else is meant.
        elif latin and any(
            scripts == {script} and all(letter in letters or not letter.isalpha() for letter in part)
            for script, letters in _LIKE_LATIN.items()
        ):
            yield f"'{part}' is all {min(scripts)} letters that look like Latin ones"


def _parts(account: str) -> tuple[str, str]:
    """Its local part and its domain, which is empty in what is no address."""
    local, at, domain = account.rpartition("@")
    return (local, domain) if at else (account, "")


def _caseless(text: str) -> str:
    # Another form may come of the letters in lower case: J with a caron has none, j has.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


@lru_cache(maxsize=1024)
def _looked_up(domain: str) -> str | None:
    """A domain in ASCII, as it is asked for; None for what is no domain (source: RFC 5891, and UTS 46's mapping)."""
    if domain.isascii():
        return domain.lower()
    if len(domain) > _LONGEST:
        return None
    import idna  # noqa: PLC0415 - its tables take longer to import than most runs, which need none, take to compare

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return None


def _escaped(text: str) -> str:
    # Controls are left out of whatever is shown; what else is not drawn must be seen here.
    return _CONTROLS.sub("", text).encode("ascii", "backslashreplace").decode("ascii")


def _scripts(part: str) -> frozenset[str]:
    """The scripts of the letters of a text, by their names; marks, digits and signs belong to all."""
    return frozenset(_script(letter) for letter in part if letter.isalpha())


def _script(letter: str) -> str:
    first, _, rest = unicodedata.name(letter, "unnamed").partition(" ")
    if first in _WIDTHS:
        first = rest.partition(" ")[0]
    return "Han" if first.partition("-")[0] in _HAN else first.capitalize()
