"""Taking secrets out of text, in every form that an echo may give them."""

import base64
import html
import math
import re
import unicodedata
from collections import defaultdict
from html.entities import codepoint2name
from urllib.parse import unquote

from reconciler.api.text import fit

MASK = "[secret]"
# No secret holds a control character, so this stands for a mask until all secrets are gone: a short secret
# can't bite pieces out of a mask that is already there.
_MARK = "\0"

_HEAD = 4
_SHORTEST_SPELLING = 4
_SHORTEST_MIDDLE = 6
_LONGEST_PATTERN = 4096
_DEEPEST = 3
_ESCAPE = re.compile(r"""\\u([0-9a-fA-F]{4})|((?:\\x[0-9a-fA-F]{2})+)|\\(["'\\/])""")
_ENTITIES = codepoint2name | {ord("'"): "apos"}


class Redactor:
    """Knows secrets and replaces them; holds them in memory and shows them nowhere."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        # By their first characters: thousands of passwords must not cost a search each in every message.
        self._forms: defaultdict[str, set[str]] = defaultdict(set)

    def copy(self) -> "Redactor":
        """Another one that knows the same secrets."""
        other = Redactor()
        for secret in self._secrets:
            other.learn(secret)
        return other

    def learn(self, secret: str) -> None:
        """Replace `secret` from now on; one that is empty says nothing."""
        if not secret or secret in self._secrets:
            return
        self._secrets.add(secret)
        for form in _spellings(secret) | _digits(secret.encode()):
            self._forms[form[:_HEAD]].add(form)

    def redact(self, text: str) -> str:
        """`text` with every known secret, plain or encoded, replaced by `[secret]`.

        Where one is encoded so that it can be seen but not be cut out, nothing is left of the text.
        """
        # Longest first: what holds another is replaced whole.
        for form in sorted(self._found(text), key=lambda form: (-len(form), form)):
            text = _pattern(form).sub(_MARK, text)
        return MASK if self._found(text) else text.replace(_MARK, MASK)

    def _found(self, text: str) -> set[str]:
        return {form for meaning in _meanings(text) for form in self._within(meaning)}

    def _within(self, text: str) -> set[str]:
        heads = {text[at : at + size] for size in range(1, _HEAD + 1) for at in range(len(text))}
        return {form for head in heads & self._forms.keys() for form in self._forms[head] if form in text}


def _spellings(secret: str) -> set[str]:
    """The secret, and what making a text fit to be shown, or ASCII, leaves of it, unless that is next to nothing."""
    seen = "".join(character for character in secret if unicodedata.category(character) != "Cf")
    ascii_only = {secret.encode("ascii", errors).decode() for errors in ("ignore", "replace")}
    return {secret} | {text for text in {fit(secret), seen} | ascii_only if len(text) >= _SHORTEST_SPELLING}


def _digits(raw: bytes) -> set[str]:
    """In hexadecimal; in base64 (RFC 4648, 4 and 5) by itself, and behind something else, as in `user:password`."""
    forms = {raw.hex(), raw.hex().upper()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(raw).decode()
        forms |= {alone, alone.rstrip("=")}
        for before in range(3):
            # Those characters that no neighbour has a bit in.
            first, end = math.ceil(before * 8 / 6), (before + len(raw)) * 8 // 6
            middle = encode(bytes(before) + raw).decode()[first:end]
            if len(middle) >= _SHORTEST_MIDDLE:
                forms.add(middle)
    return forms


def _meanings(text: str) -> set[str]:
    """What a text says, as it stands and decoded, again and again: messages are put into messages."""
    found = new = {text}
    for _ in range(_DEEPEST):
        new = {meaning for each in new for meaning in _decoded(each)} - found
        found = found | new
    return found


def _decoded(text: str) -> set[str]:
    """What a text says if it is percent-encoded, with plus signs for blanks or not, JSON, Python, or HTML."""
    found = set()
    if "%" in text or "+" in text:
        found |= {unquote(text), unquote(text.replace("+", " "))}
    if "\\" in text:
        found.add(_ESCAPE.sub(_unescaped, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    if "&" in text:
        found.add(html.unescape(text))
    return found


def _unescaped(escape: re.Match[str]) -> str:
    if escape[2]:
        return bytes.fromhex(escape[2].replace("\\x", "")).decode("utf-8", "replace")
    return escape[3] or chr(int(escape[1], 16))


def _pattern(form: str) -> re.Pattern[str]:
    """What finds `form` with any of its characters encoded, since encoders differ in which ones they spare."""
    if len(form) > _LONGEST_PATTERN:
        return re.compile(re.escape(form))
    # Backslashes in a row are one thing: each is doubled wherever a text is put into another.
    return re.compile("".join(f"(?:{_part(part)})" for part in re.findall(r"\\+|[^\\]", form)))


def _part(part: str) -> str:
    """A character, plain, percent-encoded (RFC 3986, 2.1), in JSON (RFC 8259, 7), in Python, or in HTML (13.1.4)."""
    character, count = part[0], len(part)
    code, units = ord(character), character.encode("utf-16-be")
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    json = "".join(rf"\\+u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    python = percent.replace("%", r"\\+x")
    encoded = f"(?:(?i:{percent}|{json}|{python}|&#0*{code};|&#x0*{code:x};)){{{count}}}"
    if character == "\\":
        return rf"{encoded}|\\{{{count},}}"
    forms = [encoded]
    if code in _ENTITIES:
        forms.append(f"&{_ENTITIES[code]};")
    if character == " ":
        forms.append(r"\+")
    escape = r"\\*" if character in "\"'/" else ""
    return "|".join([*forms, escape + re.escape(character)])
