"""The text of ConnectionSets and rosters: new ones, and entries that are added to a set that is there.

An entry is one line in flow style, so that a review shows a line for each connection; one that names calendars is a
block, with a line for each of these.
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.manifests.convert import Template
from reconciler.manifests.roster import COLUMNS
from reconciler.manifests.schema import API_VERSION
from reconciler.model.desired import Lifecycle
from reconciler.pull.csv_edit import row_text
from reconciler.pull.set_members import Member
from reconciler.pull.spec_fields import (
    Field,
    Fields,
    flow,
    holds_list,
    lifecycle_fields,
    lines,
    provider_field,
    secret_field,
)
from reconciler.pull.splices import Splice, UneditableError, newline
from reconciler.pull.yaml_edit import add_pairs, line_end, set_value
from reconciler.pull.yaml_emit import comment, scalar
from reconciler.pull.yaml_tree import MappingNode, SequenceNode
from reconciler.text import listed

_CREDENTIALS = "Set the variables to the accounts' passwords; they are needed only to connect the accounts again."
_USUAL = ("name", "account", "schedule_id", "schedule_name")


def set_text(name: str, template: Template, entries: Sequence[Member], rows: Sequence[Member], roster: str) -> str:
    """A ConnectionSet; `rows` are the connections that its roster has, if there are any."""
    lines_ = [
        f"# The connections of {template.site}: `template` says what they share, and each can say it otherwise.",
        *_remarks(rows),
        f"apiVersion: {API_VERSION}",
        "kind: ConnectionSet",
        f"metadata: {{name: {scalar(name)}}}",
        "spec:",
        "  template:",
        *lines(_template_fields(template), "    "),
    ]
    if any("credentials" in one.fields for one in (*entries, *rows)):
        lines_.append(f"  # {_CREDENTIALS}")
    if entries:
        lines_ += ["  connections:", *(line for one in entries for line in entry_lines(one, "    "))]
    if rows:
        lines_.append(f"  roster: {scalar(roster)}")
    return "\n".join([*lines_, ""])


def _remarks(rows: Sequence[Member]) -> Iterator[str]:
    """What is to be said of rows, which have no room for it."""
    names: dict[str, list[str]] = {}
    for one in rows:
        for note in one.addition.notes:
            names.setdefault(note, []).append(one.addition.declared.name)
    yield from (f"# {listed(those)}: {note}" for note, those in names.items())


def _template_fields(template: Template) -> Fields:
    found: dict[str, Field] = {} if template.site is None else {"site": template.site}
    if template.provider is not None:
        found["provider"] = provider_field(template.provider)
    if template.password is not None:
        found["credentials"] = {"password": secret_field(template.password)}
    if template.policy is not None:
        found["syncPolicy"] = template.policy
    if template.lifecycle != Lifecycle():
        found["lifecycle"] = lifecycle_fields(template.lifecycle)
    return found


def entry_lines(one: Member, margin: str) -> Iterator[str]:
    """An entry of a block list, with what is to be said of it above."""
    addition = one.addition
    # A name that no manifest can hold may still be read.
    unheld = addition.schedule_name if addition.declared.schedule.name is None else ""
    yield from (f"{margin}# {note}" for note in (*([comment(unheld)] if unheld else ()), *addition.notes))
    if not holds_list(one.fields):
        yield f"{margin}- {flow(one.fields)}"
        return
    first, *others = lines(one.fields, f"{margin}  ")
    yield f"{margin}- {first.lstrip()}"
    yield from others


def roster_text(rows: Sequence[Mapping[str, str]]) -> str:
    """A roster with these rows, and the columns that they need."""
    used = {column for row in rows for column in row}
    columns = [*_USUAL, *(column for column in COLUMNS if column in used and column not in _USUAL)]
    table = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    return "".join(f"{row_text(row)}\n" for row in table)


def added_entries(text: str, document: MappingNode, entries: Sequence[Member]) -> Splice:
    """Add entries at the end of a set's `connections`, which it may not have yet.

    Raises UneditableError where the text is written so that this can't be done in place.
    """
    found = document.find("spec")
    spec = found[1] if found else None
    if not isinstance(spec, MappingNode):
        raise UneditableError("its spec is an alias")
    given = spec.find("connections")
    if given is None and not spec.flow:
        value = "".join(f"\n{line}" for one in entries for line in entry_lines(one, "  "))
        return add_pairs(text, spec, [("connections", value)])
    written = [flow(one.fields) for one in entries]
    if given is None:
        return add_pairs(text, spec, [("connections", f"[{', '.join(written)}]")])
    items = given[1]
    if not isinstance(items, SequenceNode):
        raise UneditableError("its connections are an alias")
    if not items.items:
        return set_value(items, f"[{', '.join(written)}]")
    end = items.items[-1].end
    if items.flow:
        return Splice(end, end, "".join(f", {one}" for one in written))
    margin, line_break = " " * items.column, newline(text)
    end = line_end(text, end)
    return Splice(end, end, "".join(f"{line_break}{line}" for one in entries for line in entry_lines(one, margin)))
