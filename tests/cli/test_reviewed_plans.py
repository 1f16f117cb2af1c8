"""`extcal plan --reviewed FILE`: a saved plan stands only as far as the manifests yield each of its actions now."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.model.encoding import canonical, digest
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import BUSY, EXPORTING, HARBOR, KEY, PASSWORD_ENV, QUAY, connection, harbor, site, world

TOMBSTONE = "state: absent"
STANDS = "The reviewed plan still holds: "

Content = dict[str, Any]


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command on a site where staff 1 and 2 are connected, with a plan saved that connects, updates and removes."""
    extcal.on(world(harbor(1, 2)))
    extcal.write(site(), connection(0, more=BUSY), connection(1, more=EXPORTING), connection(2, more=TOMBSTONE))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    return extcal


def reviewed(extcal: Extcal, *options: str) -> Ran:
    """Check the saved plan; whatever comes of it, nothing is written."""
    extcal.sandbox.requests.clear()
    ran = extcal("plan", "manifests", "--reviewed", "plan.json", *options)
    assert extcal.writes == []
    return ran


def refused(ran: Ran) -> list[str]:
    """What stands in the way, a line each but for the last, which says what to do."""
    *errors, advice = [line.removeprefix("error: ") for line in ran.err.splitlines() if line.startswith("error: ")]
    assert (ran.code, advice) == (
        1,
        "plan.json: the manifests no longer yield the reviewed plan. Plan and review again.",
    )
    assert STANDS not in ran.err
    return errors


def forge(extcal: Extcal, change: Callable[[Content], object]) -> None:
    """Change the saved plan as somebody would who can write it, its digest with it."""
    file = extcal.folder / "plan.json"
    document = json.loads(file.read_text())
    change(document["plan"])
    document["plan_ids"] = {each["site"]["name"]: "0" * 32 for each in document["plan"]["sites"]}
    file.write_text(canonical(document | {"digest": digest(document["plan"])}))


def rename(content: Content, name: str = "harbor", site_id: str = HARBOR) -> None:
    """Let the site of a saved plan, and its actions with it, be another one."""
    site_plan = content["sites"][0]
    site_plan["site"].update(name=name, site_id=site_id)
    for each in site_plan["actions"]:
        each.update(site=name, site_id=site_id)


def action(content: Content, number: int) -> Content:
    """The action of a saved plan that is about this member of the staff."""
    (found,) = [each for each in content["sites"][0]["actions"] if each["address"] == f"harbor/staff-{number}"]
    assert isinstance(found, dict)
    return found


def test_a_plan_that_the_manifests_yield_stands_and_is_named_by_its_digest(armed: Extcal) -> None:
    """The fresh plan is shown in the format asked for, and stderr names the digest that apply goes by."""
    saved = json.loads((armed.folder / "plan.json").read_text())["digest"]
    ran = reviewed(armed, "--format", "json")
    assert (ran.code, ran.err) == (0, f"{STANDS}{saved}\n")
    assert [each["action"] for each in ran.actions] == ["connect", "update", "disconnect"]
    assert f"`{saved}`" in armed("plan", "manifests", "--format", "markdown").out


def test_whose_doing_an_action_was_is_no_part_of_it(armed: Extcal) -> None:
    """A plan that was made against a base, its losses counted, stands without one."""
    forge(armed, lambda c: action(c, 0).update(attribution="this-change"))
    forge(armed, lambda c: action(c, 2).update(impact={"busy_blocks": 4, "days": 30}))
    assert reviewed(armed).code == 0


