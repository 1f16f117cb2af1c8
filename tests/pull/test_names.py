"""Names for what is pulled."""

import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.model.live import Schedule
from reconciler.pull.names import Taken, password_variable, slug
from reconciler.pull.yaml_emit import NAME, comment
from tests.pull.live import APPLE, GOOGLE, KIM, LEE, PATEL, ROTA, SITE_ID, actions, called, live, observed, pull, site
from tests.support.tools import ROOT


@given(text=st.text())
def test_a_slug_is_a_name_or_nothing(text: str) -> None:
    """Whatever a thing is called, its slug fits a manifest's name, a file's name and a variable's."""
    short = slug(text)
    assert short == "" or NAME.fullmatch(short)
    assert short == slug(short)
    assert re.fullmatch("EXTCAL_[A-Z0-9_]+", password_variable(f"x-{short}"))


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("  Dr. Łukasz Müller-Åström (Zürich) ", "dr-lukasz-muller-astrom-zurich"),
        ("Ærøskøbing", "aeroskobing"),
        ("王小明", "wangxiaoming"),
        ("10号诊室", "10haozhenshi"),
        ("Ольга Щербакова", "olga-shcherbakova"),
        ("מרפאה", "mrfh"),
        ("O'Brien", "o-brien"),
        ("…", ""),
    ],
)
def test_a_slug_keeps_every_letter(text: str, short: str) -> None:
    """A name of any script is spelled in ASCII letters, however its characters are composed."""
    assert slug(text) == short
    assert slug(unicodedata.normalize("NFD", text)) == short


def test_names_of_any_script_name_files_and_connections(folder: Path) -> None:
    """People whose names have no letter of ASCII get names of their own, and keep them when pulled again."""
    names = (Schedule(LEE, "王小明 10", None, "ACTIVE"), Schedule(PATEL, "李小龙 10", None, "ACTIVE"))
    seen = called(observed(live(), live(PATEL)), *names)
    pull(folder, seen)
    assert [one.name for one in load([folder]).connections] == ["lixiaolong-10-apple", "wangxiaoming-10-apple"]
    files = {path.name for path in (folder / "harbor-dental/schedules").iterdir()}
    assert files == {"lixiaolong-10.yaml", "wangxiaoming-10.yaml"}
    assert set(actions(folder, seen).values()) == {"noop"}
    assert pull(folder, seen).changed == []


def test_connections_named_otherwise_keep_their_names(folder: Path) -> None:
    """A folder that was pulled when names were spelled in another way stays as it is, and grows beside it."""
    seen = called(observed(live()), Schedule(LEE, "Łukasz", None, "ACTIVE"))
    pull(folder, seen)
    schedules = folder / "harbor-dental/schedules"
    before = (schedules / "lukasz.yaml").read_text().replace("lukasz-apple", "ukasz-apple")
    (schedules / "lukasz.yaml").unlink()
    (schedules / "ukasz.yaml").write_text(before)
    assert pull(folder, seen).changed == []
    more = called(observed(live(), live(LEE, GOOGLE)), Schedule(LEE, "Łukasz", None, "ACTIVE"))
    assert pull(folder, more).saved.updated == ["harbor-dental/schedules/ukasz.yaml"]
    assert [one.name for one in load([folder]).connections] == ["lukasz-google", "ukasz-apple"]


def test_a_name_from_elsewhere_that_is_taken_is_numbered(folder: Path) -> None:
    """What manifests elsewhere name keeps its name, before anything new gets one, unless the folder has it already."""
    pull(folder, observed(live()))
    (declared,) = load([folder]).connections
    names = {"live-patel-Apple": "dr-lee-apple", "live-kim-Google": "dr-patel-google"}
    known = {id_: replace(declared, name=name) for id_, name in names.items()}
    seen = observed(live(), live(PATEL), live(PATEL, GOOGLE), live(KIM, GOOGLE))
    pull(folder, replace(seen, known=known))
    assert {one.name: one.schedule.value for one in load([folder]).connections} == {
        "dr-lee-apple": LEE,
        "dr-lee-apple-2": PATEL,
        "dr-patel-google": KIM,
        "dr-patel-google-patel": PATEL,
    }
    assert set(actions(folder, seen).values()) == {"noop"}


def test_long_names_fit_a_manifest(folder: Path) -> None:
    """However long things are called, names, and policies that two sites share a name for, are within bounds."""
    long = replace(ROTA, name="Rota " * 60)
    names = [Schedule(id_, "Long " * 60, None, "ACTIVE") for id_ in (LEE, PATEL, KIM)]
    sites = [site(name * 128, SITE_ID.replace("7a", digit)) for name, digit in (("a", "7a"), ("b", "7b"))]
    for one in sites:
        accounts = [f"{one.name[:60]}{number}@harbor.example" for number in range(3)]
        lives = [live(id_, long, account=account) for id_, account in zip((LEE, PATEL, KIM), accounts, strict=True)]
        lives += [live(provider=GOOGLE, account=f"{one.name[:9]}@harbor.example")]
        providers = (APPLE, GOOGLE, long)
        seen = called(observed(*lives, of=one, providers=providers), *names)
        assert pull(folder, seen).pull.failures == ()
        assert len(actions(folder, seen)) == 4
        assert set(actions(folder, seen).values()) == {"noop"}


def test_names_in_ascii_need_no_tables() -> None:
    """Commands that make no names, or only ASCII ones, do not wait for the tables of other scripts."""
    script = "import sys\nfrom reconciler.cli import main, pull\nfrom reconciler.pull.names import slug\n"
    script += "slug('Dr. Lee')\nprint('anyascii' in sys.modules)\nslug('Łukasz')\nprint('anyascii' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


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
