"""Manifests can't exhaust who reads them: what all files of a run hold together is bounded, in words."""

import tracemalloc
from pathlib import Path

import click
import pytest

from reconciler.cli.main import main
from reconciler.manifests import load
from reconciler.manifests.limits import DEFAULT, MEBI, Limit, written
from tests.promises.repositories import commit_all, initialised
from tests.support.builders.manifests import fleet
from tests.support.cli.command import Extcal
from tests.support.cli.watcher import watching
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, connection, harbor, site, world
from tests.support.tools import needs_git

_FLEET = 50_000
_POLICY = """\
---
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {name: many}
spec: {syncConfig: {listEventFromCalendars: {calendars: [A, B, C]}, syncToCalendar: {enabled: false}}}
"""
_NAMED = "syncConfig: {listEventFromCalendars: {calendars: [A, B, C]}}"
_NAMING = (site(), *(connection(number, more=_NAMED) for number in range(2)))
_SHARING = (site() + _POLICY, *(connection(number, more="syncPolicy: many") for number in range(2)))
_KNOWN_COMMANDS = {"validate", "plan", "apply", "watch", "resolve", "pull", "pin", "status", "events", "calendars"}


def _write(extcal: Extcal, *files: str) -> None:
    for number, text in enumerate(files):
        extcal.write(text, to=f"manifests/{number}.yaml")


@pytest.mark.parametrize(
    ("files", "limit", "most", "place", "told"),
    [
        ((site(), connection(0), connection(1)), "bytes", 700, "/2.yaml:1:1", "are larger than 700 bytes together"),
        ((site(), connection(0)), "files", 1, ":1:1", "folders hold more than 1 files and folders together"),
        ((site(), connection(0) * 2, connection(2) * 2), "documents", 4, "/2.yaml:12:1", "more than 4 documents"),
        ((site() + "---\n" * 4, connection(0)), "documents", 5, "/1.yaml:2:1", "hold more than 5 documents together"),
        (_NAMING, "calendars", 5, "/2.yaml:2:1", "name more than 5 calendars together"),
        (
            _SHARING,
            "calendars",
            8,
            "/2.yaml:2:1",
            "name more than 8 calendars together, a policy's once for each user",
        ),
    ],
)
def test_what_all_files_hold_together_is_bounded(
    bare: Extcal, files: tuple[str, ...], limit: str, most: int, place: str, told: str
) -> None:
    """One line says which limit was reached, where, and the option that raises it; with it there is no such line."""
    _write(bare, *files)
    ran = bare("validate", "manifests", "--limit", f"{limit}={most}")
    (line,) = ran.err.splitlines()
    assert (ran.code, ran.out) == (1, "")
    assert line.startswith(f"manifests{place}: the ")
    assert told in line
    assert line.endswith(f"(read fewer at once, or raise the limit: --limit {limit}={2 * most})")
    assert "--limit" not in bare("validate", "manifests", "--limit", f"{limit}={2 * most}").err


def test_faults_without_end_are_not_told(bare: Extcal) -> None:
    """Faults are told up to their limit, whether files have them or all have them together; the last says so."""
    _write(bare, site(), *(connection(n, more="syncPolicy: x\ncolour: red") for n in range(5)))
    for limit, given in ((3, 3), (7, 5)):
        ran = bare("validate", "manifests", "--limit", f"faults={limit}")
        lines = ran.err.splitlines()
        assert sum("did you mean" in line or "colour" in line for line in lines) == given
        assert ran.code == 1
        if limit < given + 1:
            assert f"more than {limit} faults; the rest is not shown (fix these first, or raise the limit" in ran.err


def test_sizes_are_summed_before_anything_is_read(bare: Extcal) -> None:
    """Five files that are each small enough are refused by their sizes alone: no fault of their contents is told."""
    for number in range(5):
        bare.write("", to=f"manifests/{number}.yaml")
        with (bare.folder / f"manifests/{number}.yaml").open("wb") as stream:
            stream.truncate(15 * MEBI)
    ran = bare("validate", "manifests")
    (line,) = ran.err.splitlines()
    assert line.startswith("manifests/4.yaml:1:1: the manifests are larger than 64 MiB together (")
    assert line.endswith("--limit bytes=128MiB)")


def test_the_limit_that_is_named_suffices(bare: Extcal) -> None:
    """Where twice as much is still too little, the advice says how much there is."""
    _write(bare, site(), *(connection(number) for number in range(3)))
    told = bare("validate", "manifests", "--limit", "bytes=20").err
    enough = told.rpartition("--limit ")[2].rstrip(")\n")
    assert bare("validate", "manifests", "--limit", enough).code == 0


def test_a_thousand_calendars_each_take_little_memory(tmp_path: Path) -> None:
    """What is kept of valid manifests is in proportion to their size, also where they are all calendars."""
    names = ", ".join(f"c{number}" for number in range(1_000))
    more = f"syncConfig: {{listEventFromCalendars: {{calendars: [{names}]}}}}"
    text = site() + "".join(connection(number, more=more) for number in range(20))
    (tmp_path / "m.yaml").write_text(text)
    load([tmp_path])  # what is imported or compiled but once
    tracemalloc.start()
    try:
        desired = load([tmp_path])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(desired.connections) == 20
    assert kept < 20 * len(text)


