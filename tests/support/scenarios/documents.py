"""Random manifests: valid ones, and ones with something wrong."""

from copy import deepcopy
from typing import TypeAlias

import yaml
from hypothesis import strategies as st

KINDS = ("site", "syncpolicy", "connection", "connection-set")

Spec: TypeAlias = dict[str, object]
Document: TypeAlias = dict[str, object]

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,8}[a-z0-9])?", fullmatch=True)
GUIDS = st.uuids().map(str)
# Text with what YAML could mistake for something else.
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=12).filter(
    lambda text: "\ufeff" not in text
) | st.sampled_from(["no", "12:30", "0777", "~", "1e3", "- a", "{}", "*a", "&a", "!b", "#", "a: b", " ", "<<", "'"])
SECRETS: st.SearchStrategy[Spec] = st.one_of(
    st.fixed_dictionaries({"env": st.from_regex(r"EXTCAL_[A-Z0-9_]{1,8}", fullmatch=True)}),
    st.fixed_dictionaries({"file": st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5})?", fullmatch=True)}),
)
EMPTY: st.SearchStrategy[Spec] = st.just({})


def _arms(**arms: st.SearchStrategy[object]) -> st.SearchStrategy[Spec]:
    enabled = {"enabled": st.booleans()}
    choices = [st.fixed_dictionaries({name: values}, optional=enabled) for name, values in arms.items()]
    return st.one_of(st.fixed_dictionaries({}, optional=enabled), *choices)


CALENDARS = st.lists(
    st.one_of(
        TEXTS,
        st.fixed_dictionaries({"id": TEXTS}, optional={"name": TEXTS}),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda item: item if isinstance(item, str) else ("id", item["id"]),
)
SYNCS: st.SearchStrategy[Spec] = st.fixed_dictionaries(
    {},
    optional={
        "listEventFromCalendars": _arms(primaryCalendar=EMPTY, calendars=CALENDARS),
        "syncToCalendar": _arms(primaryCalendar=EMPTY, dedicatedCalendar=EMPTY),
    },
)
PATHS = st.sampled_from(
    ["syncConfig", "syncConfig.listEventFromCalendars.calendars", "syncConfig.syncToCalendar.enabled"]
)
SITES: st.SearchStrategy[Spec] = st.fixed_dictionaries(
    {"siteId": GUIDS},
    optional={
        "auth": st.one_of(
            st.fixed_dictionaries({"apiKey": SECRETS}),
            st.fixed_dictionaries(
                {"app": st.fixed_dictionaries({"appId": GUIDS, "appSecret": SECRETS, "instanceId": GUIDS})}
            ),
        ),
        "scope": st.sampled_from(["schedules", "site"]),
        "prune": st.booleans(),
        "guards": st.fixed_dictionaries({"maxDisconnects": st.integers(0, 100).map("{}%".format)}),
        "oauth": st.just({"redirectUrl": "https://harbor-dental.example/done"}),
        "schedules": st.just({}) | st.fixed_dictionaries({"appId": GUIDS}),
    },
)
POLICIES: st.SearchStrategy[Spec] = st.fixed_dictionaries({"syncConfig": SYNCS})
REQUIRED: dict[str, st.SearchStrategy[object]] = {
    "schedule": st.one_of(
        st.fixed_dictionaries({"id": GUIDS}),
        st.fixed_dictionaries({"name": TEXTS}),
        st.fixed_dictionaries({"externalId": TEXTS}),
        st.fixed_dictionaries({"id": GUIDS, "name": TEXTS}),
        st.fixed_dictionaries({"id": GUIDS, "externalId": TEXTS}),
    ),
    "provider": st.one_of(
        st.sampled_from(["google", "microsoft", "apple"]),
        st.fixed_dictionaries({"name": TEXTS}),
        st.fixed_dictionaries({"id": GUIDS}),
    ),
    "account": st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True),
}
OPTIONAL: dict[str, st.SearchStrategy[object]] = {
    "credentials": st.fixed_dictionaries({"password": SECRETS}),
    "state": st.sampled_from(["present", "absent"]),
    "syncConfig": SYNCS,
    "lifecycle": st.fixed_dictionaries(
        {}, optional={"preventDisconnect": st.booleans(), "ignoreChanges": st.lists(PATHS, unique=True)}
    ),
}
CONNECTIONS: st.SearchStrategy[Spec] = st.fixed_dictionaries(REQUIRED, optional=OPTIONAL)
TEMPLATES: st.SearchStrategy[Spec] = st.fixed_dictionaries({}, optional=REQUIRED | OPTIONAL)
SETS: st.SearchStrategy[Spec] = st.fixed_dictionaries(
    {
        "connections": st.lists(
            st.fixed_dictionaries({"name": NAMES, **REQUIRED}, optional=OPTIONAL), min_size=1, max_size=3
        )
    },
    optional={"template": TEMPLATES, "allowEmpty": st.booleans()},
)
SPECS = {"Site": SITES, "SyncPolicy": POLICIES, "Connection": CONNECTIONS, "ConnectionSet": SETS}


def document(kind: str) -> st.SearchStrategy[Document]:
    """A valid document of a kind, as values."""
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just("extcal/v1"),
            "kind": st.just(kind),
            "metadata": st.fixed_dictionaries({"name": NAMES}),
            "spec": SPECS[kind],
        }
    )


def manifests() -> st.SearchStrategy[str]:
    """A valid document, as YAML."""
    return st.sampled_from(sorted(SPECS)).flatmap(document).map(as_yaml)


JUNK = st.sampled_from(
    [None, True, 0, 1.5, "", "x", "no@where", [], ["x"], ["x", "x"], {}, {"x": 1}, {"id": "a", "name": "b"}]
)
WORDS = st.sampled_from(
    ["x", "id", "name", "env", "enabled", "calendars", "primaryCalendar", "dedicatedCalendar", "spec"]
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A document with a few fields changed, added or taken away, as YAML."""
    # A copy, since strategies give the same mapping more than once.
    value: object = deepcopy(draw(st.sampled_from(sorted(SPECS)).flatmap(document)))
    for _ in range(draw(st.integers(1, 3))):
        _mangle(draw, value)
    return as_yaml(value)


def _mangle(draw: st.DrawFn, value: object) -> None:
    while isinstance(value, dict):
        key = draw(st.sampled_from(sorted(value)) if value else WORDS)
        inner = value.get(key)
        if isinstance(inner, dict) and inner and draw(st.booleans()):
            value = inner
            continue
        match draw(st.integers(0, 2)):
            case 0:
                value[key] = deepcopy(draw(JUNK))
            case 1:
                value.pop(key, None)
            case _:
                value[draw(WORDS)] = deepcopy(draw(JUNK))
        return


class _Writer(yaml.SafeDumper):
    """Texts are quoted, since PyYAML goes by YAML 1.1 where it leaves quotes out; nothing is written as an alias."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


_Writer.add_representer(str, lambda writer, data: writer.represent_scalar("tag:yaml.org,2002:str", data, style='"'))


def as_yaml(*values: object) -> str:
    """Values as YAML documents."""
    return yaml.dump_all(values, Dumper=_Writer, allow_unicode=True, width=10_000, explicit_start=True)
