"""Ids beside names: where they are written, and that nothing else changes, however a manifest is written."""

import codecs
import json
import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.manifests.yaml_reader import resolve
from reconciler.model.action import Action
from reconciler.model.live import Calendar, Schedule
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.pull.folder import open_files, save
from reconciler.pull.pin_files import PinnedFiles, pin_files
from reconciler.pull.pins import SitePins, find_pins
from reconciler.pull.values import PulledSite
from reconciler.pull.yaml_emit import is_declarable
from tests.pull.handwriting import SITE, written
from tests.pull.hostile_names import TEXTS
from tests.pull.live import LEE, OFF, PATEL, chosen, live, observed, planned
from tests.support.profiles import examples

HEAD = "apiVersion: extcal/v1\nkind: Connection\nmetadata: {name: lee}\nspec:\n"
ACCOUNT = "  provider: apple\n  account: lee@harbor-dental.example\n"
BY_ID = f"  schedule: {{id: {LEE}}}\n"
IMPORT = "  syncConfig:\n    listEventFromCalendars:\n      enabled: true\n      calendars:"


@dataclass(frozen=True)
class Pinned:
    """What pinning a folder found and wrote."""

    found: SitePins
    made: PinnedFiles


def seen_on(*names: str, schedule: str = "Dr. Lee", ids: tuple[str, ...] = ()) -> PulledSite:
    """Harbor Dental, where Dr. Lee's account has calendars of these names, and imports from all of them."""
    keys = ids or tuple(f"{name[:1].lower()}1" for name in names)
    site = observed(live(id="c", sync=SyncConfig(chosen(*map(CalendarRef, keys)), OFF)))
    listed = tuple(map(Calendar, keys, names))
    schedules = (Schedule(LEE, schedule, None, "ACTIVE"), Schedule(PATEL, "Dr. Patel", None, "ACTIVE"))
    return replace(site, live=replace(site.live, calendars={"c": listed}, schedules=schedules))


def pin(folder: Path, seen: PulledSite) -> Pinned:
    """Pin the manifests of a folder, and write them."""
    opened = open_files([folder])
    found = find_pins(seen.site, opened.desired.connections, opened.connections, seen.live)
    made = pin_files(opened, [folder], found.connections)
    assert save(opened, made.files).failures == []
    return Pinned(found, made)


def actions(folder: Path, seen: PulledSite) -> list[Action]:
    """What is planned for a folder's manifests, wherever they stand in it."""
    return [replace(action, source=None) for action in planned(folder, seen).actions]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "  schedule:\n    name: Dr. Lee  # since March\n",
            "  schedule:\n    id: ID\n    name: Dr. Lee  # since March\n",
        ),
        ("  schedule:\n    # him\n    name: 'Dr. Lee'\n", "  schedule:\n    # him\n    id: ID\n    name: 'Dr. Lee'\n"),
        ("  schedule: { name: Dr. Lee }  # him\n", "  schedule: { id: ID, name: Dr. Lee }  # him\n"),
        ('  schedule: {"name": "Dr. Lee"}\n', '  schedule: {"id": "ID", "name": "Dr. Lee"}\n'),
        ("  schedule: {\n    name: Dr. Lee\n  }\n", "  schedule: {\n    id: ID,\n    name: Dr. Lee\n  }\n"),
        ("  schedule: &him {name: Dr. Lee}\n", "  schedule: &him {id: ID, name: Dr. Lee}\n"),
        ("  schedule: !!map\n    name: Dr. Lee\n", "  schedule: !!map\n    id: ID\n    name: Dr. Lee\n"),
        ("  schedule: {name: &him Dr. Lee}\n", "  schedule: {id: ID, name: &him Dr. Lee}\n"),
    ],
)
def test_a_schedule_in_every_style(folder: Path, before: str, after: str) -> None:
    """The id goes before the name, which stays as it is written; so do comments."""
    path = written(folder, SITE, HEAD + before + ACCOUNT)
    seen = seen_on("Work")
    made = pin(folder, seen)
    assert made.made.unwritten == []
    assert path.read_text(encoding="utf-8") == f"{SITE}---\n{HEAD}{after.replace('ID', LEE)}{ACCOUNT}"
    assert pin(folder, seen).made.files == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (" [Work, Home]  # his", " [{id: w1, name: Work}, {id: h1, name: Home}]  # his"),
        (" [ 'Work' , \"Home\", ]", " [ {id: w1, name: 'Work'} , {id: h1, name: \"Home\"}, ]"),
        (" [{id: w1}, {id: h1, name: Home}]", " [{id: w1}, {id: h1, name: Home}]"),
        (" [{ name: Work }, Home]", " [{ id: w1, name: Work }, {id: h1, name: Home}]"),
        (
            "\n      # at work\n      - Work   # mornings\n      # and\n      - 'Home'",
            "\n      # at work\n      - {id: w1, name: Work}   # mornings\n      # and\n      - {id: h1, name: 'Home'}",
        ),
        (
            "\n        - name: Work  # a\n        -   name: Home",
            "\n        - id: w1\n          name: Work  # a\n        -   id: h1\n            name: Home",
        ),
        (" [&w Work, Home]", " [{id: w1, name: &w Work}, {id: h1, name: Home}]"),
        (" [\n        Work,\n        Home]", " [\n        {id: w1, name: Work},\n        {id: h1, name: Home}]"),
    ],
)
def test_calendars_in_every_style(folder: Path, before: str, after: str) -> None:
    """A name by itself becomes a mapping that has it in its own quotes."""
    path = written(folder, SITE, HEAD + BY_ID + ACCOUNT + IMPORT + before + "\n")
    seen = seen_on("Work", "Home")
    plan = actions(folder, seen)
    made = pin(folder, seen)
    assert made.made.unwritten == []
    assert path.read_text(encoding="utf-8") == f"{SITE}---\n{HEAD}{BY_ID}{ACCOUNT}{IMPORT}{after}\n"
    assert actions(folder, seen) == plan
    assert pin(folder, seen).made.files == {}


