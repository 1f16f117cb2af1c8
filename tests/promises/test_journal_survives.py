"""Promise: no connect is sent before it is written down, and what is written down survives what befalls the file.

What is torn at its end is mended; what is no journal stops the site, is told, and nothing is connected without it.
"""

import json
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.machine import Machine
from reconciler.machine import journal as journal_module
from reconciler.machine.journal import FileJournal, JournalError
from reconciler.model.intent import Fate
from tests.promises.interruptions import on_full_disk
from tests.support.cli.command import Extcal
from tests.support.cli.journals import folder_of, intent, journal, leave_open
from tests.support.cli.worlds import HARBOR, PASSWORD, PASSWORD_ENV, connection, harbor, site, world
from tests.support.profiles import examples
from tests.support.servers.proxy import stand_in

_APPLY = ("apply", "manifests", "--auto-approve")


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command, with one connect to be done."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0))
    folder_of(extcal)
    return extcal


def lines(path: Path) -> list[dict[str, object]]:
    """What a journal holds; every line must be whole."""
    text = path.read_text(encoding="ascii")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def connects(extcal: Extcal) -> list[int]:
    """The status of every answer to a connect."""
    return [request.status for request in extcal.writes if "connectByCredentials" in request.path]


def spoilt(line: bytes, **fields: object) -> bytes:
    """A line of a journal with other fields."""
    return json.dumps({**json.loads(line), **fields}).encode() + b"\n"


@examples(10)
@given(share=st.floats(0, 1, exclude_max=True), begun=st.booleans())
def test_a_torn_end_is_mended(tmp_path_factory: pytest.TempPathFactory, share: float, begun: bool) -> None:  # noqa: FBT001 - hypothesis hands it over
    """Cut at any byte, the last line is taken for not written: what is written next stands on a line of its own."""
    place = Machine(tmp_path_factory.mktemp("state"), "a service").site(HARBOR)
    book, path = journal(place), place.path / "journal"
    book.begin(intent(0))
    whole = path.stat().st_size
    if begun:
        book.begin(intent(1))
    else:
        book.end(intent(0), Fate.NOTHING)
    os.truncate(path, whole + int((path.stat().st_size - whole) * share))
    assert [pending.intent for pending in book.pending()] == [intent(0)]
    book.begin(intent(2))
    assert [pending.intent for pending in book.pending()] == [intent(0), intent(2)]
    assert len(lines(path)) == 2


@pytest.mark.parametrize("content", [b"", b'{"at":1,"for', b"\0" * 4096, b'{"format":2,"ne'])
def test_what_holds_nothing_whole_is_begun_anew(armed: Extcal, content: bytes) -> None:
    """An empty journal, or one whose only line was cut off or never reached the disk, costs nothing."""
    place = folder_of(armed)
    place.make()
    (place.path / "journal").write_bytes(content)
    ran = armed(*_APPLY)
    assert (ran.code, ran.err, connects(armed)) == (0, "", [200])
    begun, ended = lines(place.path / "journal")
    assert isinstance(begun["intent"], dict)
    assert (ended["ended"], ended["ending"]) == (begun["intent"]["id"], "done")


def _large(path: Path) -> None:
    os.truncate(path, 17 * 1024 * 1024)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _a_link(path: Path) -> None:
    path.rename(path.parent / "elsewhere")
    path.symlink_to("elsewhere")


def _then(more: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        line = path.read_bytes()
        path.write_bytes(line + more(line))

    return write


_BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "another version": (_then(lambda line: spoilt(line, format=1, more=1)), ":2: written by another version of extcal"),
    "no format": (_then(lambda line: spoilt(line, format=None)), ":2: written by another version of extcal"),
    "garbage": (_then(lambda line: b"\xff\xfe\x00 no JSON\n" + line), ":2: not a line of a journal"),
    "nested": (_then(lambda _: b"[" * 100_000 + b"\n"), ":2: not a line of a journal"),
    "not an object": (_then(lambda _: b"1\n"), ":2: not a line of a journal"),
    "unknown field": (_then(lambda line: spoilt(line, more=1)), ":2: not a line of a journal"),
    "neither": (_then(lambda line: spoilt(line, intent=None)), ":2: not a line of a journal"),
    "a moment that never comes": (_then(lambda line: spoilt(line, at=10**400)), ":2: not a line of a journal"),
    "unknown ending": (
        _then(lambda _: b'{"at":1,"ended":"x","ending":"eaten","format":2,"up":1}\n'),
        ":2: not a line of a journal",
    ),
    "too large": (_large, ": larger than 16777216 bytes"),
    "a folder": (_a_folder, ": not a file"),
    "a pipe": (_a_pipe, ": not a file"),
    "a link": (_a_link, ": Too many levels of symbolic links"),
}


