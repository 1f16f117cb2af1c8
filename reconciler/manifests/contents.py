"""Manifest files: which of a folder's files they are, and their bytes and text as UTF-8.

A file whose name ends in a suffix of manifests is one; a `.json` only if its content declares `apiVersion: extcal/…`,
since many other tools write JSON. A file that declares it and is not read, for its name (`kim.yaml.off`, `.kim.yaml`)
or since it lies in a dot-folder, is a *stray*. Only regular files are read, within bounds, without control characters.
"""

import codecs
import os
import re
from dataclasses import dataclass

from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.limits import LOOKED_AT
from reconciler.manifests.values import START, Place
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
        return unreadable_fault(file.shown, error)
    if isinstance(content, str):
        return file_fault(file.shown, f"is {content}, not a file", "manifests are read from regular files only")
    if len(content) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1024 // 1024} MiB"
        return file_fault(file.shown, f"the file is larger than {limit}", "split it into several files")
    return content


def begins_as_manifest(file: ManifestFile) -> bool:
    """Whether the beginning of a file declares a manifest; only a regular file can.

    Raises OSError where it can't be read.
    """
    content = _bytes(file, LOOKED_AT)
    return isinstance(content, bytes) and declares_manifest(content)


def _bytes(file: ManifestFile, most: int) -> bytes | str:
    """The first bytes of a file, or what it is, being no regular one; raises OSError."""
    try:
        return read_regular(file.real, most)
    except IrregularFileError as error:
        return str(error)


def unreadable_fault(shown: str, error: OSError) -> Fault:
    """The fault of what can't be read."""
    return file_fault(printable(shown), f"can't be read: {error.strerror}", "check that it exists and who may read it")


def file_fault(shown: str, message: str, hint: str) -> Fault:
    """A fault of a file as a whole."""
    return Fault(Source(shown, *START), "", message, hint)


def printable(name: str) -> str:
    """A path as messages show it."""
    return escaped(os.fsencode(name).decode("utf-8", "backslashreplace"))


# What YAML 1.2 (section 5.1) does not let stand in a stream, and a byte order mark anywhere but first.
_REFUSED = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_CONTROL = re.compile(_REFUSED)
# A % that begins a line, too: directives change how the rest is read, no manifest needs one, and many of them stall
# libyaml.
_OFFENCE = re.compile(f"{_REFUSED}|^%", re.MULTILINE)
# Without %, which is not looked for where there is none.
_PLAIN = bytes({*b"\t\n\r", *range(0x20, 0x7F)} - {*b"%"})
_BREAK = re.compile(r"\r\n|\r|\n")
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# How .xlsx and .ods begin, and .xls: renamed, none of them becomes CSV.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_AS_CSV = "save it as CSV in UTF-8; Excel calls that CSV UTF-8"


def decode(content: bytes, report: FileReport, *, yaml: bool = True) -> str:
    """The text of a file; raises SpoiledError, with every offence reported, if it is not clean UTF-8.

    `yaml` says that it is read as YAML, whose directives are an offence, and not as CSV.
    """
    if not yaml and content.startswith(_WORKBOOKS):
        raise report.spoil(START, "the file is a spreadsheet's own, not CSV", _AS_CSV)
    if content.startswith(_OTHER_ENCODINGS):
        hint = "save it as UTF-8" if yaml else _AS_CSV
        raise report.spoil(START, "the file is UTF-16 or UTF-32, not UTF-8", hint)
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        byte = error.object[error.start]
        where = advance(before, START, 0, len(before))
        hint = "save the file as UTF-8" if yaml else _AS_CSV
        raise report.spoil(where, f"the byte 0x{byte:02x} is not UTF-8", hint) from None
    # What remains of a file without its printable ASCII is nothing, almost always, and that is quick to tell.
    if content.translate(None, _PLAIN):
        _refuse_offences(text, _OFFENCE if yaml else _CONTROL, report)
    return text


def _refuse_offences(text: str, offence: re.Pattern[str], report: FileReport) -> None:
    place, index = START, 0
    for match in offence.finditer(text):
        place, index = advance(text, place, index, match.start()), match.start()
        if match[0] == "%":
            message = "a line begins with %, as YAML directives do"
            hint = "remove the directive, or indent the line if it belongs to a text"
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


SUFFIXES = (".yaml", ".yml", ".json")
"""How the name of a manifest ends, in whatever case."""

ROSTER_SUFFIXES = (".csv", ".tsv")
"""How the name of a roster ends, in whatever case."""

_TOOL_FOLDERS = {".git", ".venv"}
_HEAD = 8_192
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# As YAML and JSON can have it: quoted or not, on the next line, with an anchor, a tag or as a block.
_API_VERSION = re.compile(rb"apiVersion[\"']?\s*+:\s*+(?:[&!|>][^\s]{0,80}\s+){0,3}[\"']?extcal/", re.IGNORECASE)
_ESCAPE = re.compile(rb"\\(?:/|x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|U000000([0-9A-Fa-f]{2}))")


def has_manifest_name(name: str) -> bool:
    """Whether a file of a folder is a manifest by its name, or may be one, where that is JSON."""
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def is_json(name: str) -> bool:
    """Whether a file is JSON by its name."""
    return name.lower().endswith(".json")


def resembles_manifest_name(name: str) -> bool:
    """Whether a name that is none of a manifest looks like one (`kim.yaml.off`, `.kim.yaml`)."""
    lower = name.lower()
    return not has_manifest_name(name) and any(suffix in lower for suffix in SUFFIXES)


def is_tool_folder(folder: str) -> bool:
    """Whether a folder of this name is never looked into: what lies there is a tool's own."""
    return folder.lower() in _TOOL_FOLDERS


def declares_manifest(content: bytes) -> bool:
    """Whether the bytes of a file say `apiVersion: extcal/` anywhere, as YAML or JSON, in UTF-8 or wider."""
    if b"\0" in content[:_HEAD]:
        if not content.startswith(_WIDE_MARKS):
            return False
        content = content.replace(b"\0", b"")
    if b"\\" in content:
        content = _ESCAPE.sub(_unescaped, content)
    return _API_VERSION.search(content) is not None


def _unescaped(match: re.Match[bytes]) -> bytes:
    digits = match[1] or match[2] or match[3]
    return bytes.fromhex(digits.decode()) if digits else b"/"