EDITS: dict[str, tuple[str, Callable[[Content], object]]] = {
    "another account": (
        "staff-0: connect: account was",
        lambda c: action(c, 0)["key"].update(account="eve@evil.example"),
    ),
    "another schedule": ("staff-0: connect: schedule_id was", lambda c: action(c, 0)["key"].update(schedule_id="s-9")),
    "another provider": ("staff-0: connect: provider_id was", lambda c: action(c, 0).update(provider_id="p-9")),
    "another connection": ("staff-1: update: connection_id was", lambda c: action(c, 1).update(connection_id="live-2")),
    "another config": ("staff-0: connect: sync was", lambda c: action(c, 0)["sync"].update(exports={"enabled": True})),
    "another password": (
        "staff-0: connect: password was",
        lambda c: action(c, 0)["connect"].update(password={"kind": "env", "name": "EXTCAL_API_KEY"}),
    ),
    "another method": ("staff-0: connect: method was", lambda c: action(c, 0)["connect"].update(method="OAUTH")),
    "another landing": (
        "staff-2: disconnect: redirect_url was",
        lambda c: action(c, 2)["connect"].update(redirect_url="https://evil.example/"),
    ),
    "a protection left out": (
        "staff-1: update: prevent_disconnect was",
        lambda c: action(c, 1).update(prevent_disconnect=True),
    ),
    "another kind": (
        "staff-1: disconnect: these manifests now plan: update",
        lambda c: action(c, 1).update(kind="disconnect"),
    ),
    "another precondition": (
        "staff-1: update: the live state that it rests on has changed",
        lambda c: action(c, 1).update(precondition=digest({})),
    ),
    "another address": (
        "staff-9: disconnect: these manifests plan nothing for it",
        lambda c: action(c, 2).update(address="harbor/staff-9"),
    ),
    "an action twice": (
        "staff-0: connect: the reviewed plan holds this address more than once",
        lambda c: c["sites"][0]["actions"].append(action(c, 0)),
    ),
}


@pytest.mark.parametrize(("said", "edit"), EDITS.values(), ids=EDITS.keys())
def test_an_action_that_the_manifests_do_not_yield_is_refused(
    armed: Extcal, said: str, edit: Callable[[Content], object]
) -> None:
    """Whatever apply would act on must be what the manifests say; the error names the action and what is different."""
    forge(armed, edit)
    errors = refused(reviewed(armed))
    assert [line for line in errors if f"harbor/{said}" in line], errors
    assert len({line.partition(": ")[0] for line in errors}) == 1


@pytest.mark.parametrize("other", [{"site": "quay"}, {"site_id": QUAY}], ids=["name", "siteId"])
def test_an_action_of_another_site_is_no_part_of_a_plan(armed: Extcal, other: Content) -> None:
    """What is judged with one site would be carried out on another: no command takes such a plan."""
    forge(armed, lambda c: action(c, 2).update(other))
    for command in (("plan", "manifests", "--reviewed"), ("apply", "--auto-approve", "--plan")):
        ran = armed(*command, "plan.json")
        assert (ran.code, armed.writes) == (1, [])
        assert "plan.json: not a plan: harbor holds an action of another site; plan again" in ran.err


def test_an_action_that_looks_done_where_it_does_not_belong_is_refused(armed: Extcal) -> None:
    """Another schedule's list lacks the connection that it would take away, or it names one that stands elsewhere."""
    armed.on(world(harbor(1, 2, 3)))
    armed.write(site(), connection(1, more=BUSY), connection(2, more=BUSY), connection(3, more=BUSY))
    assert armed("plan", "manifests", "--out", "plan.json").code == 0
    unseen = digest({"target": None})
    forged = {"kind": "disconnect", "reason": "pruned", "precondition": unseen, "connection_id": "live-3"}
    forge(armed, lambda c: action(c, 1).update(forged | {"address": "harbor/id:x"}))
    assert refused(reviewed(armed)) == ["harbor/id:x: disconnect: these manifests plan nothing for it now"]
    armed("apply", "--plan", "plan.json", "--auto-approve", env=PASSWORD_ENV)
    assert armed.writes == []
    taking = {"kind": "replace", "precondition": digest({"target": None, "present": []}), "address": "harbor/staff-1"}
    forge(armed, lambda c: c["sites"][0]["actions"][0].update(taking | {"connect": {"method": "CREDENTIALS"}}))
    assert refused(reviewed(armed)) == ["harbor/staff-1: replace: these manifests now plan: noop (in-sync)"]
    # The account that it would connect is gone: nothing but what the replace says that it rests on stands in its way.
    armed.on(world(harbor(2, 3)))
    armed("apply", "--plan", "plan.json", "--auto-approve", env=PASSWORD_ENV)
    assert armed.writes == []


