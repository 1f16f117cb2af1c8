"""No public class name occurs twice in the product, nor in the sandbox: a search finds the one that is meant."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.tools import ROOT

PACKAGE = ROOT / "reconciler"
SANDBOX = PACKAGE / "sandbox"


def product() -> Iterator[Path]:
    """The files outside the sandbox."""
    return (path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(SANDBOX))


def sandbox() -> Iterator[Path]:
    """The files of the sandbox."""
    return SANDBOX.rglob("*.py")


def public_classes(module: Path) -> Iterator[str]:
    """The names of the classes that a module defines for others."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


@pytest.mark.parametrize("modules", [product, sandbox])
def test_no_public_class_name_occurs_twice(modules: Callable[[], Iterator[Path]]) -> None:
    """Two classes of one name in one tower would be taken for each other."""
    places = defaultdict(list)
    for module in modules():
        for name in public_classes(module):
            places[name].append(str(module.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
