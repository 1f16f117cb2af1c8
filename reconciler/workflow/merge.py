"""Joins what the shards of a fleet found: saved plans, and printed JSON."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import chain
from json import loads
from pathlib import Path
from typing import TypeAlias, cast

from jsonschema import Draft202012Validator

from reconciler.errors import ExtcalError
from reconciler.manifests import schema_text
from reconciler.model.action import ActionKind, Attribution
from reconciler.model.encoding import Json, digest, encoded
from reconciler.model.plan import Plan
from reconciler.model.shards import Shards, spans
from reconciler.model.status import Health
from reconciler.planning.partition import joined_plan
from reconciler.text import cut


class MergeError(ExtcalError):
    """Files that can't be joined; the text names them and says what to do."""


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A saved plan and the file that it came from."""

    file: Path
    plan: Plan


class Owners:
    """Remembers which file each site came in, by its id and its name.

    A name counts, too, since addresses begin with it.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Path] = {}
        self._by_name: dict[str, Path] = {}

    def claim(self, file: Path, name: str, site_id: str | None = None) -> None:
        """Note that a site is in `file`; raises MergeError where it is in another one too."""
        by_id = file if site_id is None else self._by_id.setdefault(site_id.lower(), file)
        for other in (by_id, self._by_name.setdefault(name, file)):
            if other is not file:
                raise MergeError(f"site {name} is in {other} and in {file}: a site is planned once; leave one file out")


def merged_plan(parts: Sequence[PlanPart]) -> Plan:
    """Join plans as if the fleet had been planned at once.

    What waits for another site is found anew.

    Its shards are None where nothing is missing. Raises MergeError.
    """
    shards = merged_shards((part.file, part.plan.shards) for part in parts)
    owners = Owners()
    for part in parts:
        for site in part.plan.sites:
            owners.claim(part.file, site.site.name, site.site.site_id)
    return joined_plan((site for part in parts for site in part.plan.sites), shards)


def merged_shards(parts: Iterable[tuple[Path, Shards | None]]) -> Shards | None:
    """Tell which shards the files hold together.

    None is all of them, or that no file is of a shard.

    Raises MergeError where a shard is there twice, or where the fleet was cut in different ways.
    """
    first: tuple[Path, int] | None = None
    holders: dict[int, Path] = {}
    for file, shards in parts:
        if shards is None:
            continue
        first = first or (file, shards.of)
        if shards.of != first[1]:
            raise MergeError(f"{first[0]} is of {first[1]} shards and {file} of {shards.of}: join those of one run")
        for number in shards.numbers:
            if holders.setdefault(number, file) is not file:
                raise MergeError(f"shard {number} of {shards.of} is in {holders[number]} and in {file}: leave one out")
    if first is None or len(holders) == first[1]:
        return None
    return Shards(first[1], tuple(sorted(holders)))


def missing(shards: Shards) -> str:
    """Which shards were not among the files, as a message."""
    lacking = shards.missing
    subject = f"shard {spans(lacking)} of {shards.of} is" if len(lacking) == 1 else f"shards {spans(lacking)} are"
    return f"{subject} missing among the files, so this is only a part of the fleet; see what became of it"


Document: TypeAlias = dict[str, Json]
_Row: TypeAlias = dict[str, Json]
_LONGEST = 200


