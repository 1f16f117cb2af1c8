"""Documents that come from the cache are what parsing them gives: values, types, places and faults."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.errors import LimitError
from reconciler.manifests import load
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.limits import Limits, ManifestBudget
from reconciler.manifests.parse_cache import Outline, ParseCache, read_cached
from reconciler.manifests.values import Value, YamlMapping, YamlSequence
from reconciler.manifests.yaml_reader import read_documents
from reconciler.model.source import Fault
from tests.support.builders.manifests import SITE, documents, fleet
from tests.support.profiles import examples
from tests.support.scenarios.documents import mangled, manifests

OUTLINES = (
    "a: _\nb: {c: _}\n",
    "a:\n  b: _\n  c: [x, _]\n  d:\n    - e: _\n",
    "a: {b: {c: _}, d: _}\n",
    "a: _\n  more\n",
    "a: _ # why\n",
    "# note: _\na: _\n",
    'a: "x: _\n  y"\nb: _\n',
    "a: |\n  b: _\nc: _\n",
    "a: &m {i: _}\nb: *m\n",
    "a: !!str _\nb: _\n",
    "? {a: _}\n: b\n",
    "a: _\na: _\n",
    "<<: {b: _}\na: _\n",
    "a: _\n<<: _\n",
    "a: x\rb: _\n",
    "a: _",
    "a: _\n...\n",
    "--- _\n",
    "'a: _\n",
    "- _\n",
    "_\n",
    "",
)
WORDS = (
    *("x", "apple", "lee@harbor-dental.example", "3e47ec65-2975-447c-a7ed-75041e850d5e", "a/b", "x--", "9.9.9"),
    *(
        "Dr. Lee",
        "José - (2nd) 'x'",
        "x - y",
        "x --- y",
        "a  b",
        "a ",
        "O'Brien",
        "x+y",
        "x 12",
        "1 2",
        "٣",
        "_",
        "é 'a",
    ),
    *("no", "true", "True", "null", "Null", "12", "1e5", "0x1f", "0o7", "1.", "inf", "nan", "1" * 500, "w" * 129),
    *("~", "''", '"q"', "é", "日本", "a b", "a: b", "b:", "#c", "*m", "&m y", "|", "", "...", "---", "- x", "{}", "[]"),
    *("{b: c}", "a,b", "a]", "}", "x:y", "%x", "@x", "w" * 5_000, "\u2028", "\ufeff", "a\tb"),
)


@st.composite
def filled(draw: st.DrawFn) -> str:
    """Some text with words in the gaps of an outline."""
    parts = draw(st.sampled_from(OUTLINES)).split("_")
    words = [draw(st.sampled_from(WORDS)) for _ in parts[1:]]
    return "".join(part + word for part, word in zip(parts, [*words, ""], strict=True))


@examples(40, profile="tests")
@given(st.lists(st.one_of(filled(), manifests(), mangled()), min_size=1, max_size=8))
@example(["a: x\nb: {c: y}\n", "a: x\nb: {c: 12}\n", "a: true\nb: {c: y}\n", "a: z\nb: {c: y\n", "a: x\n"])
@example([f"a: {'1' * 500}\n"] * 2)
@example(["a: x\n", f"a: {'w' * 5_000}\n"])
@example(["a: x\n", f"a: 0x{'1' * 500}\n"])
@example(["a: &m {i: x}\nb: *m\n", "a: &m {i: y}\nb: *m\n"])
def test_pieces_are_what_the_whole_is(texts: list[str]) -> None:
    """However a file is made up, its documents, places and faults are those of one parse of the whole."""
    text = "---\n".join(texts)
    cache = ParseCache()
    expected = _told(text, read_documents)
    for _ in range(2):
        # The second time every outline that can be learnt is known from the beginning.
        assert _told(text, lambda text, report: read_cached(text, report, cache)) == expected


def test_an_outline_is_parsed_once() -> None:
    """Of a fleet in one shape only the first document is parsed: the others are filled into it."""
    text = "a: x\nb: {c: y}\n"
    cache, outline = ParseCache(), Outline.of(text)
    assert cache.document(outline) is None
    (document,) = read_documents(text, FileReport("m.yaml"))
    cache.learn(outline, document)
    assert cache.document(Outline.of("a: p@q.example\nb: {c: 7-7}\n")) == {"a": "p@q.example", "b": {"c": "7-7"}}
    assert cache.document(Outline.of("a: 1e5\nb: {c: y}\n")) is None


def test_documents_of_one_shape_are_apart(folder: Path) -> None:
    """Connections of one shape in several files keep their own words, and each its own place."""
    (folder / "a.yaml").write_text(fleet(3))
    (folder / "b.yaml").write_text("\n\n" + fleet(5).split("---\n", 5)[5])
    found = {
        c.name: (str(c.account), c.sources.root.line, c.sources.at("account").line) for c in load([folder]).connections
    }
    assert found == {
        "staff-0": ("staff0@harbor-dental.example", 16, 23),
        "staff-1": ("staff1@harbor-dental.example", 29, 36),
        "staff-2": ("staff2@harbor-dental.example", 42, 49),
        "staff-3": ("staff3@harbor-dental.example", 3, 10),
        "staff-4": ("staff4@harbor-dental.example", 16, 23),
    }


def test_a_word_is_checked_wherever_it_stands(faults: Callable[[str], list[str]]) -> None:
    """A wrong word in a document of a known shape is told with its place."""
    text = fleet(3).replace("account: staff2@harbor-dental.example", "account: nobody")
    (fault,) = faults(text)
    assert fault.startswith("m.yaml:49:12: ")


def test_very_many_pieces_are_bounded() -> None:
    """Documents, empty ones too, are counted with the cache and without."""
    for text in (documents(*["a: x\n"] * 7), "---\n" * 7, "\n---\n---\na: x\n" * 7):
        for read in (lambda text, report: read_cached(text, report, ParseCache()), read_documents):
            report = FileReport("m.yaml", budget=ManifestBudget(Limits(documents=5)))
            with pytest.raises(LimitError) as caught:
                list(read(text, report))
            assert "more than 5 documents" in str(caught.value)


def test_aliases_are_bounded_for_a_file(faults: Callable[[str], list[str]]) -> None:
    """What the aliases of all documents stand for is counted together."""
    bomb = "a: &a [" + ",".join("x" * 2_000) + "]\nb: [*a, *a, *a]\n"
    assert any("expand to more than" in fault for fault in faults(documents(SITE, *[bomb] * 50)))


def _told(
    text: str, read: Callable[[str, FileReport], Iterator[YamlMapping]]
) -> tuple[list[object], list[Fault], bool]:
    report = FileReport("m.yaml")
    found: list[object] = []
    with contextlib.suppress(SpoiledError):
        found += (_with_places(document, report) for document in read(text, report))
    return found, report.faults, report.spoiled


def _with_places(value: Value, report: FileReport) -> object:
    """A value with its types and all its places."""
    if isinstance(value, YamlMapping):
        marks = [(report.source_of(key), report.source_of(begin)) for key, begin in value.marks]
        fields = [(name, _with_places(field, report)) for name, field in value.items()]
        return report.source_of(value.mark), fields, marks
    if isinstance(value, YamlSequence):
        return [_with_places(item, report) for item in value], [report.source_of(mark) for mark in value.marks]
    return type(value).__name__, repr(value)
