"""YAML as manifests have it: the core schema's types, and nothing that misleads or exhausts a reader."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.desired import Desired
from tests.manifests.conftest import refusals
from tests.support.builders.manifests import CONNECTION, SITE, connection, documents
from tests.support.work import steps

Faults = Callable[[str | bytes], list[str]]
NAMED = """\
apiVersion: extcal/v1
kind: Connection
metadata: {{name: one}}
spec:
  provider: apple
  account: lee@harbor-dental.example
  schedule:
    name: {}
"""
AT_NAME = "m.yaml:8:11: "
UNREAD = "the rest of the file was not read)"
MANY = "the document has more than 10,000 values (split it, or use fewer aliases)"
PERCENT = (
    "a line begins with %, as YAML directives do (remove the directive, or indent the line if it belongs to a text)"
)
NUMBERS = ("0", "-1", "+12", "0777", "0o17", "0xFF", "1.5", "1.", ".5", "1e3")
NOT_TEXT = "must be text{}, at spec.schedule.name"


@pytest.mark.parametrize(
    "text",
    [
        "no", "yes", "on", "off", "y", "12:30", "2024-01-01", "1_000", "0b1", "+", ".", "0x", "1e", "nULL", "tRUE",
        "Dr. Lee", "+.inf.", "0o8", "=", "Ærø", "日本 😀", "1.2.3", "'123'", '"true"', "! 12:30", "!!str 123",
    ],
)  # fmt: skip
def test_text_stays_text(loaded: Callable[[str], Desired], text: str) -> None:
    """What YAML 1.2's core schema does not call a number, a boolean or null is text, whatever YAML 1.1 thought."""
    (one,) = loaded(documents(SITE, NAMED.format(text))).connections
    assert one.schedule.value == text.removeprefix("!!str ").removeprefix("! ").strip("'\"")


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        *(
            (text, "a number", "quote it")
            for text in ("0", "-1", "+12", "0777", "0o17", "0xFF", "1.5", "1.", ".5", "1e3")
        ),
        *((text, "a number", "quote it") for text in (".inf", "-.Inf", ".nan", ".NAN", "!!int 5", "!!float 5")),
        *((text, "true or false", "quote it") for text in ("true", "False", "TRUE", "!!bool true")),
        *((text, "empty", "") for text in ("", "~", "null", "Null", "NULL", "!!null ~")),
        ("[a]", "a list", ""),
        ("{a: b}", "a mapping", ""),
        ("!!seq [a]", "a list", ""),
        ("!!map {a: b}", "a mapping", ""),
    ],
)
def test_other_types_are_told_from_text(faults: Faults, text: str, kind: str, hint: str) -> None:
    """Numbers, booleans and null of the core schema are not text; the fault says how to make them so."""
    (fault,) = faults(documents(NAMED.format(text), SITE))
    suffix = f" ({hint})" if hint else ""
    assert (
        fault.partition(": ")[2] == NOT_TEXT.format(", but is empty" if kind == "empty" else f", not {kind}") + suffix
    )


@pytest.mark.parametrize("digits", [401, 4_000])
@pytest.mark.parametrize("shape", ["{}", "0x{}", "1.{}"])
def test_endless_numbers(faults: Faults, digits: int, shape: str) -> None:
    """A number that is too long to read is a fault and no crash."""
    told = faults(documents(NAMED.format(shape.format("1" * digits)), SITE))
    assert told[0] == f"{AT_NAME}is too long for a number (quote it)"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"a\\u0000b"', "contains the control character U+0000"),
        ('"a\\e[31mb"', "contains the control character U+001B"),
        ('"a\\tb"', "contains the control character U+0009"),
        ('"a\\nb"', "contains a line break"),
        ("|\n      a\n", "contains a line break"),
    ],
)
def test_control_characters_in_texts(faults: Faults, text: str, fault: str) -> None:
    """A text has no control characters, by no way of writing them."""
    assert faults(documents(NAMED.format(text), SITE)) == [f"{AT_NAME}{fault} (write it on one line, without escapes)"]


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("!!python/object:os.system x", "!!python/object:os.system"),
        ("!!binary aGk=", "!!binary"),
        ("!!set {a}", "!!set"),
        ("!!timestamp 2024-01-01", "!!timestamp"),
        ("!mine x", "!mine"),
        ("!<tag:harbor-dental.example,2024:x> x", "tag:harbor-dental.example,2024:x"),
        ("!!int five", "!!int"),
        ("!!bool yes", "!!bool"),
        ("!!str [a]", "!!str"),
        ("!!map [a]", "!!map"),
    ],
)
def test_foreign_tags(faults: Faults, tag: str, shown: str) -> None:
    """A tag that is not the core schema's, or not that of its value, is refused."""
    assert f"{AT_NAME}the tag '{shown}' is refused here (leave it out)" in faults(documents(NAMED.format(tag), SITE))


