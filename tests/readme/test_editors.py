"""Editors complete the examples' manifests by the schema of their kind, document by document."""

import json
import re
from pathlib import Path

import pytest

from tests.readme.pages import ROOT

_MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")
_FILES = [
    path
    for path in sorted((ROOT / "examples").rglob("*.yaml"))
    if _MODELINE.match(path.read_text(encoding="utf-8")) and ".extcal" not in path.parts
]


@pytest.mark.parametrize("path", _FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_document_names_the_schema_of_its_kind(path: Path) -> None:
    """A modeline holds for its own document alone, so each begins with one, and with the right one."""
    for document in re.split(r"^---\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        found = _MODELINE.match(document)
        assert found, document
        schema = json.loads((path.parent / found[1]).read_text(encoding="utf-8"))
        assert f"\nkind: {schema['title']}\n" in document


def test_every_kind_has_an_example_with_completion() -> None:
    """The manifests that show every field are there to be edited, too."""
    titles = set()
    for path in _FILES:
        if path.parent.name == "manifests":
            titles |= set(re.findall(r"^kind: (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert titles == {"Site", "SyncPolicy", "Connection", "ConnectionSet"}
