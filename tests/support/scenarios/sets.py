"""Random ConnectionSets and rosters, and the Connection documents that they stand for."""

import csv
import io
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.support.scenarios.documents import GUIDS, OPTIONAL, REQUIRED, TEMPLATES, TEXTS, Document, Spec, as_yaml

POLICIES = ("busy-times-only", "both-ways")
_SITES = ("harbor-dental", "quay-physio")
_SEPARATORS = (",", ";", "\t")
_LINE_ENDS = ("\n", "\r\n", "\r")


@dataclass(slots=True)
class SetScenario:
    """A set as a document, its roster as CSV or None, and its members as documents of their own."""

    document: Document
    roster: str | None
    connections: list[Document] = field(default_factory=list)


def merged(template: Spec, own: Spec) -> Spec:
    """What an entry says over a template, field by field; the rule in its own words, as nested mappings."""
    result = deepcopy({**template, **own})
    result.pop("name", None)
    for name in ("syncConfig", "lifecycle"):
        if name in template and name in own:
            result[name] = {**_mapping(template, name), **_mapping(own, name)}
    if "syncConfig" in template and "syncConfig" in own:
        below, above = _mapping(template, "syncConfig"), _mapping(own, "syncConfig")
        result["syncConfig"] = {
            name: _direction(_mapping(below, name), _mapping(above, name)) for name in {**below, **above}
        }
    return result


def _direction(below: Spec, above: Spec) -> Spec:
    """A direction over another one: a chosen arm takes the other's place."""
    chooses = above.keys() - {"enabled"}
    kept = {name: value for name, value in below.items() if name == "enabled" or not chooses}
    return {**kept, **above}


def _mapping(around: Mapping[str, object], name: str) -> Spec:
    found = around.get(name, {})
    assert isinstance(found, dict)
    return found


@st.composite
def sets(draw: st.DrawFn) -> SetScenario:
    """A set with entries, rows or both, over a template that has any of the fields."""
    template = draw(TEMPLATES)
    template |= draw(st.fixed_dictionaries({}, optional={"syncPolicy": st.sampled_from(POLICIES)}))
    template |= draw(st.fixed_dictionaries({}, optional={"site": st.sampled_from(_SITES)}))
    # One account for all would be a fault.
    template.pop("account", None)
    spec: Spec = {"template": template}
    made = SetScenario({"apiVersion": "extcal/v1", "kind": "ConnectionSet", "metadata": {"name": "staff"}}, None)
    made.document["spec"] = spec
    entries = [draw(_entry(template, number)) for number in range(draw(st.integers(0, 4)))]
    if entries:
        spec["connections"] = entries
    rows = [draw(_row(template, 10 + number)) for number in range(draw(st.integers(0 if entries else 1, 4)))]
    if rows:
        spec["roster"] = "staff.csv"
        made.roster = draw(_csv([cells for cells, _ in rows]))
    for own in (*entries, *(own for _, own in rows)):
        whole = merged(template, own)
        made.connections.append(
            {"apiVersion": "extcal/v1", "kind": "Connection", "metadata": {"name": own["name"]}, "spec": whole}
        )
    return made


@st.composite
def _entry(draw: st.DrawFn, template: Spec, number: int) -> Spec:
    optional = OPTIONAL | {"syncPolicy": st.sampled_from(POLICIES)}
    optional |= {name: REQUIRED[name] for name in ("schedule", "provider") if name in template}
    needed = {name: REQUIRED[name] for name in ("schedule", "provider") if name not in template}
    own = draw(st.fixed_dictionaries(needed, optional=optional))
    named: Spec = {"name": f"member-{number}", "account": f"member-{number}@harbor-dental.example"}
    if "site" not in template or draw(st.booleans()):
        named["site"] = draw(st.sampled_from(_SITES))
    return named | deepcopy(own)


_TRIMMED = TEXTS.filter(lambda text: text == text.strip())
_CELLS: dict[str, st.SearchStrategy[str]] = {
    "schedule_id": GUIDS,
    "schedule_name": _TRIMMED,
    "sync_policy": st.sampled_from(POLICIES),
    "password_env": st.from_regex(r"EXTCAL_[A-Z0-9_]{1,8}", fullmatch=True),
    "state": st.sampled_from(["present", "absent"]),
    "phone": TEXTS,
    "Room no.": st.sampled_from(["", "12", "a\nb"]),
}


@st.composite
def _row(draw: st.DrawFn, template: Spec, number: int) -> tuple[dict[str, str], Spec]:
    """The cells of a row, and the entry that says the same."""
    cells = draw(st.fixed_dictionaries({}, optional=_CELLS))
    if not cells.keys() & {"schedule_id", "schedule_name"} and "schedule" not in template:
        cells["schedule_id"] = draw(GUIDS)
    if "provider" not in template or draw(st.booleans()):
        cells["provider"] = draw(st.sampled_from(["google", "microsoft", "apple"]) | GUIDS | _TRIMMED)
    if "site" not in template or draw(st.booleans()):
        cells["site"] = draw(st.sampled_from(_SITES))
    cells |= {"name": f"member-{number}", "account": f"member-{number}@harbor-dental.example"}
    own: Spec = {"name": cells["name"], "account": cells["account"]}
    if schedule := {key: cells[column] for column, key in _SCHEDULE.items() if column in cells}:
        own["schedule"] = schedule
    for column, name in (("site", "site"), ("sync_policy", "syncPolicy"), ("state", "state")):
        if column in cells:
            own[name] = cells[column]
    if "provider" in cells:
        own["provider"] = _provider(cells["provider"])
    if "password_env" in cells:
        own["credentials"] = {"password": {"env": cells["password_env"]}}
    return cells, own


_SCHEDULE = {"schedule_id": "id", "schedule_name": "name"}
_GUID_LENGTH = 36


def _provider(cell: str) -> object:
    if cell in {"google", "microsoft", "apple"}:
        return cell
    return {"id": cell} if len(cell) == _GUID_LENGTH else {"name": cell}


@st.composite
def _csv(draw: st.DrawFn, rows: list[dict[str, str]]) -> str:
    columns = draw(st.permutations(sorted({"schedule_id", *(column for row in rows for column in row)})))
    stream = io.StringIO()
    ends = draw(st.sampled_from(_LINE_ENDS))
    # The writer does not quote a line feed where lines end in something else.
    quotes_all = ends == "\r" or draw(st.booleans())
    writer = csv.writer(
        stream,
        delimiter=draw(st.sampled_from(_SEPARATORS)),
        quoting=csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL,
        lineterminator=ends,
    )
    writer.writerow(columns)
    for row in rows:
        writer.writerow([row.get(column, "") for column in columns])
        if draw(st.booleans()):
            writer.writerow([""] * len(columns))
    text = stream.getvalue()
    return text if draw(st.booleans()) else text.removesuffix(ends)


def as_files(scenario: SetScenario, beside: str) -> dict[str, bytes]:
    """The scenario as files, with `beside` (Sites and policies) in one of its own."""
    found = {"sites.yaml": beside.encode(), "staff.yaml": as_yaml(scenario.document).encode()}
    return found if scenario.roster is None else {**found, "staff.csv": scenario.roster.encode()}