SITE_EDITS: dict[str, tuple[str, Callable[[Content], object]]] = {
    "another key": (
        "the Site that was reviewed is not that of these manifests: auth was",
        lambda c: c["sites"][0]["site"]["auth"]["api_key"].update(name="EXTCAL_OTHER_KEY"),
    ),
    "another siteId": ("site_id was", lambda c: rename(c, site_id=QUAY)),
    "another name": ("these manifests declare no such site", lambda c: rename(c, name="quay")),
    "a second of the name": (
        "the reviewed plan holds this site more than once",
        lambda c: c["sites"].append({"site": c["sites"][0]["site"] | {"site_id": QUAY}}),
    ),
}


@pytest.mark.parametrize(("said", "edit"), SITE_EDITS.values(), ids=SITE_EDITS.keys())
def test_a_site_that_the_manifests_do_not_declare_is_refused(
    armed: Extcal, said: str, edit: Callable[[Content], object]
) -> None:
    """Where apply writes, and with whose key, is what the manifests say, also for a site without an action."""
    forge(armed, edit)
    assert [line for line in refused(reviewed(armed)) if said in line]


def test_a_plan_of_manifests_that_were_never_merged_is_refused(armed: Extcal) -> None:
    """Each action that the merged manifests have not is named, with its kind; the others are passed over."""
    armed.write(site(), connection(1, more=EXPORTING), connection(2))
    errors = refused(reviewed(armed))
    assert errors == [
        "harbor/staff-0: connect: these manifests plan nothing for it now",
        "harbor/staff-2: disconnect: these manifests now plan: noop (in-sync)",
    ]


def test_what_was_done_already_does_not_stand_in_the_way(armed: Extcal) -> None:
    """After applying the plan, in whole or part, the plan stands: applying it again finds it done."""
    armed.env |= PASSWORD_ENV
    armed.on(world(harbor(1, 2, 3)))
    prune = "prune: true\nscope: site\nguards: {maxDisconnects: 100%}"
    armed.write(
        site(more=prune), connection(0, more=BUSY), connection(1, more=EXPORTING), connection(2, more=TOMBSTONE)
    )
    assert armed("plan", "manifests", "--out", "plan.json").code == 0
    applied = armed("apply", "--plan", "plan.json", "--auto-approve")
    assert (applied.code, len(armed.writes)) == (0, 5), applied.err
    assert reviewed(armed).code == 0


def test_a_config_that_the_manifests_do_not_say_is_refused_where_the_connection_is_as_declared(armed: Extcal) -> None:
    """A fresh plan without an action is no leave to act: it counts only where applying would do nothing."""

    def evil(content: Content) -> None:
        action(content, 1)["sync"] = {"exports": {"enabled": True, "arm": "primaryCalendar"}}

    forge(armed, evil)
    armed.write(site(), connection(0, more=BUSY), connection(1), connection(2, more=TOMBSTONE))
    assert refused(reviewed(armed)) == ["harbor/staff-1: update: these manifests now plan: noop (in-sync)"]


def test_a_connect_that_would_be_sent_once_more_is_refused(armed: Extcal) -> None:
    """An action whose precondition was made to fit what is there would be carried out, though its effect stands."""

    def doubled(content: Content) -> None:
        changed = action(content, 1)
        for name in ("sync", "changes", "live_sync"):
            changed.pop(name, None)
        password = {"kind": "env", "name": "EXTCAL_APP_PASSWORD"}
        changed.update(kind="connect", connection_id=None, connect={"method": "CREDENTIALS", "password": password})
        changed.update(precondition=digest({}), standing=["live-1"])

    forge(armed, doubled)
    armed.write(site(), connection(0, more=BUSY), connection(1), connection(2, more=TOMBSTONE))
    assert refused(reviewed(armed)) == ["harbor/staff-1: connect: these manifests now plan: noop (in-sync)"]
    armed.env |= PASSWORD_ENV
    assert armed("apply", "--plan", "plan.json", "--auto-approve").code == 0
    assert len([sent for sent in armed.writes if sent.path.endswith("connectByCredentials")]) == 2


