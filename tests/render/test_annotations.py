"""Faults as workflow commands of GitHub Actions."""

from hypothesis import given

from reconciler.model.source import Fault, Source
from reconciler.render.github import annotation, annotations
from tests.render.hostile import texts


def test_a_fault_annotates_its_line() -> None:
    """The command names the file, the line and the column; the message is the one that the text output has."""
    fault = Fault(Source("./sites/a.yaml", 3, 7), "spec.provider", "unknown provider 'appel'", "did you mean apple?")
    assert annotation(fault) == f"::error file=sites/a.yaml,line=3,col=7,title=extcal validate::{fault}"


def test_a_fault_without_a_place_has_no_file() -> None:
    """What is wrong with no file is told all the same."""
    assert annotation(Fault(None, "", "nothing here")) == "::error title=extcal validate::nothing here"


def test_what_the_syntax_uses_is_escaped() -> None:
    """Percent signs, and in properties colons and commas, stand for themselves."""
    shown = annotation(Fault(Source("a:b,c%.yaml", 1, 1), "", "100%: a, b"))
    assert shown == "::error file=a%3Ab%2Cc%25.yaml,line=1,col=1,title=extcal validate::a:b,c%25.yaml:1:1: 100%25: a, b"


@given(texts, texts)
def test_a_hostile_fault_stays_one_command(file: str, message: str) -> None:
    """Whatever a file is called or holds, there is one line, and its properties are the four that are meant."""
    shown = annotations([Fault(Source(file, 1, 2), "", message)])
    assert len(shown.splitlines()) == 1
    properties = shown.removeprefix("::error ").partition("::")[0]
    assert [name.partition("=")[0] for name in properties.split(",")] == ["file", "line", "col", "title"]
