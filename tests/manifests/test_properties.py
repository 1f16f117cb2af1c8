"""What holds of any manifests: nothing but ManifestError, the same whatever the order, nothing lost on the way."""

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ManifestError
from reconciler.model.desired import Desired
from reconciler.model.source import Source, SourceMap
from reconciler.model.sync import CalendarRef, Direction
from tests.manifests.set_files import load_files
from tests.support.builders.manifests import CONNECTION, POLICY, SITE, documents
from tests.support.profiles import examples
from tests.support.scenarios.documents import CONNECTIONS, POLICIES, SITES, Spec, as_yaml, mangled

NOWHERE = Source("", 0, 0)


def refused_or_loaded(content: bytes) -> None:
    """Load a file; only ManifestError may say no, in words that can be shown."""
    try:
        load_files({"m.yaml": content})
    except ManifestError as error:
        faults = error.faults
    else:
        return
    assert faults
    for fault in faults:
        text = str(fault)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]", text)
        assert len(text) < 1_000


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    """Any bytes are manifests or get a clear no."""
    refused_or_loaded(content)


CHARACTERS = "\n\n\n   []{},:-?&*!|>'\"%@`#~<=ab1\t\\é\u2028"
PIECES = [
    "---\n",
    "...\n",
    ": ",
    "- ",
    "<<: ",
    "&a ",
    "*a",
    "!!str ",
    "\\x00",
    "  ",
    "kind: ",
    "Connection\n",
    "Site\n",
]
FIELDS = ["apiVersion: extcal/v1\n", "metadata: {name: a}\n", "spec:\n"]
YAML_TEXTS = st.lists(st.sampled_from([*CHARACTERS, *PIECES, *FIELDS]), max_size=60).map("".join)


@given(YAML_TEXTS)
def test_any_text(text: str) -> None:
    """Any text that is nearly YAML is manifests or gets a clear no."""
    refused_or_loaded(text.encode())


@given(st.data())
def test_any_manifest_that_was_hit_by_an_accident(data: st.DataObject) -> None:
    """A valid file with a slice gone, doubled or scribbled over is manifests or gets a clear no."""
    text = documents(SITE, POLICY, CONNECTION)
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    middle = data.draw(st.one_of(st.just(""), st.just(text[begin:end] * 2), YAML_TEXTS))
    refused_or_loaded((text[:begin] + middle + text[end:]).encode())


@examples(50, profile="tests")
@given(mangled())
def test_any_wrong_field(text: str) -> None:
    """A manifest with something wrong anywhere is told what, and never crashes."""
    refused_or_loaded(text.encode())


NAMED_SPECS = st.tuples(st.lists(POLICIES, max_size=3), st.lists(CONNECTIONS, max_size=6))


@examples(30, profile="tests")
@given(NAMED_SPECS, st.lists(SITES, min_size=1, max_size=2, unique_by=lambda site: str(site["siteId"])), st.randoms())
def test_order_changes_nothing(specs: tuple[list[Spec], list[Spec]], sites: list[Spec], chance: random.Random) -> None:
    """However documents are ordered and spread over files, the same is stated, or the same is wrong."""
    policies, connections = specs
    values = [whole("Site", f"s{number}", spec) for number, spec in enumerate(sites)]
    values += [whole("SyncPolicy", f"p{number}", spec) for number, spec in enumerate(policies)]
    for number, spec in enumerate(connections):
        chosen = {"syncPolicy": f"p{chance.randrange(len(policies))}"} if policies else {}
        values.append(whole("Connection", f"c{number}", spec | chosen | {"site": f"s{chance.randrange(len(sites))}"}))
    expected = outcome({"m.yaml": as_yaml(*values).encode()})
    chance.shuffle(values)
    cut = chance.randint(0, len(values))
    files = {"a.yaml": as_yaml(*values[:cut]).encode(), "b.yaml": as_yaml(*values[cut:]).encode()}
    assert outcome(files) == expected


def outcome(files: Mapping[str, bytes]) -> Desired | str:
    """What files state without their places, or that they can't be used."""
    try:
        desired = load_files(files)
    except ManifestError:
        return "refused"
    return Desired(
        tuple(replace(site, source=NOWHERE) for site in desired.sites),
        tuple(replace(connection, sources=SourceMap(NOWHERE)) for connection in desired.connections),
    )


def whole(kind: str, name: str, spec: Spec) -> Spec:
    """A document of a spec."""
    return {"apiVersion": "extcal/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


@examples(40, profile="tests")
@given(SITES, CONNECTIONS)
def test_nothing_is_lost(site: Spec, connection: Spec) -> None:
    """What a valid manifest says is in the model, in the same words."""
    text = as_yaml(whole("Site", "s", site), whole("Connection", "c", connection))
    desired = load_files({"m.yaml": text.encode()})
    (read_site,), (read,) = desired.sites, desired.connections
    provider = connection["provider"]
    assert connection["account"] == read.account.given
    refs = filter(None, (read.schedule, read.schedule.label))
    assert connection["schedule"] == {str(ref.by): ref.value for ref in refs}
    assert provider == (
        read.provider.value if isinstance(provider, str) else {str(read.provider.by): read.provider.value}
    )
    assert connection.get("state", "present") == read.state
    config = cast("dict[str, Spec]", connection.get("syncConfig", {}))
    assert said(config.get("listEventFromCalendars", {})) == stated(read.sync.imports)
    assert said(config.get("syncToCalendar", {})) == stated(read.sync.exports)
    assert (site["siteId"], site.get("prune", False)) == (read_site.site_id, read_site.prune)


def said(direction: Spec) -> Spec:
    """A direction as the manifest has it, each calendar as a mapping."""
    items = cast("list[str | Spec]", direction.get("calendars", []))
    plain = [{"name": item} if isinstance(item, str) else item for item in items]
    return direction | ({"calendars": plain} if plain else {})


def stated(direction: Direction | None) -> Spec:
    """A direction of the model, as a manifest would have it."""
    if direction is None:
        return {}
    result: Spec = {} if direction.enabled is None else {"enabled": direction.enabled}
    if direction.arm is not None:
        result[direction.arm] = [_calendar(calendar) for calendar in direction.calendars] or {}
    return result


def _calendar(calendar: CalendarRef) -> Spec:
    both = {"id": calendar.id, "name": calendar.name}
    return {key: value for key, value in both.items() if value is not None}