@pytest.mark.parametrize(("damage", "said"), _BROKEN.values(), ids=_BROKEN)
def test_what_is_no_journal_stops_its_site(armed: Extcal, damage: Callable[[Path], None], said: str) -> None:
    """It is told which file is broken, where, and what to do; nothing of the site is written, and it stays as it is."""
    path = leave_open(armed, intent(7))
    damage(path)
    before = path.lstat()
    for args in (_APPLY, ("resolve", "manifests"), ("resolve", "manifests", "--forget", "harbor/staff-7")):
        ran = armed(*args)
        assert (args, ran.code) == (args, 1)
        assert f"{path}{said}" in ran.err
        assert "Traceback" not in ran.err
        assert "internal error" not in ran.err
    after = path.lstat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
    assert armed.writes == []
    assert armed("plan", "manifests").code == 0


@given(st.binary(max_size=300))
@examples(20)
def test_no_content_breaks_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever bytes stand in a journal: they are nothing, or an error in words."""
    place = Machine(tmp_path_factory.mktemp("state"), "a service").site(HARBOR)
    place.make()
    (place.path / "journal").write_bytes(content)
    with suppress(JournalError):
        assert place.journal.pending() == ()


@pytest.mark.parametrize("size", [0, 100])
def test_on_a_full_disk_nothing_is_connected(armed: Extcal, size: int) -> None:
    """What can't be written down in full is not sent, and the error says so; when there is room, all goes well."""
    ran = on_full_disk(armed, size, *_APPLY)
    assert (ran.code, armed.writes) == (1, [])
    assert "FAILED          connect harbor/staff-0" in ran.out
    assert "File too large, so nothing was sent: a connect is recorded first" in ran.out
    path = folder_of(armed).path / "journal"
    assert (path.stat().st_size if path.exists() else 0) == size
    again = armed(*_APPLY)
    assert (again.code, again.err, connects(armed)) == (0, "", [200])
    assert len(lines(path)) == 2


def test_a_disk_that_fills_up_under_way_doubles_nothing(armed: Extcal) -> None:
    """Where only the ending can't be written, the report does not deny the connection, and the next run finds it."""
    path = folder_of(armed).path / "journal"
    assert armed(*_APPLY).code == 0
    begun = len(path.read_bytes().split(b"\n")[0])
    path.unlink()
    armed.on(world())
    ran = on_full_disk(armed, begun + 40, *_APPLY)
    assert (ran.code, connects(armed)) == (1, [200])
    assert "the outcome of a connect was not recorded (harbor/staff-0 done " in ran.out
    assert "nothing was sent" not in ran.out
    again = armed(*_APPLY)
    assert (again.code, connects(armed)) == (0, [200])
    assert "harbor/staff-0: an earlier connect was left open: it has made " in again.err
    assert [line["ending"] for line in lines(path) if "ending" in line] == ["adopted"]


