"""Every site is in exactly one shard, for good, and a shard says which one it is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.model.shards import MOST, Shards, shard_of
from tests.fleet.fleets import SHARDS, account, connection, fleet, planned_in_shards, site_id
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import PASSWORD_ENV, site, world

SCHEMAS = Path(__file__).parents[2] / "schemas"
site_ids = st.uuids().map(str)


@given(st.sets(site_ids, max_size=60), st.integers(1, 40))
def test_shards_are_disjoint_and_hold_everything(sites: set[str], of: int) -> None:
    """Each site is in one shard and one alone; together they hold all."""
    holding = {site: [n for n in range(1, of + 1) if Shards(of, (n,)).holds(site)] for site in sites}
    assert all(len(numbers) == 1 for numbers in holding.values())


@given(site_ids, st.integers(1, MOST))
def test_a_site_stays_where_it_is(site_id: str, of: int) -> None:
    """Its shard is told by its id alone, in whatever case that is written, so no other site can move it."""
    assert 1 <= shard_of(site_id, of) <= of
    assert shard_of(site_id.upper(), of) == shard_of(site_id, of)


def test_the_cut_is_the_same_in_every_version() -> None:
    """Known sites are where they have always been: a fleet is not cut anew by an update."""
    assert [shard_of(f"7a3f0c1e-5d2b-4f6a-9c8e-{n:012d}", 8) for n in range(8)] == [6, 5, 3, 7, 5, 4, 5, 4]


def test_shards_are_of_about_one_size() -> None:
    """10,000 sites in 10 shards: none has a tenth more or less than its share."""
    counts = [0] * 10
    for number in range(10_000):
        counts[shard_of(f"7a3f0c1e-5d2b-4f6a-9c8e-{number:012d}", 10) - 1] += 1
    assert 900 < min(counts) <= max(counts) < 1100


@given(st.integers(1, 200), st.data())
def test_what_is_missing_is_the_rest(of: int, data: st.DataObject) -> None:
    """Those named and those missing make the whole."""
    numbers = data.draw(st.sets(st.integers(1, of), min_size=1))
    assert {*numbers, *Shards(of, tuple(sorted(numbers))).missing} == set(range(1, of + 1))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((2,), "shard 2 of 90"), ((1, 2, 3, 7), "shards 1-3, 7 of 90"), (tuple(range(1, 91, 2)), "… and 33 more of 90")],
)
def test_shards_in_words(numbers: tuple[int, ...], text: str) -> None:
    """Neighbours are told together, and very many are counted."""
    assert str(Shards(90, numbers)).endswith(text)


@pytest.mark.parametrize(("of", "numbers"), [(0, (1,)), (MOST + 1, (1,)), (3, ()), (3, (4,)), (3, (0,)), (3, (2, 1))])
def test_what_is_no_part_of_a_fleet_is_refused(of: int, numbers: tuple[int, ...]) -> None:
    """No shard beyond the last, none before the first, none twice."""
    with pytest.raises(ValueError, match=r"shards|fleet"):
        Shards(of, numbers)


def test_shards_plan_what_the_whole_plans(sites: Extcal) -> None:
    """Every action of the whole is in one shard's plan; each document says whose it is and follows the schema."""
    whole = sites("plan", "manifests", "--format", "json").document
    assert "shards" not in whole
    found: list[object] = []
    for number in range(1, SHARDS + 1):
        document = sites("plan", "manifests", "--shard", f"{number}/{SHARDS}", "--format", "json").document
        Draft202012Validator(json.loads((SCHEMAS / "plan.schema.json").read_text())).validate(document)
        assert document["shards"] == {"of": SHARDS, "numbers": [number]}
        assert isinstance(document["actions"], list)
        found += document["actions"]
    assert sorted(found, key=str) == sorted(whole["actions"], key=str)  # type: ignore[call-overload] # a list, by the schema


def test_a_shard_reads_its_own_sites_alone(sites: Extcal) -> None:
    """Two requests for each of its sites, and none for another's."""
    seen = 0
    for number in range(1, SHARDS + 1):
        sites.sandbox.requests.clear()
        ran = sites("status", "manifests", "--shard", f"{number}/{SHARDS}", "--format", "json")
        connections = ran.document["connections"]
        assert isinstance(connections, list)
        assert len(sites.sandbox.requests) == len(connections)  # two requests and two connections a site
        seen += len(connections)
    assert seen == 12


def test_the_pod_of_an_indexed_job_knows_its_shard(sites: Extcal) -> None:
    """auto/N is the shard of JOB_COMPLETION_INDEX, which counts from 0."""
    for index in range(3):
        said = sites("plan", "manifests", "--shard", f"{index + 1}/3", "--format", "json")
        auto = sites(
            "plan", "manifests", "--shard", "auto/3", "--format", "json", env={"JOB_COMPLETION_INDEX": f"{index}"}
        )
        assert auto == said


