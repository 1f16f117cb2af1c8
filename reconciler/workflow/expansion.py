"""Expands ConnectionSets: what their entries and rows are as Connection documents of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.manifests.limits import Limits
from reconciler.manifests.loader import load_documents
from reconciler.manifests.schema import API_VERSION
from reconciler.model.source import Source
from reconciler.pull.spec_fields import Field, Fields, lines, spec_fields
from reconciler.pull.yaml_emit import scalar
from reconciler.text import inert


@dataclass(frozen=True, slots=True)
class ExpandedConnection:
    """A Connection document, the place that it comes from, and the set that it is in."""

    name: str
    spec: Fields
    source: Source
    set_name: str

    @property
    def text(self) -> str:
        """The document as YAML, with a comment that says where it comes from."""
        return "\n".join(
            [
                f"# {inert(str(self.source))}, of {self.set_name}",
                f"apiVersion: {API_VERSION}",
                "kind: Connection",
                f"metadata: {{name: {scalar(self.name)}}}",
                "spec:",
                *lines(self.spec, "  "),
            ]
        )

    @property
    def fields(self) -> dict[str, Field]:
        """The document, and where it comes from, as JSON has it."""
        return {
            "source": str(self.source),
            "apiVersion": API_VERSION,
            "kind": "Connection",
            "metadata": {"name": self.name},
            "spec": self.spec,
        }


def expand(paths: Sequence[Path], limits: Limits) -> list[ExpandedConnection]:
    """What the sets of the manifests at `paths` expand to, by address.

    With the Sites and SyncPolicies beside them, these documents declare what the sets do. Raises ManifestError.
    """
    return list(_expanded(paths, limits))


def _expanded(paths: Sequence[Path], limits: Limits) -> Iterator[ExpandedConnection]:
    desired, documents = load_documents(paths, limits)
    members = {document.root: document for document in documents.connections if document.member is not None}
    for declared in desired.connections:
        document = members.get(declared.sources.root)
        if document is not None and document.member is not None:
            spec = spec_fields(document, declared.site)
            yield ExpandedConnection(declared.name, spec, document.root, document.member.set_name)
