"""Secrets that stand out, and a search for them in every form; it decodes, and so shares no list with extcal."""

import base64
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

# Each holds what one encoding or another changes: quotes, slashes, signs of URLs, HTML and JSON, blanks, non-ASCII.
API_KEY = "IST.k\"e\\y/a+b%41&<c'>~4c21-qzvkjw"
APP_SECRET = "app \"s\\e/c+r%2Fe&<t'>é~9f2e-wxqpzt"
TOKEN = "tok\"5\\1/5+0%61&<b'>~77aa-kvzqjr"
PASSWORD = "pä\"s\\s/w+o%72  d&<ñ'>~41-zjqvxk"
FILE_PASSWORD = "fi\"l\\e/p+w%20&<ü'>~83-xwqzkf"
PROXY_PASSWORD = "pr\"o\\x/y+p%3Aw&<d'>~65-vjkqzx"

CANARIES = {
    "API key": API_KEY,
    "app secret": APP_SECRET,
    "access token": TOKEN,
    "account password": PASSWORD,
    "account password in a file": FILE_PASSWORD,
    "proxy password": PROXY_PASSWORD,
}
# Twelve characters of a secret count as the secret: wherever they begin, one of these pieces is among them.
_PIECE, _STEP = 8, 5
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
_JSON_ESCAPE = re.compile(rb'\\(?:u([0-9a-fA-F]{4})|(["\\/]))')


def leaks(data: bytes) -> list[str]:
    """Which canaries `data` holds, whole or a good piece of them, by name: plain or however they are encoded."""
    # No piece holds a NUL, so none lies across two views. Most views of a text are the text itself.
    views = b"\0".join(set(_views(data)))
    return [name for name, pieces in _PIECES.items() if any(piece in views for piece in pieces)]


def _pieces(secret: str) -> set[bytes]:
    """Pieces that are told from chance; with blanks as a message has them, too."""
    texts = (secret, " ".join(secret.split()))
    return {text[at : at + _PIECE].encode() for text in texts for at in range(0, len(text) - _PIECE + 1, _STEP)}


_PIECES = {name: _pieces(secret) for name, secret in CANARIES.items()}


def _views(data: bytes) -> Iterator[bytes]:
    """The data, and what it says when it is decoded, once and once more."""
    decoders: tuple[Callable[[bytes], bytes], ...] = (_unquoted, _unquoted_plus, _unescaped, _without_entities)
    once = {data, *(decode(data) for decode in decoders)}
    yield from once
    yield from (decode(each) for each in once for decode in decoders)
    for view in once:
        yield from _decoded_runs(view)


def _unquoted(data: bytes) -> bytes:
    return unquote_to_bytes(data)


def _unquoted_plus(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" "))


def _unescaped(data: bytes) -> bytes:
    def character(match: re.Match[bytes]) -> bytes:
        return match[2] or chr(int(match[1], 16)).encode("utf-8", "replace")

    return _JSON_ESCAPE.sub(character, data)


def _without_entities(data: bytes) -> bytes:
    return html.unescape(data.decode("utf-8", "replace")).encode("utf-8", "replace")


def _decoded_runs(data: bytes) -> Iterator[bytes]:
    for match in _HEX.finditer(data):
        yield bytes.fromhex(match[0].decode())
    for match in _BASE64.finditer(data):
        run = match[0].replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            part = run[start:]
            # What is left after whole groups of four is of no use without its neighbour.
            yield base64.b64decode(part[: len(part) // 4 * 4])