def test_an_empty_shard_is_no_failure(sites: Extcal) -> None:
    """Where no site falls into a shard, plan, status and apply say so and are done, without a request."""
    empty = next(n for n in range(1, 61) if not any(Shards(60, (n,)).holds(s) for s in _ids(sites)))
    sites.sandbox.requests.clear()
    for args in (("plan",), ("status",), ("apply", "--auto-approve"), ("plan", "--out", "empty.json")):
        ran = sites(*args, "manifests", "--shard", f"{empty}/60")
        assert ran.code == 0
        assert f"shard {empty} of 60 holds none of the sites" in ran.err
    assert sites("apply", "--plan", "empty.json", "--auto-approve").code == 0
    assert len(sites.sandbox.requests) == 0


def _ids(command: Extcal) -> set[str]:
    return {str(action["site_id"]) for action in command("plan", "manifests", "--format", "json").actions}


def test_a_shard_and_names_choose_what_is_in_both(sites: Extcal) -> None:
    """--site and --shard together: the site where it is in that shard, nothing elsewhere."""
    counts = [
        len(sites("plan", "manifests", "--site", "site-03", "--shard", f"{n}/3", "--format", "json").actions)
        for n in (1, 2, 3)
    ]
    assert sorted(counts) == [0, 0, 2]


@pytest.mark.parametrize(
    ("said", "index", "why"),
    [
        ("5", None, "not a shard. Write K/N, such as 2/8, or auto/N"),
        ("/4", None, "Write K/N"),
        ("-1/4", None, "Write K/N"),
        ("2/4/8", None, "Write K/N"),
        ("0/4", None, "of 4 shards the numbers are 1 to 4"),
        ("5/4", None, "of 4 shards the numbers are 1 to 4"),
        ("1/0", None, "1 to 10000 shards, not 0"),
        ("1/10001", None, "1 to 10000 shards, not 10001"),
        ("1/999999999999", None, "Write K/N"),
        ("auto/4", None, "JOB_COMPLETION_INDEX is not set"),
        ("auto/4", "", "JOB_COMPLETION_INDEX is not set"),
        ("auto/4", "4", "JOB_COMPLETION_INDEX is '4', not from 0 to 3. Set completions: 4"),
        ("auto/4", "-1", "JOB_COMPLETION_INDEX is '-1'"),
        ("auto/4", "one", "JOB_COMPLETION_INDEX is 'one'"),
    ],
)
def test_a_shard_that_can_not_be_meant_is_wrong_usage(bare: Extcal, said: str, index: str | None, why: str) -> None:
    """The error says what is wrong and how it is written; an unset variable never becomes another shard."""
    ran = bare("plan", "manifests", f"--shard={said}", env={"JOB_COMPLETION_INDEX": index})
    assert (ran.code, ran.out) == (64, "")
    assert why in ran.err


def test_a_saved_plan_is_carried_out_shard_by_shard(sites: Extcal) -> None:
    """Shards of one saved plan do all of it, each action once; then nothing is left to do."""
    assert sites("plan", "manifests", "--out", "plan.json").code == 0
    for number in range(1, SHARDS + 1):
        ran = sites("apply", "--plan", "plan.json", "--shard", f"{number}/{SHARDS}", "--auto-approve")
        assert ran.code == 0, ran.err
        assert ran.out.endswith(f" Only shard {number} of {SHARDS}.\n")
    assert len([r for r in sites.writes if r.path.endswith(":connectByCredentials")]) == 6
    assert "Nothing to do" in sites("plan", "manifests").out
    whole = sites("apply", "--plan", "plan.json", "--auto-approve")
    assert (whole.code, whole.out.splitlines()[-1]) == (
        0,
        "Nothing was done: this plan was applied before.",
    )


def test_a_saved_shard_keeps_saying_so(sites: Extcal) -> None:
    """The plan of a shard is applied as it is, and the report names the shard."""
    file = planned_in_shards(sites)[0]
    ran = sites("apply", "--plan", file, "--auto-approve", "--format", "json")
    assert ran.document["shards"] == {"of": SHARDS, "numbers": [1]}


def test_what_waits_for_another_shard_is_left_for_the_whole(extcal: Extcal) -> None:
    """An account that moves between sites of two shards is not connected before it is free, in whatever order."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(*fleet(2), accounts=4))
    moving = connection(1, 0).replace(account(1, 0), account(0, 0)).replace("staff-0", "moved")
    extcal.write(
        site("site-00", id_=site_id(0)),
        site("site-01", id_=site_id(1)),
        connection(0, 0, more="state: absent"),
        moving,
    )
    of = next(n for n in range(2, 9) if shard_of(site_id(0), n) != shard_of(site_id(1), n))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    words = ("apply", "--plan", "plan.json", "--auto-approve")
    early = extcal(*words, "--shard", f"{shard_of(site_id(1), of)}/{of}")
    assert (early.code, extcal.writes) == (1, [])
    assert "site-00/staff-0, which must go first, is in another part of the plan" in early.out
    assert extcal(*words, "--shard", f"{shard_of(site_id(0), of)}/{of}").code == 0
    whole = extcal(*words)
    assert (whole.code, len(extcal.writes)) == (0, 2)
