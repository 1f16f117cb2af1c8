"""Tables: alignment, and cells that can't break out."""

from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.render.table import sync_words, table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """Cells stand below their heading, and no line ends in blanks."""
    assert table(("A", "LONG", "C"), [("wide", "x", ""), ("y", "", "z")]) == ("A     LONG  C\nwide  x\ny           z")


def test_columns_stand_below_each_other_in_any_script() -> None:
    """Ideographs take two columns of a terminal, and a mark on a letter none."""
    assert table(("A", "B"), [("漢字", "x"), ("e\u0301", "y")]) == "A     B\n漢字  x\ne\u0301     y"


def test_no_rows_are_the_headings() -> None:
    """An empty table still says what it would hold."""
    assert table(("A", "B"), []) == "A  B"


def test_a_cell_stays_in_its_row() -> None:
    """Line breaks and controls are taken out before widths are counted."""
    assert table(("A", "B"), [("x\n\x1b\u202ey", "z")]) == "A   B\nxy  z"


def test_sync_configs_in_words() -> None:
    """Off, the primary calendar, named ones, a dedicated one, or merely on."""
    named = Direction(enabled=True, arm=Arm.CALENDARS, calendars=(CalendarRef("w", "Work"), CalendarRef("b")))
    assert sync_words(SyncConfig(named, Direction(enabled=True, arm=Arm.DEDICATED))) == ("Work [w], b", "dedicated")
    assert sync_words(SyncConfig(Direction(enabled=True, arm=Arm.PRIMARY), Direction(enabled=True))) == (
        "primary",
        "on",
    )
    assert sync_words(SyncConfig(None, Direction(enabled=False, arm=Arm.PRIMARY))) == ("off", "off")
    assert sync_words(SyncConfig(Direction(enabled=True, arm=Arm.CALENDARS), None)) == ("no calendar", "off")