class Kind(StrEnum):
    """What printed a document."""

    PLAN = "plan"
    APPLY = "apply"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A document that is as its schema says, and the file that it came from.

    `kind` is None for a plan or a result that holds nothing by which they could be told apart.
    """

    file: Path
    document: Document
    kind: Kind | None
    shards: Shards | None


def document_part(document: Document, file: Path) -> DocumentPart:
    """Check a document against its schema, and that it counts right; raises MergeError."""
    schema = "status" if "connections" in document else "plan"
    # The first is enough: of a large file that is something else there would be very many.
    error = next(_validator(schema).iter_errors(document), None)
    if error is not None:
        why = cut(error.message, _LONGEST)
        raise MergeError(
            f"{file}: neither a saved plan nor what plan, apply or status print with --format json: "
            f"at {error.json_path}: {why}"
        )
    if _counted(document) != document["summary"]:
        raise MergeError(f"{file}: the summary does not fit what is listed: the file was altered; make it again")
    return DocumentPart(file, document, _kind(document), _shards(document, file))


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(loads(schema_text(schema)))


def _rows(document: Document, field: str) -> list[_Row]:
    return cast("list[_Row]", document.get(field, []))


def _counted(document: Document) -> dict[str, Json]:
    """The summary that fits a document."""
    if "connections" in document:
        counts = Counter(row["health"] for row in _rows(document, "connections"))
        return {health.value: counts[health.value] for health in Health}
    counts = Counter(row["action"] for row in _rows(document, "actions"))
    return {kind.value: counts[kind.value] for kind in ActionKind}


def _kind(document: Document) -> Kind | None:
    if "connections" in document:
        return Kind.STATUS
    actions = _rows(document, "actions")
    if "remaining" in document or any("status" in action for action in actions):
        return Kind.APPLY
    return Kind.PLAN if actions else None


def _shards(document: Document, file: Path) -> Shards | None:
    said = cast("dict[str, int | list[int]] | None", document.get("shards"))
    if said is None:
        return None
    try:
        return Shards(cast("int", said["of"]), tuple(cast("list[int]", said["numbers"])))
    except ValueError as error:
        raise MergeError(f"{file}: its shards can't be: {error}") from error


def merged_document(parts: Sequence[DocumentPart]) -> Document:
    """One document of all; shards that are missing are among its errors. Raises MergeError."""
    _check_kinds(parts)
    shards = merged_shards((part.file, part.shards) for part in parts)
    _check_sites(parts)
    documents = [part.document for part in parts]
    merged: Document = {"format_version": documents[0]["format_version"]}
    if "connections" in documents[0]:
        merged |= {"connections": _joined(documents, "connections")}
        merged["summary"] = _counted(merged)
    else:
        merged |= {"digest": _digest(documents), "actions": _joined(documents, "actions")}
        merged["summary"] = _counted(merged)
        if any("remaining" in document for document in documents):
            merged["remaining"] = _joined(documents, "remaining")
        if unchecked := _joined(documents, "unchecked"):
            merged["unchecked"] = unchecked
    if outside := _joined(documents, "out_of_scope"):
        merged["out_of_scope"] = outside
    errors = _errors(documents)
    if shards is not None:
        merged["shards"] = encoded(shards)
        errors.insert(0, {"address": None, "message": missing(shards)})
    return merged | ({"errors": errors} if errors else {})


def missing_of(merged: Document) -> str | None:
    """Name the shards that are missing in a merged document; None where none is."""
    return str(_rows(merged, "errors")[0]["message"]) if "shards" in merged else None


def document_pending(document: Document) -> bool:
    """Whether a plan's document has changes that are not drift from before."""
    return any(
        ActionKind(str(action["action"])).writes and action.get("origin") != Attribution.DRIFT
        for action in _rows(document, "actions")
    )


def _check_kinds(parts: Sequence[DocumentPart]) -> None:
    families = {"connections" in part.document: part for part in parts}
    told = {part.kind: part for part in parts if part.kind is not None}
    for different in (families, told):
        if len(different) > 1:
            one, other = list(different.values())[:2]
            raise MergeError(
                f"{one.file} is from {_named(one)} and {other.file} from {_named(other)}. Join files of one kind."
            )


def _named(part: DocumentPart) -> str:
    return part.kind.value if part.kind is not None else "plan or apply"


def _check_sites(parts: Sequence[DocumentPart]) -> None:
    owners = Owners()
    for part in parts:
        rows = (_rows(part.document, field) for field in ("connections", "actions", "out_of_scope"))
        for row in chain.from_iterable(rows):
            owners.claim(part.file, _site(row), str(row["site_id"]))
        for error in _rows(part.document, "errors"):
            if error["address"] is not None:
                owners.claim(part.file, _site(error))


def _site(row: _Row) -> str:
    return str(row["address"]).partition("/")[0]


def _joined(documents: Sequence[Document], field: str) -> Json:
    rows = [row for document in documents for row in _rows(document, field)]
    return [*sorted(rows, key=lambda row: (_site(row), str(row["address"])))]


def _errors(documents: Sequence[Document]) -> list[Json]:
    """Join the errors, by site as one run tells them; what all shards say is said once."""
    found: list[_Row] = []
    seen: set[tuple[str, ...]] = set()
    for document in documents:
        for error in _rows(document, "errors"):
            key = tuple(str(error.get(field)) for field in ("address", "guard", "message"))
            if key not in seen:
                seen.add(key)
                found.append({**error})
    # What is of no site comes first; within a site it stays as its document has it.
    return [*sorted(found, key=lambda error: "" if error["address"] is None else _site(error))]


def _digest(documents: Sequence[Document]) -> Json:
    """Digest the digests of the parts, whose plans are not here; one part keeps its own."""
    digests = sorted(str(document["digest"]) for document in documents)
    return digests[0] if len(digests) == 1 else digest([*digests])
