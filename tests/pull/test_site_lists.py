"""`extcal pull --sites`: many sites taken over in one run, from a CSV file that lists them."""

import codecs
from dataclasses import replace

import pytest

from reconciler.manifests import load
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import HARBOR, QUAY, harbor, quay, world

PIER = "4d1b7c2e-8f3a-4c59-b6d7-0a9e8f1c2b3d"
HEADER = "site_id,name,key_env,redirect_url\n"
QUAY_KEY = {"EXTCAL_QUAY_KEY": "another-key"}


def _pull(extcal: Extcal, table: str | bytes, *more: str, env: dict[str, str] | None = None) -> Ran:
    content = table if isinstance(table, bytes) else table.encode()
    (extcal.folder / "sites.csv").write_bytes(content)
    return extcal("pull", "--sites", "sites.csv", "--output", "manifests", *more, env=env)


def test_many_sites_are_taken_over_in_one_run(extcal: Extcal) -> None:
    """Each row is a site with its own key, name and redirect URL; the last line is the total."""
    extcal.on(world(harbor(0, 1), quay(key="another-key")))
    table = f"{HEADER}{HARBOR},Harbor Dental,,\n{QUAY.upper()},quay,EXTCAL_QUAY_KEY,https://quay.example/done\n"
    ran = _pull(extcal, table, env=QUAY_KEY)
    assert (ran.code, ran.err) == (0, "2 sites: 2 pulled, 2 connections\n")
    here, there = load([extcal.folder / "manifests"]).sites
    assert (here.name, str(here.auth.api_key), here.redirect_url) == ("harbor-dental", "env:EXTCAL_API_KEY", None)  # type: ignore[union-attr] # a key
    assert (there.name, there.redirect_url) == ("quay", "https://quay.example/done")
    assert extcal("plan", "manifests", "--detailed-exitcode", env=QUAY_KEY).code == 0
    again = _pull(extcal, table, "--quiet", env=QUAY_KEY)
    assert (again.code, again.out, again.err) == (0, "", "")


def test_quiet_leaves_out_what_is_unchanged_and_no_error(extcal: Extcal) -> None:
    """What was written and what went wrong is told all the same."""
    extcal.on(world(harbor(0), quay(key="another-key")))
    table = f"site_id,name\n{HARBOR},harbor\n"
    assert _pull(extcal, table).code == 0
    extcal.on(world(harbor(0, 1), quay(key="another-key")))
    ran = _pull(extcal, f"{table}{QUAY},quay\n", "--quiet")
    assert ran.code == 1
    assert ran.out == "created    manifests/harbor/schedules/staff-1.yaml\n"
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("error: quay: List")


def test_a_site_that_fails_does_not_keep_the_others(extcal: Extcal) -> None:
    """Neither a key that is refused nor one that is not set: each is an error, and the total counts them."""
    extcal.on(world(harbor(0), quay(key="another-key")))
    table = f"{HEADER}{QUAY},quay,,\n{HARBOR},harbor,,\n{PIER},pier,EXTCAL_PIER_KEY,\n"
    ran = _pull(extcal, table)
    assert ran.code == 1
    assert "error: quay: List" in ran.err
    assert "error: pier: " in ran.err
    assert "EXTCAL_PIER_KEY" in ran.err
    assert ran.err.endswith("\n3 sites: 1 pulled, 1 connection; 2 could not be read\n")
    assert [one.name for one in load([extcal.folder / "manifests"]).sites] == ["harbor"]


def test_a_site_that_can_not_be_added_is_counted(extcal: Extcal) -> None:
    """What does not go with the manifests that are there is told apart from what can't be read."""
    extcal.on(world(harbor(0), quay(key="another-key")))
    assert extcal("pull", "--site-id", HARBOR, "--name", "harbor", "--output", "manifests").code == 0
    path = extcal.folder / "manifests/harbor/schedules/staff-0.yaml"
    path.write_text(path.read_text().replace("  site: harbor\n", ""), encoding="utf-8")
    ran = _pull(extcal, f"{HEADER}{HARBOR},harbor,,\n{QUAY},quay,EXTCAL_QUAY_KEY,\n", env=QUAY_KEY)
    assert ran.code == 1
    assert ran.err.endswith("\n2 sites: 1 pulled, 1 connection; 1 can't be added\n")


@pytest.mark.parametrize(
    "table",
    [
        f"site_id;notes\n{HARBOR};ours\n",
        f"notes\tsite_id\r\nours\t{HARBOR}",
        codecs.BOM_UTF8 + f'"site_id","phone"\r\n"{HARBOR}","1;2"\r\n\r\n'.encode(),
    ],
)
def test_tables_as_spreadsheets_write_them(extcal: Extcal, table: str | bytes) -> None:
    """Only the id is needed; separators, quotes, marks and line ends are read as in rosters."""
    extcal.on(world(harbor(0)))
    ran = _pull(extcal, table)
    assert ran.code == 0
    assert [one.name for one in load([extcal.folder / "manifests"]).sites] == ["site-7a3f0c1e"]
    assert "is ignored (read are site_id, name, key_env, redirect_url)\n" in ran.err


