"""Says where a statement stands in the manifests, and what is wrong there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A place in a manifest file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong, where it is wrong, and what would be right.

    `source` is None only for what has no place in a file (a path on the command line, a site's answer).
    `where` is the path of the field inside its document, or the address that is meant.
    """

    source: Source | None
    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`file:line:column: message, at path (hint)`."""
        place = f"{self.source}: " if self.source else ""
        at = f", at {self.where}" if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{at}{hint}"


Places = tuple[tuple[str, int, int], ...]
"""Fields by dotted path, each with how many lines it is below its manifest's place, and its column."""

FieldSources = tuple[tuple[str, Source], ...]
"""Fields by dotted path, each with its place."""


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The places of a manifest's fields, by dotted path; a field without one lies where its parent does."""

    root: Source
    """Where the manifest begins."""

    own: Places = ()
    """Its own fields. Manifests that are written alike share them."""

    inherited: FieldSources = ()
    """Those that it has from elsewhere (a policy, a set's template), unless they are its own, too."""

    within: str = "spec"
    """Where its own fields are in their document: `spec.connections[2]` of an entry of a set, nothing of a CSV row."""

    def at(self, path: str) -> Source:
        """The place of `path` (`syncConfig.syncToCalendar.enabled`), or of the nearest field around it."""
        known = dict((*self.inherited, *self.fields))
        while path:
            if path in known:
                return known[path]
            path = path.rpartition(".")[0]
        return self.root

    def path(self, field: str) -> str:
        """How messages name a field of it: `spec.account`, `spec.connections[2].account`, `account`."""
        return f"{self.within}.{field}" if self.within else field

    @property
    def fields(self) -> FieldSources:
        """Its own fields, and where each stands."""
        file, line = self.root.file, self.root.line
        return tuple((path, Source(file, line + below, column)) for path, below, column in self.own)
