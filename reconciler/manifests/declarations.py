"""What documents are called and which names they refer to, known before the rest of them is."""

from typing import NamedTuple

from reconciler.manifests.faults import FileReport
from reconciler.manifests.roster import column_of
from reconciler.manifests.values import TextMark, Value, YamlMapping
from reconciler.model.source import Source


class Name(NamedTuple):
    """A name, with how many lines it is below its document's place, and its column."""

    text: str
    below: int
    column: int


class Declaration(NamedTuple):
    """What a document is called and which names it refers to, whether or not the rest of it is valid.

    A member of a set is a Connection. `root` is the place of the document, or of the member; `within` is where the
    fields of its spec are, and `named` where its name is, as faults say it.
    """

    kind: str
    root: Source
    name: Name | None
    site: Name | None = None
    policy: Name | None = None
    needs_site: bool = False
    """Whether it leaves the site out that its Connections have."""

    shared_site: str | None = None
    """The site that a member has from its set."""

    named: str = "metadata.name"
    within: str = "spec"

    def source(self, name: Name) -> Source:
        """Where one of its names is written."""
        return Source(self.root.file, self.root.line + name.below, name.column)

    def path(self, field: str) -> str:
        """How faults name a field of its spec."""
        return f"{self.within}.{field}" if self.within else column_of(field)


def declaration(kind: str, document: YamlMapping, report: FileReport) -> Declaration:
    """What any document declares."""
    root, name = report.source_of(document.mark), _name(document.mark, document.get("metadata"), "name")
    spec = document.get("spec")
    if kind == "ConnectionSet" and isinstance(spec, YamlMapping):
        template = spec.get("template")
        site, policy = _name(document.mark, template, "site"), _name(document.mark, template, "syncPolicy")
        return Declaration(kind, root, name, site, policy, within="spec.template")
    if kind != "Connection" or not isinstance(spec, YamlMapping):
        return Declaration(kind, root, name)
    return Declaration(
        kind,
        root,
        name,
        site=_name(document.mark, spec, "site"),
        policy=_name(document.mark, spec, "syncPolicy"),
        needs_site="site" not in spec,
    )


def member_declaration(entry: YamlMapping, within: str, shared_site: str | None, report: FileReport) -> Declaration:
    """What an entry of a set declares, `within` its document, or a row, whose columns go by other names."""
    site, policy = _name(entry.mark, entry, "site"), _name(entry.mark, entry, "syncPolicy")
    named = f"{within}.name" if within else "name"
    root, name = report.source_of(entry.mark), _name(entry.mark, entry, "name")
    return Declaration("Connection", root, name, site, policy, shared_site=shared_site, named=named, within=within)


def _name(root: TextMark, around: Value, field: str) -> Name | None:
    text = around.get(field) if isinstance(around, YamlMapping) else None
    if not isinstance(text, str) or not isinstance(around, YamlMapping):
        return None
    mark = around.mark_of(field, key=False)
    return Name(text, mark.line - root.line, mark.column + 1)