@pytest.mark.parametrize(
    ("plain", "quoted"),
    [("Work, home", '"Work, home"'), ("Work [2]", '"Work [2]"'), ("a:b", '"a:b"'), ("Work\n        late", "Work late")],
)
def test_what_flow_style_would_end_is_quoted(folder: Path, plain: str, quoted: str) -> None:
    """A plain name of a block list may hold what can't stand between braces."""
    path = written(folder, SITE, f"{HEAD}{BY_ID}{ACCOUNT}{IMPORT}\n      - {plain}\n")
    assert pin(folder, seen_on(" ".join(plain.split()), ids=("x",))).made.unwritten == []
    assert path.read_text(encoding="utf-8").endswith(f"\n      - {{id: x, name: {quoted}}}\n")


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_line_breaks_and_the_byte_order_mark_stay(folder: Path, mark: bytes, line_break: str) -> None:
    """A file from Windows is one afterwards."""
    text = f"{SITE}---\n{HEAD}  schedule:\n    name: Dr. Lee\n{ACCOUNT}{IMPORT} [Work]\n"
    path = written(folder, SITE)
    path.write_bytes(mark + text.replace("\n", line_break).encode())
    assert pin(folder, seen_on("Work")).made.unwritten == []
    after = text.replace("    name: Dr", f"    id: {LEE}\n    name: Dr").replace("[Work]", "[{id: w1, name: Work}]")
    assert path.read_bytes() == mark + after.replace("\n", line_break).encode()


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (
            "  provider: &it {name: Apple}\n  schedule: *it\n",
            "its schedule is the alias *it; write it out, or pin what it repeats",
        ),
        (
            "  schedule: &it {name: Apple}\n  provider: *it\n",
            "its schedule is also used as *it, which would change, too; write it out",
        ),
        (
            f"{BY_ID}  provider: &it {{name: Apple}}\n{IMPORT} [*it]\n",
            "its calendars[0] is the alias *it; write it out, or pin what it repeats",
        ),
        (
            f"{BY_ID}  provider: apple\n{IMPORT}\n      - >-\n        Apple\n",
            "its calendars[0] is written as a block; write it on one line",
        ),
    ],
)
def test_what_others_share_is_not_touched(folder: Path, spec: str, why: str) -> None:
    """An alias repeats what would change elsewhere, too; the file stays as it is, and the reason is told."""
    text = f"{HEAD}  account: lee@harbor-dental.example\n{spec}"
    path = written(folder, SITE, text)
    made = pin(folder, seen_on("Apple", schedule="Apple")).made
    (told,) = made.unwritten
    line = SITE.count("\n") + 2
    assert told == f"{path}:{line}:1: harbor/lee can't be pinned in place: {why}"
    assert path.read_text(encoding="utf-8") == f"{SITE}---\n{text}"


def test_a_name_that_others_share_is_wrapped(folder: Path) -> None:
    """Where an anchor or an alias is the name alone, it still is afterwards."""
    path = written(folder, SITE, f"{HEAD}  schedule: {{name: &n Dr. Lee}}\n{ACCOUNT}{IMPORT} [*n , &h Home]\n")
    assert pin(folder, seen_on("Dr. Lee", "Home")).made.unwritten == []
    text = path.read_text(encoding="utf-8")
    assert f"  schedule: {{id: {LEE}, name: &n Dr. Lee}}\n" in text
    assert "calendars: [{id: d1, name: *n} , {id: h1, name: &h Home}]\n" in text


def test_a_calendar_that_is_listed_by_its_id_too_stays(folder: Path) -> None:
    """Pinned, the list would have it twice, and not load."""
    path = written(folder, SITE, HEAD + BY_ID + ACCOUNT + IMPORT + " [Work, {id: w1}]\n")
    before = path.read_bytes()
    done = pin(folder, seen_on("Work"))
    assert done.found.remarks == ["harbor/lee: the calendar Work is in the list by its id, too: remove it"]
    assert path.read_bytes() == before