def test_a_prune_of_what_is_out_of_scope_is_refused(armed: Extcal) -> None:
    """A connection that the manifests leave alone is not taken for one that is gone already."""
    armed.on(world(harbor(1, 2, 3)))
    armed.write(site(more="prune: true\nscope: site"), connection(1), connection(2))
    assert armed("plan", "manifests", "--out", "plan.json").code == 0
    armed.write(site(more="prune: true"), connection(1), connection(2))
    (about_site, about_action) = refused(reviewed(armed))
    assert about_site == (
        'harbor: the Site that was reviewed is not that of these manifests: scope was "site", is "schedules"'
    )
    assert about_action == "harbor/id:live-3: disconnect: these manifests plan nothing for it now"


def test_a_live_state_that_has_moved_is_refused(armed: Extcal) -> None:
    """What an action rests on is part of it."""
    url = f"{armed.sandbox.endpoint}/bookings/v2/external-calendars/connections/live-1/disconnect"
    answer = httpx.post(url, json={}, headers={"Authorization": KEY, "wix-site-id": HARBOR})
    assert answer.status_code == 200, answer.text
    assert refused(reviewed(armed)) == ["harbor/staff-1: update: these manifests now plan: connect (was-disconnected)"]


def test_a_site_with_errors_of_its_own_is_refused(armed: Extcal) -> None:
    """A guard that the manifests break now keeps a plan from standing that was made with less, unless it is allowed."""
    armed.write(
        site(),
        connection(0, more=BUSY),
        connection(1, more=EXPORTING),
        connection(2, more=TOMBSTONE + "\nlifecycle: {preventDisconnect: true}"),
    )
    forge(armed, lambda c: action(c, 2).update(prevent_disconnect=True))
    errors = refused(reviewed(armed))
    assert errors[-1] == "harbor: these manifests can't be applied to the site as it is now; fix the other errors"
    assert reviewed(armed, "--allow", "prevent-disconnect:harbor/staff-2").code == 0


def test_another_sites_trouble_does_not_hold_up_the_plan(armed: Extcal) -> None:
    """A site that the plan does not write to may be broken: the exit code is about the plan."""
    armed.write(site("quay", id_=QUAY), connection(5, of="quay"), to="manifests/quay.yaml")
    ran = reviewed(armed)
    assert ran.code == 0
    assert "manifests/quay.yaml:2:1: ListProviders" in ran.err


def test_the_order_of_actions_holds(armed: Extcal) -> None:
    """An action that must wait for another is refused where the saved plan lets it go ahead."""
    moved = connection(2).replace("staff-2", "moved").replace(f"{2:012d}", f"{5:012d}")
    armed.write(site(), connection(2, more=TOMBSTONE), moved)
    assert armed("plan", "manifests", "--out", "plan.json").code == 0
    assert reviewed(armed).code == 0

    def hurried(content: Content) -> None:
        for each in content["sites"][0]["actions"]:
            each.pop("depends_on", None)

    forge(armed, hurried)
    assert refused(reviewed(armed)) == ["harbor/moved: connect: these manifests make it wait for harbor/staff-2"]


def test_a_part_is_checked_by_its_shard(armed: Extcal) -> None:
    """A shard checks its own sites, and says so where it has none."""
    runs = [reviewed(armed, "--shard", f"{number}/2") for number in (1, 2)]
    assert [ran.code for ran in runs] == [0, 0]
    assert sorted(len(ran.out.splitlines()) > 1 for ran in runs) == [False, True]


