"""Which files of a folder are manifests: by their names, and by what they say (contract: Manifests).

A file whose name ends in a suffix of manifests is one; a `.json` only if it says so, since many others lie about. One
that says so and is not read, for its name (`kim.yaml.off`, `.kim.yaml`) or since it lies in a dot-folder, is a *stray*:
what it declares may be meant to stand.
"""

import codecs
import re

SUFFIXES = (".yaml", ".yml", ".json")
"""How the name of a manifest ends, in whatever case."""

_NOBODYS_FOLDERS = {".git", ".venv"}
_HEAD = 8_192
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# As YAML and JSON can have it: quoted or not, on the next line, with an anchor, a tag or as a block.
_SAYS = re.compile(rb"apiVersion[\"']?\s*+:\s*+(?:[&!|>][^\s]{0,80}\s+){0,3}[\"']?extcal/", re.IGNORECASE)
_ESCAPE = re.compile(rb"\\(?:/|x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|U000000([0-9A-Fa-f]{2}))")


def is_named_so(name: str) -> bool:
    """Whether a file of a folder is a manifest by its name, or may be one, where that is JSON."""
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def is_json(name: str) -> bool:
    """Whether a file is JSON by its name."""
    return name.lower().endswith(".json")


def is_named_nearly_so(name: str) -> bool:
    """Whether a name that is none of a manifest looks like one (`kim.yaml.off`, `.kim.yaml`)."""
    lower = name.lower()
    return not is_named_so(name) and any(suffix in lower for suffix in SUFFIXES)


def is_nobodys(folder: str) -> bool:
    """Whether a folder of this name is never looked into: what lies there is a tool's own."""
    return folder.lower() in _NOBODYS_FOLDERS


def says_so(content: bytes) -> bool:
    """Whether the bytes of a file say `apiVersion: extcal/` anywhere, as YAML or JSON, in UTF-8 or wider."""
    if b"\0" in content[:_HEAD]:
        if not content.startswith(_WIDE_MARKS):
            return False
        content = content.replace(b"\0", b"")
    if b"\\" in content:
        content = _ESCAPE.sub(_unescaped, content)
    return _SAYS.search(content) is not None


def _unescaped(match: re.Match[bytes]) -> bytes:
    digits = match[1] or match[2] or match[3]
    return bytes.fromhex(digits.decode()) if digits else b"/"
