"""A nearly right name is answered with the right one."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.text import did_you_mean, listed
from tests.support.work import steps


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("Wrok", ["Home", "Work"], "did you mean Work?"),
        ("WORK", ["work"], "did you mean work?"),
        ("Strasse", ["STRAẞE", "Other"], "did you mean STRAẞE?"),
        ("Work 3", ["Work 1", "Work 33", "Work"], "did you mean Work 33?"),
        ("Birthdays", ["Work", "Home"], ""),
        ("dr-lee", ["dr-lee-apple", "dr-patel-google"], "did you mean dr-lee-apple?"),
        ("dr-pattel", ["dr-lee-apple", "dr-patel-google"], "did you mean dr-patel-google?"),
        ("patel", ["dr-lee-apple", "dr-patel-google"], "did you mean dr-patel-google?"),
        ("dr-", ["dr-lee-apple"], ""),
        ("Dr. Lee", ["Dr. Patel", "Dr. Kim", "Dr. Ali"], ""),
        ("Dr. Ali", ["Dr. Lee", "Dr. Patel"], ""),
        ("harbor-dental/lee", ["harbor-dental/kim", "harbor-dental/kim-google"], ""),
        ("Staff 12", ["Staff 34"], ""),
        ("Dr. Pattel", ["Dr. Lee", "Dr. Patel", "Dr. Ptolemy"], "did you mean Dr. Patel?"),
        ("harbour-dental/lee", ["harbor-dental/kim", "harbor-dental/lee"], "did you mean harbor-dental/lee?"),
        ("live1", ["live-1"], "did you mean live-1?"),
        ("Work", [], ""),
        ("", ["Work"], ""),
    ],
)
def test_the_nearest_name_is_suggested(word: str, known: list[str], said: str) -> None:
    """In whatever case, or of a part, as it is really written; where none is near, nothing is said."""
    assert did_you_mean(word, known) == said


@given(st.text("abcd-. ", min_size=1, max_size=8), st.text("abcd-. ", min_size=1, max_size=8))
def test_a_name_that_is_there_is_its_own_suggestion(word: str, name: str) -> None:
    """Whatever it consists of; and no other word makes the search fail."""
    assert did_you_mean(name, [name]) == f"did you mean {name}?"
    assert did_you_mean(word, [name]) in {"", f"did you mean {name}?"}


def test_very_many_names_are_not_compared_one_by_one() -> None:
    """A service may tell of hundreds of thousands: of those only some that begin alike are looked at."""
    word, near = "work " * 9, "work " * 8 + "wrok "
    few, many = ([f"{word[:-1]}{n:06}" for n in range(count)] for count in (2_000, 8_000))
    once, more = (steps(functools.partial(did_you_mean, word, names)) for names in (few, many))
    assert more < 1.5 * once
    assert did_you_mean(word, [near, *(f"x{n}" for n in range(2_000))]) == f"did you mean {near}?"
    assert did_you_mean("zork", [f"x{n}" for n in range(2_000)]) == ""


def test_few_names_are_listed_and_of_many_some() -> None:
    """In order, and how many more there are."""
    assert listed(["Work", "Home"]) == "Home, Work"
    assert listed([]) == "none"
    assert listed([f"{n:03}" for n in range(300)]).endswith("018, 019 and 280 more")
