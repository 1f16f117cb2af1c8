"""The bytes and the text of a file: regular files only, within bounds, UTF-8 without control characters."""

import codecs
import os
import re
from dataclasses import dataclass

from reconciler.manifests.faults import START, FileReport, Place, SpoiledError
from reconciler.manifests.limits import LOOKED_AT
from reconciler.manifests.recognition import says_so
from reconciler.model.source import Fault, Source
from reconciler.safe_paths import IrregularFileError, read_regular
from reconciler.text import escaped

MAX_BYTES = 16 * 1024 * 1024
"""The largest manifest file; 10,000 connections take about 3 MB."""


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file to read: the name to show, and the path that has no link in it."""

    shown: str
    real: str


def read(file: ManifestFile) -> bytes | Fault:
    """What a file holds, or why it is refused; never waits for a pipe or a device."""
    try:
        content = _bytes(file, MAX_BYTES + 1)
    except OSError as error:
        return unreadable(file.shown, error)
    if isinstance(content, str):
        return fault(file.shown, f"is {content}, not a file", "manifests are read from regular files only")
    if len(content) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1024 // 1024} MiB"
        return fault(file.shown, f"the file is larger than {limit}", "split it into several files")
    return content


def says_that_it_is_one(file: ManifestFile) -> bool:
    """Whether the beginning of a file says that it is a manifest; what is no regular file says nothing.

    Raises OSError where it can't be read.
    """
    content = _bytes(file, LOOKED_AT)
    return isinstance(content, bytes) and says_so(content)


def _bytes(file: ManifestFile, most: int) -> bytes | str:
    """The first bytes of a file, or what it is, being no regular one; raises OSError."""
    try:
        return read_regular(file.real, most)
    except IrregularFileError as error:
        return str(error)


def unreadable(shown: str, error: OSError) -> Fault:
    """The fault of what can't be read."""
    return fault(printable(shown), f"can't be read: {error.strerror}", "check that it exists and who may read it")


def fault(shown: str, message: str, hint: str) -> Fault:
    """A fault of a file as a whole."""
    return Fault(Source(shown, *START), "", message, hint)


def printable(name: str) -> str:
    """A path as messages show it."""
    return escaped(os.fsencode(name).decode("utf-8", "backslashreplace"))


# What YAML 1.2 (section 5.1) does not let stand in a stream, a byte order mark anywhere but first, and a % that
# begins a line: directives change how the rest is read, no manifest needs one, and many of them stall libyaml.
_OFFENCE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|^%",
    re.MULTILINE,
)
# Without %, which is not looked for where there is none.
_PLAIN = bytes({*b"\t\n\r", *range(0x20, 0x7F)} - {*b"%"})
_BREAK = re.compile(r"\r\n|\r|\n")
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def decode(content: bytes, report: FileReport) -> str:
    """The text of a file; raises SpoiledError, with every offence reported, if it is not clean UTF-8."""
    if content.startswith(_OTHER_ENCODINGS):
        raise report.spoil(START, "the file is UTF-16 or UTF-32, not UTF-8", "save it as UTF-8")
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        byte = error.object[error.start]
        where = advance(before, START, 0, len(before))
        raise report.spoil(where, f"the byte 0x{byte:02x} is not UTF-8", "save the file as UTF-8") from None
    # What remains of a file without its printable ASCII is nothing, almost always, and that is quick to tell.
    if content.translate(None, _PLAIN):
        _refuse_offences(text, report)
    return text


def _refuse_offences(text: str, report: FileReport) -> None:
    place, index = START, 0
    for match in _OFFENCE.finditer(text):
        place, index = advance(text, place, index, match.start()), match.start()
        if match[0] == "%":
            message = "a line that begins with % is refused"
            hint = "manifests need no YAML directives; indent the line if it belongs to a text"
        else:
            message, hint = f"the control character U+{ord(match[0]):04X} is refused", "remove it"
        report.add(place, message, hint=hint)
    if report.faults:
        report.spoiled = True
        raise SpoiledError


def advance(text: str, place: Place, begin: int, end: int) -> Place:
    """Line and column, in characters from 1, of `end`, when those of `begin` are `place`."""
    line, column = place
    start = begin - (column - 1)
    for match in _BREAK.finditer(text, begin, end):
        line, start = line + 1, match.end()
    return line, end - start + 1
