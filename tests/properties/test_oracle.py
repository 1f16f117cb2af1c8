"""The plan says what a naive model of it says, over thousands of rough worlds, in whatever order they are told."""

import asyncio
import json
from pathlib import Path
from random import Random

import httpx
import pytest

from reconciler import workflow
from reconciler.api.secrets import Secrets
from reconciler.api.session import SiteSession
from reconciler.errors import ManifestError
from reconciler.manifests import load
from reconciler.model.action import ActionKind, Change
from reconciler.model.desired import Desired
from reconciler.model.plan import Plan, SitePlan
from tests.properties.plain_worlds import PlainWorld, plain_world
from tests.support.json_fields import inner, text
from tests.support.oracle import judge
from tests.support.oracle_values import Due, Verdict

_BASE = "/bookings/v2/external-calendars/"


def answering(world: PlainWorld) -> httpx.MockTransport:
    """The service, as a world says that it answers; a list of calendars that is not there is refused."""
    names = {text(each, "spec", "siteId"): text(each, "metadata", "name") for each in world.documents}

    def answer(request: httpx.Request) -> httpx.Response:
        told = world.answers[names[request.headers["wix-site-id"]]]
        path = request.url.path.removeprefix(_BASE)
        if path.endswith("/calendars"):
            listed = inner(told, "calendars").get(path.split("/")[1])
            refusal = {"message": "no", "details": {"applicationError": {"code": "CONNECTION_NOT_CONNECTED"}}}
            return _json(428, refusal) if listed is None else _json(200, {"calendars": listed})
        fields = {"providers": ("providers",), "connections": ("connections", "failedProviderIds")}
        return _json(200, {name: told[name] for name in fields.get(path, ("schedules",))})

    return httpx.MockTransport(answer)


def _json(status: int, body: object) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(body).encode()))


def loaded(world: PlainWorld, folder: Path) -> Desired:
    """What a world's manifests state, from their text; raises ManifestError."""
    manifest = folder / "all.yaml"
    manifest.write_text("".join(f"---\n{json.dumps(document)}\n" for document in world.documents), encoding="utf-8")
    return load([folder])


def planned(desired: Desired, world: PlainWorld) -> Plan:
    """The plan, from the service's answers."""
    secrets, pool = Secrets({"EXTCAL_API_KEY": "seagull-key"}, None), answering(world)

    async def within() -> Plan:
        endpoint = "https://service.example"
        opened = {site.name: SiteSession(site, endpoint=endpoint, secrets=secrets, pool=pool) for site in desired.sites}
        return await workflow.plan(desired, workflow.Sessions(opened), workflow.Selection())

    return asyncio.run(within())


def said(plan: SitePlan) -> Verdict:
    """A plan in the oracle's words."""
    return Verdict(
        {
            Due(
                action.kind.value,
                action.address,
                action.connection_id,
                action.reason.value,
                frozenset(map(_change, action.changes if action.kind is ActionKind.UPDATE else ())),
            )
            for action in plan.actions
        },
        {fault.where for fault in plan.faults},
        {fault.where for fault in plan.unread},
        {(violation.guard, violation.address) for violation in plan.violations},
    )


def _change(change: Change) -> tuple[str, bool | str | frozenset[str] | None]:
    after = change.after
    if isinstance(after, tuple):
        return change.path, frozenset(ref.id or "" for ref in after)
    return change.path, after if after is None or isinstance(after, bool) else "chosen"


def differences(told: Verdict, right: Verdict) -> list[str]:
    """What a plan says otherwise than the oracle, but for what is held back by a fault: that is not done anyhow."""
    lines = []
    for name in ("faults", "unread", "guards"):
        for sign, one, other in (("plan", told, right), ("oracle", right, told)):
            lines += [f"{name}, {sign} alone: {each}" for each in sorted(getattr(one, name) - getattr(other, name))]
    held = told.faults & right.faults
    for sign, one, other in (("plan", told, right), ("oracle", right, told)):
        alone = {due for due in one.due - other.due if due.address not in held}
        lines += [f"{sign} alone: {due}" for due in sorted(alone, key=str)]
    return lines


def disagreements(seed: int, folder: Path) -> list[str]:
    """What plan and oracle disagree on in the world of a seed, and whether the order of lists matters to the plan."""
    chance = Random(seed)  # noqa: S311 - a world that can be made again, no secret
    world = plain_world(chance)
    desired = loaded(world, folder)
    plan = planned(desired, world)
    right = judge(world.documents, world.answers)
    found = [line for site in plan.sites for line in differences(said(site), right[site.site.name])]
    other = planned(desired, world.shuffled(chance))
    if other.digest != plan.digest:
        found.append("the digest depends on the order of the service's lists")
    return found


@pytest.mark.parametrize("seeds", [range(first, first + 125) for first in range(0, 500, 125)], ids=str)
def test_plans_are_what_the_oracle_says(seeds: range, tmp_path: Path) -> None:
    """Actions, faults, what is unread and the guards are those of the oracle; the order of lists does not matter."""
    check(seeds, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seeds", [range(first, first + 400) for first in range(500, 20_500, 400)], ids=str)
def test_many_plans_are_what_the_oracle_says(seeds: range, tmp_path: Path) -> None:
    """The same in 20,000 worlds."""
    check(seeds, tmp_path)


def check(seeds: range, folder: Path) -> None:
    """Compare in every world; a failure shows a world's seed and the differing addresses."""
    found: dict[int, list[str]] = {}
    unloadable = 0
    for seed in seeds:
        try:
            if lines := disagreements(seed, folder):
                found[seed] = lines
        except ManifestError:
            unloadable += 1
    shown = [f"seed {seed}:\n  " + "\n  ".join(lines) for seed, lines in list(found.items())[:5]]
    assert not found, f"{len(found)} of {len(seeds)} worlds differ\n" + "\n".join(shown)
    assert unloadable < len(seeds) / 5