def test_duplicate_names(faults: Faults) -> None:
    """A field that is written twice is refused, with the place of the first; the rest is checked all the same."""
    text = f"{CONNECTION}  account: kim@harbor-dental.example\n  state: gone\n"
    assert faults(documents(text, SITE)) == [
        "m.yaml:8:3: the field 'account' is written twice (first at 7:3)",
        "m.yaml:9:10: unknown value 'gone', at spec.state (allowed: present, absent)",
    ]


@pytest.mark.parametrize("key", ["1", "true", "null", "? [a]\n  ", "? {a: b}\n  ", "1.5"])
def test_names_that_are_not_text(faults: Faults, key: str) -> None:
    """A field's name is text."""
    (fault,) = faults(documents(f"{CONNECTION}  {key}: x\n", SITE))
    assert fault.startswith("m.yaml:8:")
    assert fault.endswith("a field's name must be text (quote it)")


def test_merge_keys(faults: Faults) -> None:
    """The merge key is refused by name, and what it would bring is not reported as missing besides."""
    spec = "spec: &base\n  schedule: {name: a}\n  provider: apple\n  account: a@harbor-dental.example\n"
    head = "apiVersion: extcal/v1\nkind: Connection\nmetadata: {name: a}\n"
    text = f"{head}{spec}  syncConfig:\n    <<: {{syncToCalendar: {{}}}}\n"
    assert faults(documents(text, SITE)) == [
        (
            "m.yaml:9:5: the merge key << is not supported: it is not YAML 1.2"
            " (write the fields out, or share a sync config with a SyncPolicy)"
        )
    ]
    assert len(faults(documents(CONNECTION + "  <<: 7\n", SITE))) == 1
    assert "unknown field '<<'" in faults(documents(CONNECTION + "  '<<': {}\n", SITE))[0]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: *b\n", "1:4: the alias '*b' has no anchor before it (write the value out, or quote the text)"),
        ("a: &a [*a]\n", "1:8: the alias '*a' refers to the value that contains it (write the value out)"),
        ("a: &a {b: {c: *a}}\n", "1:15: the alias '*a' refers to the value that contains it (write the value out)"),
        (
            "a: &a x\n---\nb: *a\n",
            "3:4: the alias '*a' has no anchor before it (write the value out, or quote the text)",
        ),
        ("a: [\n", f"2:1: not YAML: did not find expected node content (while parsing a flow node) ({UNREAD}"),
        ("a: b: c\n", "1:5: not YAML: mapping values are not allowed in this context (indent it as the lines that it"),
        ("a:\n   - b: c\n  d: e\n", "3:3: not YAML: did not find expected key (while parsing a block mapping) (indent"),
        ("a:\n  - b: c\n  d: e\n", "3:3: not YAML: did not find expected '-' indicator (while parsing a blo"),
        ("a:\n\tb: c\n", "2:1: not YAML: found character that cannot start any token (while scanning for the next"),
        ("a: @lee\n", "1:4: not YAML: found character that cannot start any token (while scanning for the next"),
        ("[" * 33 + "]" * 33, "1:33: mappings and lists are nested more than 32 levels deep (a manifest needs eight)"),
        ("- " * 40 + "a", "1:65: mappings and lists are nested more than 32 levels deep (a manifest needs eight)"),
        (f"a: {'x' * 4097}\n", "1:4: is longer than 4,096 characters (shorten it)"),
        ("a: [" + "b, " * 10_000 + "]", f"1:29996: {MANY}"),
    ],
)  # fmt: skip
def test_what_spoils_the_rest_of_a_file(faults: Faults, text: str, fault: str) -> None:
    """A document that can't be read ends its file, with one fault; the documents before it are checked."""
    before = documents(CONNECTION.replace("apple", "aple", 2), "")
    told = faults(before + text)
    line, _, rest = fault.partition(":")
    lines = before.count("\n")
    assert told[0] == "m.yaml:6:13: unknown value 'aple', at spec.provider (did you mean apple?)"
    (spoilt,) = (one for one in told[1:] if one.startswith(f"m.yaml:{int(line) + lines}:{rest}"))
    assert "not YAML" not in spoilt or UNREAD in spoilt