def test_what_would_not_load_is_not_written(folder: Path) -> None:
    """A file that its pins would spoil keeps none of them, and says why; the others get theirs."""
    explicit = f"{HEAD}  schedule:\n    ? name\n    : Dr. Lee\n{ACCOUNT}"
    path = written(folder, SITE, explicit, to="explicit.yaml")
    kim = f"{HEAD}  schedule: {{name: Dr. Patel}}\n{ACCOUNT}".replace("lee", "kim")
    other = written(folder, kim, to="kim.yaml")
    before = path.read_bytes()
    made = pin(folder, seen_on("Work")).made
    assert path.read_bytes() == before
    (told,) = made.unwritten
    assert told.startswith(f"{path}: nothing is pinned in this file: it would not load: ")
    assert f"{{id: {PATEL}, name: Dr. Patel}}" in other.read_text(encoding="utf-8")


def test_what_was_changed_meanwhile_is_not_written_over(folder: Path) -> None:
    """Whoever edits a manifest while its names are looked up keeps what they wrote."""
    path = written(folder, SITE, f"{HEAD}  schedule: {{name: Dr. Lee}}\n{ACCOUNT}")
    opened, seen = open_files([folder]), seen_on("Work")
    found = find_pins(seen.site, opened.desired.connections, opened.connections, seen.live)
    made = pin_files(opened, [folder], found.connections)
    path.write_text(f"# mine\n{SITE}", encoding="utf-8")
    (failure,) = save(opened, made.files).failures
    assert failure == f"can't write {path}: it was changed meanwhile; run this again"
    assert path.read_text(encoding="utf-8") == f"# mine\n{SITE}"


NAMES = TEXTS.filter(lambda text: is_declarable(text, 500))


def _text(document: object, chance: random.Random, *, quoted: bool) -> tuple[str, str]:
    """A document as a person or a tool may write it, with comments where that is YAML: the text, and its file.

    All is `quoted` where PyYAML takes for text what YAML 1.2 takes for a number.
    """
    if chance.random() < 0.2:
        text = json.dumps(document, indent=chance.choice((None, 2)), ensure_ascii=False)
        # To YAML some of these are line breaks, and it knows no halves of characters.
        escaped = (f"\\u{ord(one):04x}" if not one.isprintable() and " " < one <= "\uffff" else one for one in text)
        return "".join(escaped), "lee.json"
    text = yaml.safe_dump(
        document,
        default_flow_style=chance.choice((True, False, None)),
        default_style=chance.choice(('"', "'") if quoted else (None, None, '"', "'")),
        indent=chance.choice((2, 4)),
        allow_unicode=True,
        width=chance.choice((40, 10_000)),
        sort_keys=chance.random() < 0.5,
    )
    comments = iter(range(1_000))
    commented = [f"{line}  # {next(comments)}" if line.endswith("true") else line for line in text.split("\n")]
    return "# first\n" + "\n".join(commented), "lee.yaml"


@examples(60)
@given(
    names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    keys=st.lists(NAMES, min_size=4, max_size=4, unique=True),
    schedule=NAMES,
    chance=st.randoms(use_true_random=False),
)
def test_any_name_in_any_style(names: list[str], keys: list[str], schedule: str, chance: random.Random) -> None:
    """The plan stays the same, pinning again changes nothing, and all that was written is still there."""
    seen = seen_on(*names, schedule=schedule, ids=tuple(keys[: len(names)]))
    items = [
        chance.choice([name, {"name": name}, {"id": key, "name": name}]) for name, key in zip(names, keys, strict=False)
    ]
    sync = {"listEventFromCalendars": {"enabled": True, "calendars": items}}
    spec = {"schedule": {"name": schedule}, "provider": "apple", "account": "lee@harbor-dental.example"}
    document = {"apiVersion": "extcal/v1", "kind": "Connection", "metadata": {"name": "lee"}}
    quoted = any(resolve(text) != text for text in (*names, *keys, schedule))
    text, name = _text(document | {"spec": spec | {"syncConfig": sync}}, chance, quoted=quoted)
    with tempfile.TemporaryDirectory(prefix="extcal-pins-") as place:
        folder = Path(place)
        written(folder, SITE, to="site.yaml")
        path = written(folder, text, to=name)
        plan = actions(folder, seen)
        done = pin(folder, seen)
        assert (done.made.unwritten, done.found.faults, done.found.remarks) == ([], [], [])
        after = path.read_text(encoding="utf-8")
        (one,) = load([folder]).connections
        assert (one.schedule.value, one.schedule.name) == (LEE, schedule)
        wanted = tuple(map(CalendarRef, keys, names))
        assert one.sync.imports is not None
        assert one.sync.imports.calendars == wanted
        assert actions(folder, seen) == plan
        assert pin(folder, seen).made.files == {}
        if all(text.isprintable() for text in names):
            kept = iter(after)
            assert all(character in kept for character in text)
        assert [line.partition("#")[2] for line in after.split("\n") if "true  #" in line] == [
            line.partition("#")[2] for line in text.split("\n") if "true  #" in line
        ]