def test_what_was_taken_away_since_is_not_connected_again(armed: Extcal) -> None:
    """A plan that does not know of it does not stand; one that knew of more than is listed now does."""
    armed.env |= PASSWORD_ENV
    assert armed("apply", "--plan", "plan.json", "--auto-approve").code == 0
    armed.write(site(), connection(0, more=BUSY), connection(2, more=BUSY))
    assert armed("plan", "manifests", "--out", "plan.json").code == 0
    assert reviewed(armed).code == 0
    forge(armed, lambda c: action(c, 2).update(disconnected=["another", *action(c, 2)["disconnected"]]))
    assert reviewed(armed).code == 0
    forge(armed, lambda c: action(c, 2).update(disconnected=[]))
    why = "it was connected and disconnected again since it was planned; plan again"
    assert refused(reviewed(armed)) == [f"harbor/staff-2: connect: {why}"]


def test_what_the_base_protects_is_protected_still(armed: Extcal) -> None:
    """A plan that was saved without looking at a base, or with another one, does not get around it."""
    armed.write(site(), connection(2, more="lifecycle: {preventDisconnect: true}"), to="before/all.yaml")
    assert reviewed(armed).code == 0
    ran = reviewed(armed, "--base-dir", "before")
    assert refused(ran)[-1] == "harbor: these manifests can't be applied to the site as it is now; fix the other errors"
    assert "harbor/staff-2 set lifecycle.preventDisconnect before this change" in ran.err
    assert reviewed(armed, "--base-dir", "before", "--allow", "prevent-disconnect:harbor/staff-2").code == 0


@pytest.mark.parametrize(
    "options", [("--impact",), ("--out", "other.json"), ("--site", "harbor"), ("--detailed-exitcode",)]
)
def test_what_would_narrow_or_blur_the_check_is_refused(armed: Extcal, options: tuple[str, ...]) -> None:
    """The whole saved plan is checked against whole sites; what is applied afterwards is that file and no new one."""
    ran = reviewed(armed, *options)
    assert (ran.code, Path("other.json").exists()) == (64, False)
    assert "--reviewed FILE checks the whole plan" in ran.err


def test_a_damaged_plan_is_told(armed: Extcal) -> None:
    """A file that is no saved plan, or was altered, is named before anything is asked."""
    (armed.folder / "plan.json").write_text("{}")
    ran = reviewed(armed)
    assert (ran.code, len(armed.sandbox.requests)) == (1, 0)
    assert "plan.json: not a saved plan. Write one with extcal plan --out FILE." in ran.err


@pytest.mark.parametrize("command", [("plan", "manifests", "--reviewed"), ("apply", "--auto-approve", "--plan")])
def test_a_plan_of_another_digest_is_refused(armed: Extcal, command: tuple[str, ...]) -> None:
    """Whoever knows which plan was approved gets that one checked and applied, and a whole file of another refused."""
    armed.env |= PASSWORD_ENV
    approved = json.loads((armed.folder / "plan.json").read_text())["digest"]
    armed.sandbox.requests.clear()
    assert armed(*command, "plan.json", "--digest", approved).code == 0
    armed.sandbox.requests.clear()
    other = digest({})
    ran = armed(*command, "plan.json", "--digest", other)
    assert (ran.code, len(armed.sandbox.requests)) == (1, 0)
    assert f"plan.json: another plan than asked for: its digest is {approved}, not {other}" in ran.err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("plan", "manifests", "--reviewed", "plan.json", "--digest", ""), "--digest '': not a digest. Copy it"),
        (("apply", "--plan", "plan.json", "--digest", "sha256:1"), "--digest 'sha256:1': not a digest. Copy it"),
        (("plan", "manifests", "--digest", digest({})), "Add --reviewed FILE"),
        (("apply", "manifests", "--digest", digest({})), "Add --plan FILE"),
    ],
)
def test_a_digest_that_is_none_is_refused(armed: Extcal, command: tuple[str, ...], said: str) -> None:
    """What a script hands on empty, or for no plan, is no leave to carry on without a check."""
    ran = armed(*command)
    assert (ran.code, armed.writes) == (64, [])
    assert said in ran.err