def test_a_spoiled_file_hides_no_other_and_blames_none(folder: Path) -> None:
    """What can't be read may hold the names that others refer to: those are not called missing, but not checked."""
    (folder / "other.yaml").write_text(connection("one", site="harbor-dental", syncPolicy="shared", state="gone"))
    (folder / "m.yaml").write_text("a: [")
    told = refusals(Path())
    assert len(told) == 3
    assert told[0].startswith("m.yaml:2:1: not YAML")
    assert told[1].startswith("m.yaml:2:1: 2 references are not checked: m.yaml could not be read completely (")
    assert "unknown value 'gone'" in told[2]


def test_laughing_aliases(faults: Faults) -> None:
    """Aliases of aliases count as what they stand for, in a document and in a file."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "the document has more than 10,000 values" in faults("\n".join(lines))[0]
    small = "\n".join(lines[:3]) + "\n"
    (*_, last) = faults(documents(*[small] * 300))
    assert "the file's aliases expand to more than 250,000 values (write it without aliases)" in last


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a: 1\nb: \xff\n", "2:4: the byte 0xff is not UTF-8 (save the file as UTF-8)"),
        ("é: \udc80".encode("utf-8", "surrogatepass"), "1:4: the byte 0xed is not UTF-8 (save the file as UTF-8)"),
        ("a: 1".encode("utf-16"), "1:1: the file is UTF-16 or UTF-32, not UTF-8 (save it as UTF-8)"),
        ("a: 1".encode("utf-32-be"), "1:1: the control character U+0000 is refused (remove it)"),
        (b"a: 1\r\nb: \x00\n", "2:4: the control character U+0000 is refused (remove it)"),
        (b"a: 1\rb: \x1b\n", "2:4: the control character U+001B is refused (remove it)"),
        ("a: 1\nb\ufeff: 1".encode(), "2:2: the control character U+FEFF is refused (remove it)"),
        (b"%YAML 1.1\n---\na: 1\n", f"1:1: {PERCENT}"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text(faults: Faults, content: bytes, fault: str) -> None:
    """A file is UTF-8 without control characters or directives; the first offence's place is told in characters."""
    assert faults(content)[0] == f"m.yaml:{fault}"


def test_every_control_character_is_told(faults: Faults) -> None:
    """All offences of one file come at once, also several on one line."""
    told = faults("a\x00b\x00\n\x07\n")
    assert [fault.split(": ")[0] for fault in told] == ["m.yaml:1:2", "m.yaml:1:4", "m.yaml:2:1"]


def test_a_byte_order_mark_is_no_fault(loaded: Callable[[str], Desired]) -> None:
    """Editors that begin UTF-8 with a mark are served, and columns are counted after it."""
    assert loaded("\ufeff" + SITE).sites[0].source.column == 1


MOST_STEPS = 500_000


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{a: " * 100_000,
        "- " * 200_000,
        "? " * 200_000,
        "%TAG !a! x\n" * 40_000,
        "&a " * 100_000,
        "*a " * 100_000,
        "'" + "\\" * 400_000,
        '"' + "\\" * 400_000,
        "a: |\n" + " x\n" * 100_000,
        "\x00" * 400_000,
        "\n".join(f"k{n}: " for n in range(200_000)),
        documents(*[SITE.replace("harbor-dental", f"s{n}") for n in range(400)]),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_texts_end_quickly(faults: Faults, text: str) -> None:
    """Texts made to exhaust a reader are refused before much has been done."""
    told: list[str] = []
    assert steps(lambda: told.extend(faults(text))) < MOST_STEPS
    assert told


def test_the_parser_in_python_agrees(folder: Path) -> None:
    """Where PyYAML has no libyaml, manifests and faults are the same."""
    (folder / "good.yaml").write_text(documents(SITE, CONNECTION))
    (folder / "bad.yaml").write_text("a: &a [*a]\n---\n")
    (folder / "worse.yaml").write_text(NAMED.format("12").replace("apple", "!mine 'aple'"))
    (folder / "broken.yaml").write_text("a: [\n")
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "if sys.argv[1] == 'without': sys.modules['yaml._yaml'] = None\n"
        "from reconciler.manifests import load\n"
        "from reconciler.errors import ManifestError\n"
        "print(load([Path('good.yaml')]))\n"
        "try:\n    load([Path()])\n"
        "except ManifestError as error:\n"
        "    print(*(f for f in map(str, error.faults) if not f.startswith('broken')), sep='\\n')\n"
        "    print('broken.yaml:2:1: not YAML' in str(error))\n"
    )
    outputs = [
        subprocess.run([sys.executable, "-c", script, which], check=True, capture_output=True, text=True).stdout
        for which in ("with", "without")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].splitlines()[-1] == "True"
    assert len(outputs[0].splitlines()) == 6