def test_a_fleet_is_far_from_every_limit() -> None:
    """What fifty thousand connections take is half of what is read, at most."""
    a_connection = len(fleet(200)) / 200
    assert DEFAULT.of(Limit.BYTES) > 2 * _FLEET * a_connection
    assert DEFAULT.of(Limit.DOCUMENTS) >= 2 * _FLEET
    assert DEFAULT.of(Limit.FILES) > 2 * _FLEET
    assert DEFAULT.of(Limit.CALENDARS) >= 10 * _FLEET


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "status", "resolve", "providers", "events", "watch"])
def test_every_command_that_reads_manifests_has_the_limits(extcal: Extcal, command: str) -> None:
    """Each stops before it asks the service for anything."""
    _write(extcal, site(), connection(0))
    if command == "watch":
        with watching(extcal, "--limit", "documents=1") as watcher:
            watcher.until("1.yaml:2:1: the manifests hold more than 1 documents together")
            assert watcher.end() == 0
    else:
        ran = extcal(command, "manifests", "--limit", "documents=1")
        assert ran.code == 1
        assert "1.yaml:2:1: the manifests hold more than 1 documents together" in ran.err
    assert len(extcal.sandbox.requests) == 0


def test_every_command_tells_the_defaults(bare: Extcal) -> None:
    """Every command that takes manifests has the option, and its help the defaults."""
    found = set()
    assert isinstance(main, click.Group)
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        if any(parameter.name == "paths" for parameter in command.params):
            found.add(name)
            shown = " ".join(bare(name, "--help").out.split())
            defaults = ", ".join(f"{limit}={written(limit, DEFAULT.of(limit))}" for limit in Limit)
            assert f"Defaults: {defaults}." in shown
    assert found > _KNOWN_COMMANDS


def test_the_manifests_for_workers_are_bounded_here(extcal: Extcal) -> None:
    """With --runner dask manifests are read by whoever gives them out, before the scheduler is looked for."""
    _write(extcal, site(), connection(0))
    scheduler = ("--runner", "dask", "--scheduler", "tcp://127.0.0.1:1")
    ran = extcal("plan", "manifests", "--limit", "documents=1", *scheduler)
    assert ran.code == 1
    assert ran.err.startswith("manifests/1.yaml:2:1: the manifests hold more than 1 documents together")


def test_a_base_is_bounded_and_not_taken_for_empty(extcal: Extcal) -> None:
    """What holds more than is read stops the plan: taken for an empty base it would lose its protections."""
    extcal.write(site(), to="manifests/site.yaml")
    extcal.write(site(), connection(0), to="before/all.yaml")
    ran = extcal("plan", "manifests", "--base-dir", "before", "--limit", "documents=1")
    assert ran.code == 1
    assert "before/all.yaml:10:1: the manifests hold more than 1 documents together" in ran.err


@needs_git
def test_a_base_in_a_commit_is_bounded_before_it_is_written(extcal: Extcal) -> None:
    """A base that is searched for everywhere counts whole; the limit can be raised."""
    initialised(extcal.folder)
    extcal.write(site(), to="former/site.yaml")
    extcal.write("# \n" * 1000, to="another/large.yaml")
    commit_all(extcal.folder)
    (extcal.folder / "former").rename(extcal.folder / "manifests")
    ran = extcal("plan", "manifests", "--base", "HEAD", "--limit", "bytes=2KiB")
    assert (ran.code, "the manifests are larger than 2,048 bytes together" in ran.err) == (1, True)
    assert extcal("plan", "manifests", "--base", "HEAD", "--limit", "bytes=8KiB").code == 0


def test_what_is_pulled_is_bounded(extcal: Extcal) -> None:
    """A folder that pull fills holds no more than is read of it afterwards; one that holds more is not begun with."""
    extcal.on(world(harbor(0, 1, 2)))
    here = ("pull", "--site-id", HARBOR, "--name", "harbor", "--output", "manifests")
    ran = extcal(*here, "--limit", "documents=3")
    assert ran.code == 1
    assert "the manifests hold more than 3 documents together" in ran.err
    assert "/tmp" not in ran.err  # noqa: S108 - where it was tried is nobody's business
    assert not (extcal.folder / "manifests").exists()
    assert extcal(*here).code == 0
    before = len(extcal.sandbox.requests)
    assert "more than 3 documents" in extcal(*here, "--limit", "documents=3").err
    assert len(extcal.sandbox.requests) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("document=1", "unknown limit 'document'; did you mean documents?"),
        ("=1", "unknown limit ''; limits are bytes, files, documents, calendars, faults"),
        ("documents", "not a whole number from 1 up. Write for example documents=200000"),
        ("documents=0", "not a whole number from 1 up. Write for example documents=200000"),
        ("documents=-1", "not a whole number from 1 up. Write for example documents=200000"),
        ("documents=1MiB", "not a whole number from 1 up. Write for example documents=200000"),
        ("bytes=1MB", "not a whole number from 1 up. Write for example bytes=128MiB"),
        ("documents=1\u0661", "not a whole number from 1 up. Write for example documents=200000"),
    ],
)
def test_a_limit_that_is_none(bare: Extcal, text: str, told: str) -> None:
    """What can't be meant is wrong usage, with what would be right."""
    ran = bare("validate", "manifests", "--limit", text)
    assert (ran.code, ran.err) == (64, f"error: --limit {text}: {told}\n")


def test_a_limit_said_twice(bare: Extcal) -> None:
    """Two amounts of one thing can't both be meant."""
    ran = bare("validate", "manifests", "--limit", "files=1", "--limit", "files=2")
    assert (ran.code, ran.err) == (64, "error: --limit files=2: files is limited twice. Give it once.\n")


def test_a_saved_plan_needs_no_manifests(extcal: Extcal) -> None:
    """The limits are about manifests: a plan that was saved is carried out whatever they are."""
    _write(extcal, site(), connection(0))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    ran = extcal("apply", "--plan", "plan.json", "--auto-approve", "--limit", "documents=1", env=PASSWORD_ENV)
    assert ran.code == 0, ran.err
