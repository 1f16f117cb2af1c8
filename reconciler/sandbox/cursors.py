"""Makes and reads paging cursors: opaque, signed, and good while the data folder lives."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import zlib
from typing import TYPE_CHECKING

from reconciler.sandbox.errors import RefusedError, ViolatedRule, Violation, invalid

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

MAX_CURSOR = 128 * 1024
_DIGEST_BYTES = 16


def make_cursor(database: sqlite3.Connection, site_id: str, kind: str, content: Mapping[str, object]) -> str:
    """A cursor that carries `content` (JSON) to the next call of a method on a site."""
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode())
    return base64.urlsafe_b64encode(_signature(database, site_id, kind, packed) + packed).decode().rstrip("=")


def read_cursor(database: sqlite3.Connection, site_id: str, kind: str, cursor: str) -> dict[str, object]:
    """The content of a cursor.

    A refusal (400) where it isn't one that this method gave for this site.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None
    signature, packed = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if not hmac.compare_digest(signature, _signature(database, site_id, kind, packed)):
        raise _bad_cursor()
    content: dict[str, object] = json.loads(zlib.decompress(packed))
    return content


def _bad_cursor() -> RefusedError:
    return invalid(Violation("cursorPaging.cursor", "must be a cursor from an earlier answer", ViolatedRule.FORMAT))


def _signature(database: sqlite3.Connection, site_id: str, kind: str, packed: bytes) -> bytes:
    secret = str(database.execute("SELECT value FROM meta WHERE name = 'cursor_secret'").fetchone()["value"])
    message = f"{kind}\n{site_id}\n".encode() + packed
    return hmac.digest(secret.encode(), message, hashlib.sha256)[:_DIGEST_BYTES]
