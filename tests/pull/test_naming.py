"""Names for what is pulled."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.manifests.writing.naming import Taken, password_variable, slug
from reconciler.manifests.writing.quoting import NAME, comment
from tests.pull.live import live, observed, pull


@given(text=st.text())
def test_a_slug_is_a_name_or_nothing(text: str) -> None:
    """Whatever a thing is called, its slug fits a manifest's name, a file's name and a variable's."""
    short = slug(text)
    assert short == "" or NAME.fullmatch(short)
    assert short == slug(short)
    assert re.fullmatch("EXTCAL_[A-Z0-9_]+", password_variable(f"x-{short}"))


def test_a_slug_keeps_what_letters_it_can() -> None:
    """Accents go, letters stay."""
    assert slug("  Dr. Łukasz Müller-Åström (Zürich) ") == "dr-ukasz-muller-astrom-zurich"


@given(names=st.lists(st.sampled_from(("a", "A", "b", "a-2", "B-2")), max_size=8))
def test_names_are_unique_whatever_their_case(names: list[str]) -> None:
    """Every name that is taken differs from all others, also where case does not count."""
    taken = Taken(["a"])
    given_out = [taken.take(name).casefold() for name in names]
    assert len({"a", *given_out}) == len(names) + 1


def test_accounts_that_look_alike_are_numbered(folder: Path) -> None:
    """Where accounts do not tell connections apart, numbers do."""
    domains = ("harbor", "quay", "pier")
    pull(folder, observed(*(live(id=name, account=f"lee@{name}.example") for name in domains)))
    names = [one.name for one in load([folder]).connections]
    assert names == ["dr-lee-apple", "dr-lee-apple-lee", "dr-lee-apple-lee-2"]


def test_a_long_comment_is_cut() -> None:
    """A name of any length stays on one readable line."""
    assert comment("x" * 500) == f'"{"x" * 79}…"'
