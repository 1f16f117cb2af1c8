"""A nearly right name is answered with the right one."""

import pytest

from reconciler.planning.suggestion import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("Wrok", ["Home", "Work"], "did you mean Work?"),
        ("WORK", ["work"], "did you mean work?"),
        ("Strasse", ["STRAẞE", "Other"], "did you mean STRAẞE?"),
        ("Work 3", ["Work 1", "Work 33", "Work"], "did you mean Work 33?"),
        ("Birthdays", ["Work", "Home"], ""),
        ("Work", [], ""),
        ("", ["Work"], ""),
    ],
)
def test_the_nearest_name_is_suggested(word: str, known: list[str], said: str) -> None:
    """In whatever case, as it is really written; where none is near, nothing is said."""
    assert did_you_mean(word, known) == said
