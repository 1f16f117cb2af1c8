"""What new connections are called, and the variables that shall hold their passwords."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.manifests.writing.naming import Taken, local_part, password_variable, slug
from reconciler.manifests.writing.pulled import Entry
from reconciler.manifests.writing.stating import UNSET
from reconciler.model.desired import SecretKind, SecretRef


def named(entries: Sequence[Entry], site: str, names: Taken, variables: Taken) -> list[Entry]:
    """The entries of a site with names (`dr-lee-apple`) and variables that are not in use yet.

    The account tells those apart that are alike otherwise; what has no name in letters is named by it too. Those that
    manifests elsewhere name keep their names and password references.
    """
    kept = {entry.live.id: names.take(entry.declared.name) for entry in entries if entry.declared.name}
    for entry in entries:
        password = entry.declared.password
        if password is not None and password is not UNSET and password.name not in variables:
            variables.take(password.name)
    return [_named(entry, kept.get(entry.live.id), site, names, variables) for entry in entries]


def _named(entry: Entry, kept: str | None, site: str, names: Taken, variables: Taken) -> Entry:
    declared, account = entry.declared, local_part(entry.declared.account)
    schedule = slug(entry.schedule_name) or account or "schedule"
    base = f"{schedule}-{slug(declared.provider.value) or 'other'}"
    name = kept or (names.take(base, f"{base}-{account}") if account else names.take(base))
    password = declared.password
    if password is UNSET:
        variable = variables.take(password_variable(name), password_variable(f"{site}-{name}"))
        password = SecretRef(SecretKind.ENV, variable)
    return replace(entry, declared=replace(declared, name=name, password=password))
