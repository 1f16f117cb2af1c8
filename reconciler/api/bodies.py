"""Bodies of answers, inflated within bounds (RFC 9110, 8.4): nothing is ever made larger than it may be."""

import zlib

import httpx

ACCEPTED = "gzip"
_GZIP = 31


class CodingError(Exception):
    """A body that is not encoded as it was asked for, or not as it says; the text says how."""


async def read_body(response: httpx.Response, most: int) -> bytes | None:
    """The body, None where it has more than `most` bytes, on the wire or inflated; raises CodingError.

    Whatever decoders are installed, one gzip is all that was asked for, and all that is taken.
    """
    body = _inflating(response, most)
    try:
        async for chunk in response.aiter_raw():
            if not body.add(chunk):
                return None
    except zlib.error:
        raise CodingError("the answer is not compressed as it says") from None
    return body.end()


def _inflating(response: httpx.Response, most: int) -> "_Body":
    named = [coding.strip().lower() for coding in response.headers.get_list("content-encoding", split_commas=True)]
    codings = [coding for coding in named if coding not in {"", "identity"}]
    if codings not in ([], [ACCEPTED]):
        raise CodingError(f"the answer is encoded as {', '.join(codings)}; {ACCEPTED} was asked for, once at most")
    return _Body(most, zlib.decompressobj(_GZIP) if codings else None)


class _Body:
    def __init__(self, most: int, inflating: "zlib._Decompress | None") -> None:
        self._room = self._most = most
        self._inflating = inflating
        self._parts = bytearray()

    def add(self, chunk: bytes) -> bool:
        """Take what came over the wire; whether it was not too much."""
        self._room -= len(chunk)
        if self._inflating is not None:
            # One byte more than may be tells that there is more, and the rest of it is never made.
            chunk = self._inflating.decompress(chunk, self._most - len(self._parts) + 1)
            if self._inflating.unused_data:
                raise CodingError("the answer goes on after its compressed part")
        self._parts += chunk
        return self._room >= 0 and len(self._parts) <= self._most

    def end(self) -> bytes:
        """The whole body."""
        if self._inflating is not None and not self._inflating.eof and self._room != self._most:
            raise CodingError("the compressed answer is cut off")
        return bytes(self._parts)
