"""Connections as members of a set: what an entry or a row says of one, and what the set's template says of all.

A member leaves out what it has from the template. What its template says and it can't take back (a policy, where it has
no sync config; a password, where it needs none) keeps it from being a member. A row is an entry in columns, which hold
neither a sync config nor a lifecycle.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.manifests.convert import NO_SYNC, Template
from reconciler.manifests.roster import PROVIDER_WORDS
from reconciler.manifests.sync_config import merge
from reconciler.manifests.values import GUID
from reconciler.model.desired import Lifecycle, ProviderKey, SecretKind, State
from reconciler.model.sync import SyncConfig
from reconciler.pull.csv_edit import is_writable
from reconciler.pull.spec_fields import (
    Field,
    Fields,
    provider_field,
    schedule_field,
    secret_field,
    sync_fields,
)
from reconciler.pull.values import Addition, effective

Policies = Mapping[str, SyncConfig]
"""What policies say, by name."""

MOST_DOCUMENTS = 3
"""How many connections of a site are written as documents rather than as a set."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Member:
    """A connection as an entry says it, over its set's template; `addition` is as it reads there."""

    fields: Fields
    addition: Addition

    @property
    def row(self) -> dict[str, str] | None:
        """The cells of its row by column, or None where a row can't say it."""
        if self.fields.keys() & {"syncConfig", "lifecycle"}:
            return None
        cells = dict(_cells(self.addition, self.fields))
        # A name that no cell can hold is no reason to lose it.
        named = bool(self.addition.schedule_name) == ("schedule_name" in cells)
        # A manifest escapes what can't be seen, a table would hide it.
        legible = all(is_writable(text) and text.isprintable() for text in cells.values())
        return cells if named and legible and _reads_so(self.addition, cells) else None


def _cells(addition: Addition, fields: Fields) -> Iterator[tuple[str, str]]:
    declared = addition.declared
    yield "name", declared.name
    yield "account", declared.account.given
    yield "schedule_id", declared.schedule.value
    if declared.schedule.name is not None:
        yield "schedule_name", declared.schedule.name
    for field, column in (("site", "site"), ("state", "state"), ("syncPolicy", "sync_policy")):
        if field in fields:
            yield column, str(fields[field])
    if "provider" in fields:
        yield "provider", declared.provider.value
    if declared.password is not None and "credentials" in fields:
        column = "password_env" if declared.password.kind is SecretKind.ENV else "password_file"
        yield column, declared.password.name


def _reads_so(addition: Addition, cells: Mapping[str, str]) -> bool:
    """Whether the provider's cell means what it shall: a word, an id, or else a name."""
    by, text = addition.declared.provider.by, cells.get("provider")
    if text is None:
        return True
    read = ProviderKey.TYPE if text in PROVIDER_WORDS else ProviderKey.ID if GUID.fullmatch(text) else ProviderKey.NAME
    return by is read


def member(addition: Addition, template: Template, policies: Policies, site: str | None) -> Member | None:
    """The connection as a member of a set with this template, None where it can't be one.

    `site` is what is meant where neither says a site.
    """
    declared = addition.declared
    stated = _sync(addition, template, policies)
    if stated is None or (declared.password is None and template.password is not None):
        return None
    policy, own, merged = stated
    fields: dict[str, Field] = {"name": declared.name, "schedule": schedule_field(declared.schedule)}
    fields["account"] = declared.account.given
    if (template.site or site) != declared.site:
        fields["site"] = declared.site
    if template.provider != declared.provider:
        fields["provider"] = provider_field(declared.provider)
    if declared.password is not None and declared.password != template.password:
        fields["credentials"] = {"password": secret_field(declared.password)}
    if template.state is not declared.state:
        fields["state"] = declared.state.value
    if policy is not None:
        fields["syncPolicy"] = policy
    if own != NO_SYNC:
        fields["syncConfig"] = sync_fields(own)
    if template.lifecycle != declared.lifecycle:
        fields["lifecycle"] = _lifecycle(declared.lifecycle, template.lifecycle)
    return Member(fields, replace(addition, declared=replace(declared, sync=merged)))


def _sync(
    addition: Addition, template: Template, policies: Policies
) -> tuple[str | None, SyncConfig, SyncConfig] | None:
    """The policy and the sync config that a member states itself, and what comes of them."""
    wanted = addition.declared.sync
    ways = [(None, NO_SYNC), (addition.policy, NO_SYNC), (None, wanted)]
    for policy, own in ways if addition.policy is not None else (ways[0], ways[2]):
        shared = policies.get(policy or template.policy or "", NO_SYNC)
        merged = merge(shared, merge(template.sync, own))
        if effective(merged) == effective(wanted):
            return policy, own, merged
    return None


def _lifecycle(wanted: Lifecycle, shared: Lifecycle) -> Fields:
    """What a member says of its lifecycle, over what the template does."""
    found: dict[str, Field] = {}
    if wanted.prevent_disconnect != shared.prevent_disconnect:
        found["preventDisconnect"] = wanted.prevent_disconnect
    if wanted.ignore_changes != shared.ignore_changes:
        found["ignoreChanges"] = list(wanted.ignore_changes)
    return found


def common_template(additions: Sequence[Addition], site: str, policies: Policies) -> Template:
    """What all or most of a site's new connections share.

    All others can say otherwise, but for so few that they may as well be documents.
    """
    declared = [addition.declared for addition in additions]
    passwords = {one.password for one in declared}
    template = Template(
        site=site,
        provider=_most([one.provider for one in declared]),
        password=passwords.pop() if len(passwords) == 1 else None,
        lifecycle=_most([one.lifecycle for one in declared]) or Lifecycle(),
        state=State.PRESENT,
    )
    shared = replace(template, policy=_most([addition.policy for addition in additions]))
    unfit = sum(1 for addition in additions if member(addition, shared, policies, None) is None)
    return shared if unfit <= MOST_DOCUMENTS else template


def _most(values: Sequence[_Value]) -> _Value | None:
    """The value of more than half."""
    ((value, count),) = Counter(values).most_common(1)
    return value if 2 * count > len(values) else None
