"""Entries that are a line each are what one parse of the whole file gives: values, places and faults."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.manifests.entry_lines import EntryLines, with_lines
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.loader import load_documents
from reconciler.manifests.parse_cache import ParseCache, read_cached
from reconciler.manifests.references import Documents
from reconciler.manifests.values import Value, YamlMapping, YamlSequence
from reconciler.manifests.yaml_reader import parse_documents, read_documents
from reconciler.model.desired import Desired
from tests.support.builders.manifests import POLICY, SITE, documents
from tests.support.profiles import examples

GUID = "3e47ec65-2975-447c-a7ed-75041e850d5e"
HEAD = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: dentists}
spec:
  template: {site: harbor-dental, provider: google, syncPolicy: busy-times-only, lifecycle: {preventDisconnect: true}}
"""
PLAIN = "".join(f"    - {{name: n{number}, schedule: {{name: s}}, account: a@b.example}}\n" for number in range(9))
QUOTED = PLAIN.replace("{name: s}", "{name: 'Dr: Lee, jr.'}").replace("Lee", "O'Neil", 1)
OUTLINES = (
    "{name: _, schedule: {name: _}, account: _}",
    f"{{name: _, schedule: {{id: {GUID}, name: _}}, account: _}}",
    "{name: _, schedule: {id: _, externalId: _}, provider: apple, account: _, syncPolicy: busy-times-only}",
    "{name: _, schedule: {name: 'Dr: _, and: _, jr.'}, account: _}",
    "{account: _, name: _, schedule: {externalId: _}, provider: _, credentials: {password: {env: EXTCAL_A}}}",
    "{name: _, schedule: {name: _}, account: _, syncConfig: {listEventFromCalendars: {calendars: [Work, {id: _}]}}}",
    "{name: _, schedule: {name: _}, account: _, syncConfig: {syncToCalendar: {enabled: true}}} # and: _}",
    "{ name: _, schedule: { name: _ }, account: _, state: _ }",
    "{name: _, name: _, schedule: {name: _}, account: _}",
    '{name: _, schedule: {name: "_"}, account: _, site: _}',
    "{name: _, schedule: {name: _}, account: _",
    "{name: _, schedul: {name: _}, account: _}",
    "{name: _, account: _}: {x: _}",
    "{name: _, schedule: {name: _}, account: *none}",
    "{? {name: _}, account: _}",
    "[name, _]",
    "_",
)
WORDS = (
    *("x", "dr-lee", "a@b.example", "c@d.example", GUID, "Dr. Lee", "José (2nd) 'x'", "apple", "google", "absent"),
    *(
        "12",
        "1e5",
        "0x1f",
        "true",
        "True",
        "null",
        "~",
        "no",
        "''",
        "O'Neil",
        "Dr. O\u2019Neil",
        "a b",
        "a  b",
        "w" * 250,
    ),
    *(
        "harbor-dental",
        "nowhere",
        "*m",
        "&m x",
        "!b x",
        "{a: b}",
        "busy-times-only",
        "EXTCAL_B",
        "-x",
        "x-",
        "a: b",
        "#c",
        "%",
        "|",
        "",
        "٣",
        "日本",
    ),
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A set of entries, most of them a line each, and what may come after them."""
    chosen = draw(st.lists(st.sampled_from(OUTLINES[:10]), min_size=1, max_size=2))
    chosen += draw(st.lists(st.sampled_from(OUTLINES), max_size=1))
    found = []
    for number in range(draw(st.integers(8, 14))):
        outline = draw(st.sampled_from(chosen))
        line = "".join(
            part + (draw(st.sampled_from(WORDS)) if draw(st.integers(0, 3)) == 0 else _usual(part, number))
            for part in outline.split("_")[:-1]
        )
        found.append(f"    - {line}{outline.split('_')[-1]}\n")
    after = draw(
        st.sampled_from(["", "", "  allowEmpty: true\n", "  rooster: x\n", "      - x\n", "    # done\n", "x\n"])
    )
    return f"{HEAD}  connections:\n{''.join(found)}{after}"


def _usual(before: str, number: int) -> str:
    """A word that is right after what stands before it."""
    field = before.rpartition("{")[2].rpartition(",")[2].strip(" :\"'")
    usual = {
        "account": f"a{number}@b.example",
        "id": f"3e47ec65-2975-447c-a7ed-{number:012}",
        "provider": "apple",
        "state": "absent",
        "site": "harbor-dental",
    }
    return usual.get(field, f"n-{number}")


class Told:
    """What loading a text gave: documents and desired state, or faults."""

    def __init__(self, text: str) -> None:
        self.faults: list[str] = []
        self.loaded: tuple[Desired, Documents] | None = None
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "m.yaml").write_text(documents(SITE, POLICY, text))
            try:
                self.loaded = load_documents([Path(name)])
            except ManifestError as error:
                self.faults = [str(fault).replace(name, "") for fault in error.faults]

    @property
    def meaning(self) -> list[object]:
        """All that is known of the connections, places included, by names that do not depend on the folder."""
        if self.loaded is None:
            return list(self.faults)
        desired, found = self.loaded
        places = [(one.sources.root.line, one.sources.root.column, one.sources.own) for one in desired.connections]
        within = [(one.sources.path("x"), [path for path, _ in one.sources.inherited]) for one in desired.connections]
        values = [
            (
                one.address,
                one.schedule,
                str(one.schedule),
                one.account.given,
                one.provider,
                one.password,
                one.state,
                one.sync,
                one.lifecycle,
            )
            for one in desired.connections
        ]
        members = [(one.name, one.policy, one.member and one.member.index) for one in found.connections]
        return [places, within, values, members]


@examples(60, profile="tests")
@given(lines())
@example(f"{HEAD}  connections:\n{PLAIN}")
@example(f"{HEAD}  connections:\n{QUOTED}")
def test_lines_are_what_the_whole_is(text: str) -> None:
    """Whatever the entries are, they and their places and faults are those of one parse of the whole."""
    # What looks like an alias has the whole file parsed.
    assert Told(_long(text, "a long comment")).meaning == Told(_long(text, "&a and then *a")).meaning


def _long(text: str, comment: str) -> str:
    """The same, so long that its entries are looked at by lines."""
    return text.replace("spec:\n", f"spec:  # {comment}{' ' * 10_000}\n")


@examples(60, profile="tests")
@given(lines())
def test_values_and_marks_are_what_the_whole_is(text: str) -> None:
    """Whoever goes through the entries one by one finds what a parse of the whole finds."""
    found, report = with_lines(text, {}), FileReport("")
    try:
        whole = [_marked(each) for each in read_documents(text, report)]
    except SpoiledError:
        assert found is None
    else:
        assert found is None or (whole, report.faults) == ([_marked(found)], [])


def _marked(value: Value) -> object:
    if isinstance(value, YamlMapping):
        marks = [(_at(key), _at(begin)) for key, begin in value.marks]
        return [(name, _marked(each)) for name, each in value.items()], marks, _at(value.mark)
    if isinstance(value, YamlSequence):
        return [_marked(each) for each in value], [_at(mark) for mark in value.marks]
    return type(value).__name__, value


def _at(mark: object) -> tuple[object, object]:
    return getattr(mark, "line", None), getattr(mark, "column", None)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("{name: x, schedule: *none, account: a@b.example}", "the alias '*none' has no anchor before it"),
        (f"{{{'x' * 5_000}: x, schedule: {{name: s}}, account: a@b.example}}", "is longer than 4,096 characters"),
        (f"{{name: {'[' * 40}{']' * 40}, account: a@b.example}}", "nested more than 32 levels deep"),
    ],
)
def test_a_line_that_spoils_its_set_is_reported(entry: str, fault: str) -> None:
    """A set is never passed over in silence, which would be one without connections."""
    text = f"{HEAD}  connections:\n{PLAIN}    - {entry}\n"
    (found,) = Told(_long(text, "a long comment")).faults
    assert fault in found


def test_most_lines_are_never_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred entries of one outline one is parsed to know it, and the first again where it stands."""
    entry = "    - {{name: n{0}, schedule: {{name: s{0}}}, account: a{0}@b.example}}\n"
    text = f"{HEAD}  connections:\n{''.join(map(entry.format, range(200)))}"
    parsed: list[int] = []
    ask = EntryLines.entry

    def counting(self: EntryLines, index: int) -> YamlMapping:
        parsed.append(index)
        return ask(self, index)

    monkeypatch.setattr(EntryLines, "entry", counting)
    (document,) = read_cached(text, FileReport(""), ParseCache())
    spec = document["spec"]
    assert isinstance(spec, YamlMapping)
    assert isinstance(spec["connections"], EntryLines)
    told = Told(text)
    assert told.loaded is not None
    assert len(told.loaded[0].connections) == 200
    assert parsed == [0]


def test_what_is_parsed_apart_grows_with_the_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that have to be parsed one by one are parsed without what stands before them."""
    entry = "    - {{name: n{0}, schedule: {{name: s{0}}}, account: a{0}@b.example}} # was: m{0}}}\n"
    text = f"{HEAD}  connections:\n{''.join(map(entry.format, range(1_000)))}"
    read: list[int] = []

    def counting(text: str, report: FileReport) -> Iterator[YamlMapping]:
        read.append(len(text))
        return parse_documents(text, report)

    monkeypatch.setattr("reconciler.manifests.entry_lines.parse_documents", counting)
    told = Told(text)
    assert told.loaded is not None
    assert len(told.loaded[0].connections) == len(read) - 2 == 1_000
    assert sum(read) < 2 * len(text)
