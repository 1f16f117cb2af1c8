"""A saved plan comes back as it was, or is refused."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.action import Attribution
from reconciler.model.desired import AppAuth, SecretKind, SecretRef, State
from reconciler.model.plan import Plan, Violation
from reconciler.model.source import Fault, Source
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planfile import PlanFileError, load, read, save
from reconciler.planning.order import ordered
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OTHER_SCHEDULE,
    PRUNING,
    SITE,
    chosen,
    declared,
    live,
    planned,
    site_with,
)


def telling_plan() -> Plan:
    """A plan with an action of every kind, faults, violations and both ways to authenticate."""
    on = site_with(
        live(),
        live("tomb", account="tomb@harbor.example"),
        live("broken", account="broken@harbor.example", status="ERROR"),
        live("stray", GOOGLE, account="stray@harbor.example"),
    )
    first = planned(
        declared(sync=SyncConfig(chosen(CalendarRef("w1", "Wörk")), DEDICATED)),
        declared("tomb", account="tomb@harbor.example", state=State.ABSENT),
        declared("broken", account="broken@harbor.example"),
        declared("new", provider="google"),
        on=replace(on, calendars={"c1": ()}),
        site=PRUNING,
    )
    second = replace(SITE, name="bay", auth=AppAuth("app", SecretRef(SecretKind.FILE, "bay/key"), "instance"))
    site_plan = replace(
        planned(site=second),
        faults=(Fault(Source("a.yaml", 1, 2), "bay/x", "wrong", "right"), Fault(None, "bay", "unreadable")),
        violations=(Violation("max-disconnects", "bay", "too many"),),
        warnings=("mind",),
    )
    return ordered(Plan((first, site_plan)))


def without_sources(plan: Plan) -> Plan:
    """The plan as it comes back: the places of sites and actions in manifests are not saved, and it has an id."""
    return Plan(
        tuple(
            replace(
                site,
                site=replace(site.site, source=Source("saved plan", 1, 1)),
                actions=tuple(replace(action, source=None) for action in site.actions),
            )
            for site in plan.sites
        )
    )


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    """A saved plan is the plan, down to the last field."""
    plan = telling_plan()
    plan = Plan(
        tuple(
            replace(s, actions=tuple(replace(a, attribution=Attribution.BOTH) for a in s.actions)) for s in plan.sites
        )
    )
    save(plan, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json").with_ids({}) == without_sources(plan)


def test_saving_twice_writes_the_same_but_for_the_id(tmp_path: Path) -> None:
    """The file is canonical: equal plans are equal files with equal digests; the id tells which of them was used."""
    documents = []
    for name in ("a", "b"):
        save(telling_plan(), tmp_path / name)
        documents.append(read(tmp_path / name))
    first, second = (document.pop("plan_ids") for document in documents)
    assert documents[0] == documents[1]
    assert documents[0]["digest"] == telling_plan().digest == load(tmp_path / "a").digest
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert list(first) == list(second) == ["bay", "harbor"]
    assert len({*first.values(), *second.values()}) == 2


def called(plan: Plan, name: str | None) -> Plan:
    """The plan with every schedule called so."""
    return Plan(tuple(replace(s, actions=tuple(replace(a, schedule_name=name) for a in s.actions)) for s in plan.sites))


def test_what_is_out_of_scope_comes_back_and_is_not_in_the_digest(tmp_path: Path) -> None:
    """Who joins saved plans shows it; what would be done is the same without."""
    kept = live("kept", schedule_id=OTHER_SCHEDULE, account="kept@harbor.example")
    plan = Plan((planned(declared(), on=site_with(live(), kept)),))
    assert [action.connection_id for action in plan.out_of_scope] == ["kept"]
    save(called(plan, "Dr. Lee"), tmp_path / "plan.json")
    assert load(tmp_path / "plan.json").out_of_scope == plan.out_of_scope
    assert load(tmp_path / "plan.json").digest == Plan((planned(declared(), on=site_with(live())),)).digest


def test_names_of_schedules_come_back_and_are_not_in_the_digest(tmp_path: Path) -> None:
    """A plan is the same under any names, and each file shows its own."""
    digests = set()
    for name in ("Dr. Lee", "\u202eDr. Patel\n", None):
        save(called(telling_plan(), name), tmp_path / "plan.json")
        loaded = load(tmp_path / "plan.json")
        assert {action.schedule_name for action in loaded.actions} == {name}
        digests |= {loaded.digest, called(telling_plan(), name).digest}
    assert len(digests) == 1


@pytest.mark.parametrize("shown", [None, [], {"sites": [{"site": "harbor", "schedule_names": {"s": 7}}]}, {"new": 1}])
def test_names_of_the_wrong_shape_are_refused(tmp_path: Path, shown: object) -> None:
    """What stands beside a plan is of the types that were saved."""
    path = tmp_path / "plan.json"
    save(telling_plan(), path)
    path.write_text(json.dumps({**read(path), "shown": shown}))
    with pytest.raises(PlanFileError, match=r"not a plan: .*; plan again"):
        load(path)


def test_what_is_saved_again_keeps_its_id(tmp_path: Path) -> None:
    """A copy, or a plan that was joined from parts, is no plan for another use."""
    save(telling_plan(), tmp_path / "first")
    save(load(tmp_path / "first"), tmp_path / "again")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize(
    "plan_ids",
    [None, [], {}, {"bay": "0" * 32}, {"bay": "0" * 32, "harbor": "../" * 8}, {"bay": "0" * 32, "harbor": 7}],
)
def test_a_plan_without_its_ids_is_refused(tmp_path: Path, plan_ids: object) -> None:
    """It couldn't be told whether it was used before."""
    path = tmp_path / "plan.json"
    save(telling_plan(), path)
    path.write_text(json.dumps({**read(path), "plan_ids": plan_ids}))
    with pytest.raises(PlanFileError, match="plan_ids must tell each of its sites the plan's id; plan again"):
        load(path)


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    """A saved plan holds references to secrets by name."""
    save(telling_plan(), tmp_path / "plan.json")
    assert '"password":{"kind":"env","name":"EXTCAL_PASSWORD"}' in (tmp_path / "plan.json").read_text()


