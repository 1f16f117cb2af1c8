"""Models the history: who changed what, and when."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.encoding import Json


@dataclass(frozen=True, slots=True)
class Origin:
    """Who runs something; None is not known."""

    actor: str | None = None
    """The CI's actor, or this machine's user."""

    host: str | None = None
    """This machine's name."""

    commit: str | None = None
    """At which commit of the manifests' repository, which a CI knows."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """How one action has ended; `fields` are as `HistoryFile` in machine writes them."""

    fields: Mapping[str, Json]

    def text(self, name: str) -> str:
        """A field as text; empty where it is not there, or is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""
