"""The layout of the house: helpers in one place, modules that are nouns, files that are neither long nor scraps."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.tools import ROOT

LONGEST, SHORTEST = 400, 30
NOUNS = {"planning", "watching", "pending", "missing", "encoding"}
"""Rooms, words that say which, and a word of the field: they end like a gerund and say nothing that is being done."""
SHORT = {
    "reconciler/__main__.py": "an entry point",
    "reconciler/cli/schema.py": "an entry point, whose work is done elsewhere",
    "reconciler/model/limits.py": "values",
    "reconciler/render/emphasis.py": "values",
    "reconciler/render/view.py": "a value",
}


def product() -> list[Path]:
    """The modules of the product."""
    return sorted((ROOT / "reconciler").rglob("*.py"))


def of_tests() -> list[Path]:
    """The modules of the tests."""
    return sorted(path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts)


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """What a module imports from the tests, each as the words of its dotted name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (tuple(name.split(".")) for name in names if name.startswith("tests."))


def name(path: Path) -> str:
    """A file's place in the repository."""
    return path.relative_to(ROOT).as_posix()


def test_nobody_imports_a_test_module() -> None:
    """What two of them need is a helper."""
    found = [
        f"{name(path)}: {'.'.join(words)}"
        for path in of_tests()
        for words in imported(path)
        if any(word.startswith("test_") for word in words)
    ]
    assert found == []


def test_what_several_folders_use_is_in_support() -> None:
    """A helper stays beside its tests only where no other folder imports it."""
    found = [
        f"{name(path)}: {'.'.join(words)}"
        for path in of_tests()
        for words in imported(path)
        if words[1] not in {"support", path.relative_to(ROOT / "tests").parts[0]}
    ]
    assert found == []


def test_modules_are_nouns() -> None:
    """No module of the product is named after what is being done."""
    words = {name(path): set(path.stem.split("_")) | {path.parent.name} for path in product()}
    assert [place for place, found in words.items() if any(w.endswith("ing") and w not in NOUNS for w in found)] == []


def lines(path: Path) -> int:
    """How long a file is."""
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_long() -> None:
    """A file is a topic that is read at once."""
    assert [name(path) for path in product() if lines(path) > LONGEST] == []


def test_no_file_is_a_scrap() -> None:
    """What is shorter says why, but for what makes a folder a package."""
    found = {name(path) for path in product() if path.name != "__init__.py" and lines(path) < SHORTEST}
    assert found == set(SHORT)
