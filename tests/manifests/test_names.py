"""Names and references, across all files: each name once, each reference to something."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.text import Suggestions
from tests.manifests.conftest import refusals
from tests.support.builders.manifests import (
    CONNECTION,
    POLICY,
    SCHEDULE_ID,
    SITE,
    SITE_ID,
    connection,
    documents,
    manifest,
)
from tests.support.work import steps

Faults = Callable[[str], list[str]]

SECOND = SITE.replace("harbor-dental", "harbor-dental-2").replace(SITE_ID, SCHEDULE_ID)


def test_a_name_is_used_once(folder: Path) -> None:
    """Sites and policies have one name in all files, a connection one on its site; the first is named by its place."""
    (folder / "a.yaml").write_text(documents(SITE, POLICY, CONNECTION))
    (folder / "b.yaml").write_text(
        documents(
            SITE.replace(SITE_ID, SCHEDULE_ID),
            POLICY,
            connection("dr-lee-apple", site="harbor-dental", account="kim@harbor-dental.example"),
        )
    )
    assert refusals(Path()) == [
        "b.yaml:3:18: the Site 'harbor-dental' is declared twice, at metadata.name (first at a.yaml:3:18)",
        "b.yaml:10:18: the SyncPolicy 'busy-times-only' is declared twice, at metadata.name (first at a.yaml:10:18)",
        (
            "b.yaml:16:72: the Connection 'dr-lee-apple' is declared twice on site 'harbor-dental', at metadata.name"
            " (first at a.yaml:18:18)"
        ),
    ]


def test_a_name_counts_though_the_rest_is_wrong(faults: Faults) -> None:
    """A document with a fault has its name all the same: it is neither missing nor free to be used again."""
    told = faults(documents(SITE + "  zzz: 1\n", CONNECTION + "  site: harbor-dental\n", SITE))
    assert [fault.partition(": ")[2].partition(",")[0] for fault in told] == [
        "unknown field 'zzz'",
        "the Site 'harbor-dental' is declared twice",
    ]


def test_one_name_on_two_sites(loaded: Callable[[str], object]) -> None:
    """Connections of different sites may have one name, and kinds do not share names."""
    kim = connection("harbor-dental", site="harbor-dental-2", account="kim@harbor-dental.example")
    lee = connection("harbor-dental", site="harbor-dental")
    loaded(documents(SITE, SECOND, kim, lee))


def test_a_site_may_be_left_out_only_where_there_is_one(faults: Faults) -> None:
    """Which site is meant must be clear."""
    assert faults(documents(CONNECTION, SITE, SECOND)) == [
        "m.yaml:1:1: missing field 'site', and 2 Sites are declared, at spec (set site to one of them)"
    ]
    assert faults(CONNECTION) == ["m.yaml:1:1: no Site is declared, at spec (add a Site manifest)"]


def test_two_sites_with_one_id(faults: Faults) -> None:
    """One site is declared once, whatever it is called and however its id is written."""
    again = SITE.replace("harbor-dental", "other").replace(SITE_ID, SITE_ID.upper())
    assert faults(documents(SITE, again)) == [
        (
            "m.yaml:12:11: the Sites 'harbor-dental' and 'other' have the same siteId, at spec.siteId"
            " (first at m.yaml:5:11)"
        )
    ]


def test_a_copied_site_is_one_fault(faults: Faults) -> None:
    """Its name says it; that the id is the same, too, is no second fault."""
    assert faults(documents(SITE, SITE)) == [
        "m.yaml:10:18: the Site 'harbor-dental' is declared twice, at metadata.name (first at m.yaml:3:18)"
    ]


def test_references_are_checked_in_documents_with_other_faults(faults: Faults) -> None:
    """A fault of the schema hides no reference to nothing in the same document."""
    told = faults(documents(connection("one", site="harbr-dental", syncPolicy="busy", state="gone"), SITE, POLICY))
    assert [fault.split(": ")[1].partition(",")[0] for fault in told] == [
        "no Site is called 'harbr-dental'",
        "no SyncPolicy is called 'busy'",
        "unknown value 'gone'",
    ]


def test_one_file_of_several_asks_for_the_others(faults: Faults) -> None:
    """Where nothing of a kind is declared, the file that declares it was not given."""
    told = faults(connection("one", site="harbor-dental", syncPolicy="busy"))
    assert [fault.partition(" (")[2] for fault in told] == ["declare it, or give the folder that declares it, too)"] * 2


@pytest.mark.parametrize(("names", "wrongs"), [(20, 300), pytest.param(2_000, 2_000, marks=pytest.mark.soak)])
def test_suggestions_for_very_many_names_end(faults: Faults, names: int, wrongs: int) -> None:
    """Every reference to nothing is told, but only for the first ones a name is suggested."""
    policies = [manifest("SyncPolicy", f"policy-{n}", {"syncConfig": {}}) for n in range(names)]
    wrong = [
        connection(f"c{n}", syncPolicy=f"polizy-{n}", account=f"c{n}@harbor-dental.example") for n in range(wrongs)
    ]
    told = faults(documents(SITE, *policies, *wrong))
    assert len(told) == wrongs
    assert "did you mean policy-" in told[0]
    assert sum("did you mean" in fault for fault in told) <= 200


def test_a_suggestion_among_very_many_names_ends() -> None:
    """To look for the nearest of many names that begin alike takes no longer than of some."""
    some, many = (Suggestions([f"policy-{n:05}" for n in range(count)]) for count in (1_500, 6_000))
    assert steps(lambda: many.hint("polizy-00001")) < steps(lambda: some.hint("polizy-00001")) * 1.2
    assert many.hint("polizy-00001") == "did you mean policy-00001?"


@pytest.mark.parametrize(
    ("broken", "where", "why"),
    [
        ("a: [", "m.yaml:2:1: ", "m.yaml could not be read completely"),
        (None, "", "the path 'm.yaml' does not exist"),
    ],
)
def test_references_that_can_not_be_checked_are_counted(folder: Path, broken: str | None, where: str, why: str) -> None:
    """Where names may be missing it is said how many references lead to none, and for the sake of what."""
    if broken is not None:
        (folder / "m.yaml").write_text(broken)
    good = connection("one", schedule={"name": "one"}, syncPolicy="busy-times-only", site="harbor-dental")
    (folder / "other.yaml").write_text(documents(SITE, POLICY, good))
    assert not any("not checked" in fault for fault in refusals(Path("m.yaml"), Path("other.yaml")))
    bad = connection("two", site="nobody", syncPolicy="none", account="kim@harbor-dental.example")
    (folder / "more.yaml").write_text(bad)
    (found,) = [fault for fault in refusals(*map(Path, ("m.yaml", "other.yaml", "more.yaml"))) if "checked" in fault]
    assert found == f"{where}2 references are not checked: {why} (fix that first, then run validate again)"
    (folder / "more.yaml").write_text(connection("two", site="nobody", account="kim@harbor-dental.example"))
    assert any(
        fault.startswith(f"{where}1 reference is not")
        for fault in refusals(*map(Path, ("m.yaml", "other.yaml", "more.yaml")))
    )