def test_a_connect_is_on_the_disk_before_it_is_sent(armed: Extcal, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the request arrives the intent stands in the journal, has been synced, and holds no secret."""
    synced: list[tuple[str, int]] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        synced.append((str(Path(f"/dev/fd/{descriptor}").readlink()), os.fstat(descriptor).st_size))

    arrived: list[tuple[bytes, list[tuple[str, int]]]] = []

    def passing(method: str, path: str) -> tuple[str, str]:
        if "connectByCredentials" in path:
            arrived.append(((place.path / "journal").read_bytes(), list(synced)))
        return method, path

    with stand_in(armed.sandbox.endpoint, passing) as endpoint:
        place = folder_of(armed, endpoint=endpoint)
        monkeypatch.setattr(os, "fsync", fsync)
        ran = armed(*_APPLY, env={"EXTCAL_ENDPOINT": endpoint})
        monkeypatch.undo()
    assert ran.code == 0, ran.err
    ((content, before),) = arrived
    (line,) = map(json.loads, content.splitlines())
    assert line["intent"]["key"]["account"] == "staff0@harbor-dental.example"
    assert (str(place.path / "journal"), len(content)) in before
    # A file that is new is found only if its folders were synced, too.
    assert {str(folder) for folder in (place.path, place.path.parent, place.path.parent.parent)} <= dict(before).keys()
    for secret in (PASSWORD, armed.env["EXTCAL_API_KEY"]):
        assert secret.encode() not in (place.path / "journal").read_bytes()


def test_nobody_else_may_read_it(armed: Extcal) -> None:
    """However lax the umask, folders are their user's alone, and so are the files in them."""
    armed.env["EXTCAL_STATE_DIR"] = str(armed.folder / "a" / "b")
    before = os.umask(0)
    try:
        assert armed(*_APPLY).code == 0
    finally:
        os.umask(before)
    found = [armed.folder / "a", *(armed.folder / "a").rglob("*")]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in found}
    assert {modes.pop(name) for name in ("history", "journal", "lock", "requests")} == {0o600}
    assert set(modes.values()) == {0o700}
    assert len(modes) == 4


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is settled is dropped once there is much of it; while anything is open, nothing is."""
    monkeypatch.setattr(journal_module, "COMPACT_SIZE", 4096)
    place = Machine(tmp_path, "a service").site(HARBOR)
    book, path = place.journal, place.path / "journal"

    def grown() -> int:
        sizes = []
        for _ in range(20):
            book.begin(intent(0))
            book.end(intent(0), Fate.DONE, "c" * 200, intent(0).key.account)
            sizes.append(path.stat().st_size)
        return max(sizes)

    assert grown() <= 4096
    book.begin(intent(1))
    assert grown() > 8192
    assert [pending.intent for pending in book.pending()] == [intent(1)]
    book.end(intent(1), Fate.NOTHING)
    assert path.read_bytes() == b""


def test_a_site_is_one_however_it_is_spelt(armed: Extcal) -> None:
    """What was left open of a site is found by manifests that write its id in capitals."""
    armed.on(world(harbor(0)))
    path = leave_open(armed, intent(0))
    armed.write(site(id_=HARBOR.upper()), connection(0))
    ran = armed(*_APPLY)
    assert (ran.code, armed.writes) == (0, [])
    assert "harbor/staff-0: an earlier connect was left open: it has made live-0" in ran.err
    assert lines(path)[-1]["ending"] == "adopted"


def test_services_are_told_apart(armed: Extcal) -> None:
    """What was left open at another endpoint is none of this one's business, and stays open."""
    with stand_in(armed.sandbox.endpoint, lambda method, path: (method, path)) as endpoint:
        leave_open(armed, intent(0))
        ran = armed(*_APPLY, env={"EXTCAL_ENDPOINT": endpoint})
    assert (ran.code, ran.err) == (0, "")
    assert len(folder_of(armed).journal.pending()) == 1


@pytest.mark.parametrize(
    ("at", "up", "age"),
    [
        ((1000, 50), (1007, 57), 7),
        # Somebody has set the clock: forward, and back.
        ((1000, 50), (9000, 57), 7),
        ((1000, 50), (200, 57), 0),
        # The machine was started anew: shortly after, and long after.
        ((1000, 50_000), (1090, 30), 90),
        ((1000, 50), (9000, 4000), 3950),
    ],
)
def test_a_clock_that_was_set_makes_no_connect_older(
    tmp_path: Path, at: tuple[float, float], up: tuple[float, float], age: float
) -> None:
    """Who believes a connect old does not wait for it to come about; its age is never more than it is."""
    moment = [*at]
    book = FileJournal(tmp_path / "journal", lambda: None, lambda: moment[0], lambda: moment[1])
    book.begin(intent(0))
    moment[:] = up
    (pending,) = book.pending()
    assert pending.age == age


def test_an_intent_is_as_old_as_it_is(tmp_path: Path) -> None:
    """With the machine's own clocks, too."""
    book = FileJournal(tmp_path / "journal", lambda: None)
    before = time.monotonic()
    book.begin(intent(0))
    begun = time.monotonic()
    time.sleep(0.05)
    earliest = time.monotonic() - begun
    (pending,) = book.pending()
    assert earliest - 0.01 < pending.age < time.monotonic() - before + 0.01


def test_a_second_sending_begins_anew(tmp_path: Path) -> None:
    """A process that ends with its second sending leaves one intent, which is as young as that sending."""
    moment = [1000.0]
    book = FileJournal(tmp_path / "journal", lambda: None, lambda: moment[0], lambda: moment[0])
    book.begin(intent(0))
    moment[0] += 15
    book.begin(intent(0))
    moment[0] += 2
    (left,) = book.pending()
    assert (left.intent, left.age) == (intent(0), 2.0)
    book.end(intent(0), Fate.NOTHING)
    assert book.pending() == ()