def altered(path: Path, old: str, new: str) -> None:
    """Change the file by hand."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tomb@harbor.example", "lee@harbor.example", "the digest does not fit the plan"),
        ('"format_version":1', '"format_version":2', "it was written by a newer extcal; update this one"),
        ('"format_version":1', '"format_version":true', "it is no saved plan"),
        ('"format_version":1', '"format_version":"1"', "it is no saved plan"),
        ('"plan":{', '"plan":{"extra":1,', "the digest does not fit the plan"),
        ('{"digest"', '{{"digest"', "not whole JSON: the file was cut off or damaged"),
        ('{"digest"', '[{"digest"', r"not a saved plan \(not JSON\)"),
    ],
)
def test_an_altered_plan_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Whatever was edited, added or comes from the future is refused with what to do."""
    path = tmp_path / "plan.json"
    save(telling_plan(), path)
    altered(path, old, new)
    with pytest.raises(PlanFileError, match=message):
        load(path)


def test_a_plan_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    """No beginning of a saved plan passes for a plan."""
    path = tmp_path / "plan.json"
    save(telling_plan(), path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(PlanFileError):
            load(path)


def resealed(path: Path, **changes: object) -> None:
    """Change the first action and make the digest fit, as an attacker would."""
    from reconciler.model.encoding import canonical, digest  # noqa: PLC0415 - the attacker's tool, here alone

    document = json.loads(path.read_text())
    document["plan"]["sites"][0]["actions"][0] |= changes
    document["digest"] = digest(document["plan"])
    path.write_text(canonical(document))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "format-disk"}, r"sites\[0\].actions\[0\].kind is not one of connect, update"),
        ({"key": {"schedule_id": "s", "provider": "apple", "account": 7}}, r"actions\[0\].key.account is not of type"),
        ({"key": {"schedule_id": None}}, r"actions\[0\].key.schedule_id is not of type str"),
        ({"connect": {"password": None}}, r"actions\[0\].connect"),
        ({"surprise": 1}, r"actions\[0\].surprise is not known"),
        ({"changes": {}}, r"actions\[0\].changes is not a list"),
        ({"sync": []}, r"actions\[0\].sync"),
        ({"address": "harbor/x", "depends_on": ["harbor/x"]}, "its actions wait for each other"),
    ],
)
def test_a_plan_of_the_wrong_shape_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    """A fitting digest does not make a plan of what is none."""
    path = tmp_path / "plan.json"
    save(telling_plan(), path)
    resealed(path, **changes)
    with pytest.raises(PlanFileError, match=message):
        load(path)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_are_more_than_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever a file holds, it is a plan or it is refused."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    with pytest.raises(PlanFileError):
        load(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """JSON nested past any plan does not end the program."""
    path = tmp_path / "deep.json"
    for depth in (500, 5_000, 200_000):
        path.write_text('{"format_version":1,"digest":"x","plan":' + "[" * depth + "]" * depth + "}")
        with pytest.raises(PlanFileError):
            load(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe that nobody writes to are refused at once."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        with pytest.raises(PlanFileError):
            load(path)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """Saving to a link leaves what it points to as it was."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "plan.json").symlink_to(precious)
    save(telling_plan(), tmp_path / "plan.json")
    assert precious.read_text() == "mine"
    assert not (tmp_path / "plan.json").is_symlink()


def test_what_can_not_be_written_is_told(tmp_path: Path) -> None:
    """A folder that is not there is named, and nothing is left behind."""
    with pytest.raises(PlanFileError, match="the plan can't be saved"):
        save(telling_plan(), tmp_path / "nowhere" / "plan.json")
    (tmp_path / "taken").mkdir()
    with pytest.raises(PlanFileError, match="the plan can't be saved"):
        save(telling_plan(), tmp_path / "taken")
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]
