"""Takes secrets out of text, in every form that an echo may give them.

The cost grows with the text alone, not with the number of secrets.

A *needle* is a secret in one form: as it is, made fit to be shown, in base64, in hexadecimal. A *view* of a text is
what it says when its escapes are decoded, once or several times, since messages are put into messages, and what is
seen of it, since what is never drawn is taken out before a text is shown. Needles are looked for in each view; where
one is found, that place is traced back to the text and masked there.
"""

import base64
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from reconciler.api.decoded_views import Span, View
from reconciler.text import one_line

MASK = "[secret]"
SHORTEST = 6
"""What has fewer characters is no secret: masking it would tell it, since every letter of it would be missing."""

_HEAD = 4
_FEW = 64
_SHORTEST_SPELLING = _SHORTEST_NEEDLE = 4
_SHORTEST_MIDDLE = 6
_DEEPEST = 4
# What is taken out: nothing, what is not drawn, and blanks as well.
_HIDDEN = (None, False, True)
# What says nothing else when it is decoded, and has nothing to take out.
_PLAIN = re.compile(rb"[a-zA-Z0-9._~/=:;,!@#$*()?^-]*")


class Redactor:
    """Knows secrets and replaces them; holds them in memory and shows them nowhere."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        # By their first bytes: thousands of passwords must not cost a search each in every message.
        self._needles: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._count = 0
        # Whether a secret has blanks, which may be shown as others, or not at all.
        self._blanks = False

    def copy(self) -> "Redactor":
        """Another one that knows the same secrets."""
        other = Redactor()
        other._secrets |= self._secrets
        other._needles.update((head, set(needles)) for head, needles in self._needles.items())
        other._count, other._blanks = self._count, self._blanks
        return other

    def learn(self, secret: str) -> None:
        """Replace `secret` from now on; one that is too short to be one is left as it is."""
        if len(secret) < SHORTEST or secret in self._secrets:
            return
        self._secrets.add(secret)
        self._blanks = self._blanks or any(map(str.isspace, secret))
        for needle in _needles(secret):
            alike = self._needles[needle[:_HEAD]]
            self._count += needle not in alike
            alike.add(needle)

    def redact(self, text: str) -> str:
        """`text` with every known secret, plain or encoded, in capitals or not, replaced by `[secret]`."""
        if not self._secrets:
            return text
        raw = text.encode("utf-8", "surrogatepass")
        whole = View(raw)
        views = chain(_views(whole, blanks=self._blanks), _views(whole.unbroken(), blanks=self._blanks))
        spans = [view.traced(span) for view in views for span in self._within(view.data.lower())]
        return _masked(raw, spans) if spans else text

    def _within(self, data: bytes) -> Iterator[Span]:
        """Where needles stand in lower-case data."""
        if self._count <= _FEW:
            for needle in (needle for needles in self._needles.values() for needle in needles):
                yield from _joined(_places(needle, data))
            return
        for at in range(len(data) - _HEAD + 1):
            for needle in self._needles.get(data[at : at + _HEAD], ()):
                if data.startswith(needle, at):
                    yield at, at + len(needle)


def _places(needle: bytes, data: bytes) -> Iterator[Span]:
    at = data.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = data.find(needle, at + 1)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Places by where they begin; those that overlap are one, those side by side are two."""
    start = end = 0
    for begins, ends in spans:
        if begins >= end:
            if end:
                yield start, end
            start = begins
        end = max(end, ends)
    if end:
        yield start, end


def _masked(raw: bytes, spans: Iterable[Span]) -> str:
    parts: list[bytes] = []
    done = 0
    for start, end in _joined(sorted(spans)):
        parts += (raw[done:start], MASK.encode())
        done = end
    return b"".join((*parts, raw[done:])).decode("utf-8", "surrogatepass")


def _views(view: View | None, *, blanks: bool) -> Iterator[View]:
    """A view, and what it says when it is decoded again and again, each as it is and as it is seen."""
    for _ in range(_DEEPEST + 1):
        if view is None:
            return
        yield view
        if (drawn := view.drawn(blanks=blanks)) is not None:
            yield drawn
            view = drawn
        if (unbroken := view.unbroken()) is not None:
            yield unbroken
        view = view.decoded()


def _needles(secret: str) -> set[bytes]:
    """The forms of a secret, in lower case, each also as the views of it show it."""
    plain = {text.encode() for text in _spellings(secret)} | _digits(secret.encode())
    found = {form.lower() for each in plain for form in (each, *_settled(each))}
    return {needle for needle in found if len(needle) >= _SHORTEST_NEEDLE}


def _settled(raw: bytes) -> Iterator[bytes]:
    """What is left when nothing is to be decoded any more: all of it, what is drawn of it, and that without blanks."""
    if _PLAIN.fullmatch(raw):
        return
    for hidden in _HIDDEN:
        view = View(raw)
        for _ in range(_DEEPEST + 1):
            if hidden is not None:
                view = view.drawn(blanks=hidden) or view
            after = view.decoded()
            if after is None:
                break
            view = after
        yield view.data


def _spellings(secret: str) -> set[str]:
    """The secret, and what making a text fit to be shown, or ASCII, leaves of it, unless that is next to nothing."""
    seen = "".join(character for character in secret if unicodedata.category(character) != "Cf")
    ascii_only = {secret.encode("ascii", errors).decode() for errors in ("ignore", "replace")}
    return {secret} | {text for text in {one_line(secret), seen} | ascii_only if len(text) >= _SHORTEST_SPELLING}


def _digits(raw: bytes) -> set[bytes]:
    """In hexadecimal; in base64 (RFC 4648, 4 and 5) by itself, and behind something else, as in `user:password`."""
    forms = {raw.hex().encode()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(raw)
        forms |= {alone, alone.rstrip(b"=")}
        for before in range(3):
            # Those characters that no neighbour has a bit in.
            first, end = math.ceil(before * 8 / 6), (before + len(raw)) * 8 // 6
            middle = encode(bytes(before) + raw)[first:end]
            if len(middle) >= _SHORTEST_MIDDLE:
                forms.add(middle)
    return forms
