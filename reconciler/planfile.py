"""A plan saved and loaded: canonical JSON with a format version and a digest; references to secrets, never values.

The digest (`reconciler/model/encoding.py`) tells damage and careless edits. It is no signature: whoever may write the
file can make a new one, so keep the file where only the pipeline can write. Beside it stands an id, which tells the
file from one that was saved another time with the same plan in it: a saved plan is for one use. Where plans were
joined, each site has that of its part. What is only shown, names of schedules and what is out of scope, stands beside
the plan, too: the digest tells what would be done.
"""

import json
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.model.action import Action
from reconciler.model.encoding import Json, canonical, decoded, digest, encoded
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.shards import shard_of
from reconciler.safe_paths import MisplacedError, check_file

FORMAT_VERSION = 1
_LARGEST = 256 * 1024 * 1024
_PLAN_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _ShownSite:
    """What is shown of a site: the names of its schedules, by their ids, and what is out of scope."""

    site: str
    schedule_names: tuple[tuple[str, str], ...] = ()
    out_of_scope: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shown:
    """What stands beside a plan, site by site."""

    sites: tuple[_ShownSite, ...] = ()


class PlanFileError(ExtcalError):
    """A saved plan can't be written or used; the text says why and what to do."""


def save(plan: Plan, path: Path) -> None:
    """Write the plan to `path`, whole or not at all; raises PlanFileError.

    A link at `path` is replaced, not followed; pipes, devices and folders stay as they are.
    """
    try:
        check_file(path)
    except MisplacedError as error:
        raise PlanFileError(f"{path}: the plan can't be saved: {error}") from error
    text = canonical(_document(plan, uuid.uuid4().hex))
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise PlanFileError(f"{path}: the plan can't be saved: {error.strerror or error}") from error


def _document(plan: Plan, new_id: str) -> Json:
    """What is saved; sites that are of no saved plan yet are of `new_id` from here on."""
    plan_ids: dict[str, Json] = {site.site.name: site.plan_id or new_id for site in plan.sites}
    content = encoded(plan.with_ids({}))
    shown = encoded(_Shown(tuple(_shown(plan))))
    return {
        "format_version": FORMAT_VERSION,
        "digest": digest(content),
        "plan_ids": plan_ids,
        "shown": shown,
        "plan": content,
    }


def _shown(plan: Plan) -> Iterator[_ShownSite]:
    for site in plan.sites:
        shown = (*site.actions, *site.out_of_scope)
        names = {action.schedule_id: action.schedule_name for action in shown if action.schedule_name}
        if names or site.out_of_scope:
            yield _ShownSite(site.site.name, tuple(sorted(names.items())), site.out_of_scope)


def load(path: Path, wanted: str | None = None) -> Plan:
    """Read a plan that `save` wrote; raises PlanFileError for one that is damaged, altered or too new.

    With `wanted`, any plan of another digest is refused.
    """
    return plan_of(read(path), path, wanted)


def read(path: Path) -> dict[str, Json]:
    """The JSON object in a file that is no larger than any plan; raises PlanFileError for anything else."""
    return _parsed(path, _read(path))


def plan_of(document: dict[str, Json], path: Path, wanted: str | None = None) -> Plan:
    """The plan in a document that `read` found at `path`; raises PlanFileError, as `load` does."""
    if "plan" not in document:
        what = "this is what --format json prints, not a saved plan" if _is_printed(document) else "not a saved plan"
        raise PlanFileError(f"{path}: {what}. Write one with extcal plan --out FILE.")
    version = document.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        hint = "it was written by a newer extcal; update this one" if _is_newer(version) else "it is no saved plan"
        raise PlanFileError(f"{path}: format_version is {version!r:.40}, not {FORMAT_VERSION}: {hint}")
    content = document.get("plan")
    if document.get("digest") != digest(content):
        raise PlanFileError(f"{path}: the digest does not fit the plan: the file was altered or damaged; plan again")
    if wanted is not None and document["digest"] != wanted:
        raise PlanFileError(f"{path}: another plan than asked for: its digest is {document['digest']}, not {wanted}")
    try:
        plan = _with_shown(decoded(Plan, content), decoded(_Shown, document.get("shown", {})))
        TopologicalSorter({action.address: action.depends_on for action in plan.actions}).prepare()
    except CycleError as error:
        raise PlanFileError(f"{path}: not a plan: its actions wait for each other; plan again") from error
    # Values of the right types may still not go together.
    except ValueError as error:
        raise PlanFileError(f"{path}: not a plan: {error}; plan again") from error
    for site in plan.sites:
        if any((action.site, action.site_id) != (site.site.name, site.site.site_id) for action in site.actions):
            raise PlanFileError(f"{path}: not a plan: {site.site.name} holds an action of another site; plan again")
    _check_shards(plan, path)
    return plan.with_ids(_plan_ids(document, plan, path))


def _with_shown(plan: Plan, shown: _Shown) -> Plan:
    by_site = {each.site: each for each in shown.sites}

    def named(site: SitePlan) -> SitePlan:
        beside = by_site.get(site.site.name, _ShownSite(site.site.name))
        names = dict(beside.schedule_names)
        actions, outside = (
            tuple(replace(each, schedule_name=names.get(each.schedule_id)) for each in some)
            for some in (site.actions, beside.out_of_scope)
        )
        return replace(site, actions=actions, out_of_scope=outside)

    return replace(plan, sites=tuple(map(named, plan.sites)))


def _plan_ids(document: dict[str, Json], plan: Plan, path: Path) -> dict[str, str]:
    """The ids beside the plan, by the name of each site."""
    found = document.get("plan_ids")
    given = found if isinstance(found, dict) else {}
    plan_ids = {name: id_ for name, id_ in given.items() if isinstance(id_, str) and _PLAN_ID.fullmatch(id_)}
    if any(site.site.name not in plan_ids or site.plan_id for site in plan.sites):
        raise PlanFileError(f"{path}: not a plan: plan_ids must tell each of its sites the plan's id; plan again")
    return plan_ids


def _check_shards(plan: Plan, path: Path) -> None:
    if plan.shards is None:
        return
    numbers = frozenset(plan.shards.numbers)
    for site in plan.sites:
        if shard_of(site.site.site_id, plan.shards.of) not in numbers:
            raise PlanFileError(f"{path}: not a plan: {site.site.name} is not in {plan.shards}; plan again")


def _is_printed(document: dict[str, Json]) -> bool:
    return "format_version" in document and ("actions" in document or "connections" in document)


def _is_newer(version: object) -> bool:
    return isinstance(version, int) and version > FORMAT_VERSION


def _read(path: Path) -> str:
    try:
        # Opening a pipe would wait for a writer that may never come.
        if not stat.S_ISREG(path.stat().st_mode):
            raise PlanFileError(f"{path}: not a regular file")
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise PlanFileError(f"{path}: {error.strerror or error}; extcal plan --out writes one") from error
    if len(content) > _LARGEST:
        raise PlanFileError(f"{path}: larger than {_LARGEST // 1024 // 1024} MiB, which no plan is")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PlanFileError(f"{path}: not UTF-8, so no saved plan") from error


def _parsed(path: Path, text: str) -> dict[str, Json]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.startswith("{"):
            raise PlanFileError(f"{path}: not whole JSON: the file was cut off or damaged; plan again") from error
        raise PlanFileError(f"{path}: not a saved plan (not JSON). extcal plan --out writes one.") from error
    if not isinstance(document, dict):
        raise PlanFileError(f"{path}: not a saved plan. Write one with extcal plan --out FILE.")
    return document