@pytest.mark.parametrize(
    ("table", "faults"),
    [
        ("", ["sites.csv:1:1: the list of sites is empty"]),
        ("name,phone\nx,1\n", ["sites.csv:1:1: missing column 'site_id' (a list of sites begins with a line such as"]),
        ("site_id\n", ["sites.csv:1:1: the list has no sites (add a row for each site)"]),
        ("siteId,name\n", ["sites.csv:1:1: unknown column 'siteId' (did you mean site_id?)"]),
        ("site_id,redirectUrl\n", ["sites.csv:1:9: unknown column 'redirectUrl' (did you mean redirect_url?)"]),
        ("site_id,site_id\n", ["sites.csv:1:9: the column site_id is there twice"]),
        ("site_id,api_key\n", ["sites.csv:1:9: a secret must not be written", "in a column key_env)"]),
        (f"{HEADER}{HARBOR}\n", ["sites.csv:2:1: the row has 1 cells, and the header has 4"]),
        (f"{HEADER},harbor,,\n", ["sites.csv:2:1: missing site_id: the cell is empty, at site_id"]),
        (f"{HEADER}7a3f,harbor,,\n", ["sites.csv:2:1: must be a GUID", "at site_id"]),
        (f"{HEADER} {HARBOR},harbor,,\n", ["sites.csv:2:1: a space begins or ends the cell, at site_id"]),
        (
            f"{HEADER}{HARBOR},harbor,HARBOR_KEY,http://harbor.example/\n",
            [
                f"sites.csv:2:{len(HARBOR) + 9}: must be the name of an environment variable that begins with EXTCAL_",
                "at key_env",
                f"sites.csv:2:{len(HARBOR) + 20}: must be an https URL, or http on loopback",
                "at redirect_url",
            ],
        ),
        (
            f"{HEADER}{HARBOR},harbor,,\n{HARBOR.upper()},quay,,\n",
            [f"sites.csv:3:1: the site '{HARBOR}' is listed twice, at site_id (first at sites.csv:2:1)"],
        ),
        (
            f"{HEADER}{HARBOR},Harbor,,\n{QUAY},harbor,,\n",
            [f"sites.csv:3:{len(HARBOR) + 2}: the name 'harbor' can't be used: another site is called so, at name"],
        ),
        (f'{HEADER}"{HARBOR}\n', ["sites.csv:2:1: the quote that begins here is never closed"]),
        (b"site_id\n\xff\n", ["sites.csv:2:1: the byte 0xff is not UTF-8"]),
        (b"site_id\n\x1b[31m\n", ["sites.csv:2:1: the control character U+001B is refused"]),
        ("site_id,x\n=1+1,\U0001f600\n", ["sites.csv:2:1: must be a GUID"]),
    ],
)
def test_what_is_wrong_with_a_list_is_told_at_its_place(extcal: Extcal, table: str | bytes, faults: list[str]) -> None:
    """Nothing is asked of the service, and nothing is written."""
    ran = _pull(extcal, table)
    assert ran.code == 1
    assert [text for text in faults if text not in ran.err] == []
    assert len(extcal.sandbox.requests) == 0
    assert not (extcal.folder / "manifests").exists()


def test_a_key_in_the_wrong_column_is_not_repeated(extcal: Extcal) -> None:
    """What stands where a variable's name belongs may be the secret itself."""
    ran = _pull(extcal, f"{HEADER}{HARBOR},harbor,seagull-lantern-41,\n")
    assert ran.code == 1
    assert "seagull" not in ran.err


def test_a_list_that_can_not_be_read_is_told(extcal: Extcal) -> None:
    """A file that is not there, and a folder."""
    for name, why in (("none.csv", "can't be read: No such file"), (".", "is a folder, not a file")):
        ran = extcal("pull", "--sites", name, "--output", "manifests")
        assert (ran.code, why in ran.err) == (1, True), ran.err


def test_the_name_that_the_folder_gives_a_site_stays(extcal: Extcal) -> None:
    """A list that calls it otherwise is told so at the cell; one without a name is not."""
    extcal.on(world(harbor(0)))
    assert extcal("pull", "--site-id", HARBOR, "--name", "haven", "--output", "manifests").code == 0
    ran = _pull(extcal, f"{HEADER}{HARBOR},harbor,,\n")
    assert ran.code == 1
    assert "the name 'harbor' can't be used: the folder calls the site haven, at name (empty the cell" in ran.err
    assert _pull(extcal, f"{HEADER}{HARBOR},,,\n").code == 0


@pytest.mark.parametrize("name", ["Łódź & \U0001f600", "\u202eevil", "a\nb: #", "=1+1", '"x', "…"])
def test_names_of_any_text_become_names_of_manifests(extcal: Extcal, name: str) -> None:
    """A title in a spreadsheet need not know the rules of manifests."""
    extcal.on(world(replace(harbor(0), name=name)))
    quoted = name.replace('"', '""')
    ran = _pull(extcal, f'{HEADER}{HARBOR},"{quoted}",,\n')
    assert ran.code == 0, ran.err
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    "more", [("p",), ("--site-id", HARBOR), ("--site-id", HARBOR, "--name", "harbor"), ("--site", "harbor")]
)
def test_other_ways_to_name_sites_are_excluded(extcal: Extcal, more: tuple[str, ...]) -> None:
    """A list of sites is all of them."""
    ran = _pull(extcal, f"{HEADER}{HARBOR},harbor,,\n", *more)
    assert ran.code == 64
    assert "and --sites exclude each other. Give one." in ran.err


def test_an_empty_option_is_told(extcal: Extcal) -> None:
    """A variable that was never set is no list."""
    ran = extcal("pull", "--sites", "", "--output", "manifests")
    assert (ran.code, "--sites is empty" in ran.err) == (64, True)
