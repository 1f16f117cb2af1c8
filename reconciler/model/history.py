"""Models the history: who changed what, and when."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.action import Action
from reconciler.model.desired import Site
from reconciler.model.encoding import Json, decoded
from reconciler.model.result import Outcome, OutcomeStatus


@dataclass(frozen=True, slots=True)
class Origin:
    """Who runs something; None is not known."""

    actor: str | None = None
    """The CI's actor, or this machine's user."""

    host: str | None = None
    """This machine's name."""

    commit: str | None = None
    """At which commit of the manifests' repository, with `+changes` where its manifests were not as committed."""


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """What it takes to undo an action: the action as a saved plan has it, with references to secrets, and its site."""

    site: Site
    action: Action


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """How one action has ended; `fields` are as `HistoryFile` in machine writes them."""

    fields: Mapping[str, Json]

    def text(self, name: str) -> str:
        """A field as text; empty where it is not there, or is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def shown(self) -> "HistoryEntry":
        """The entry as people see it, without what it takes to undo it."""
        return HistoryEntry({name: value for name, value in self.fields.items() if name != "recorded"})

    def outcome(self) -> tuple[Site, Outcome]:
        """The site and the outcome that were written down; raises ValueError where they were not, or don't fit."""
        if self.fields.get("recorded") is None:
            raise ValueError("it does not hold what was done, as entries of an older extcal, or of much too large ones")
        recorded = decoded(RecordedAction, self.fields["recorded"])
        site, action = recorded.site, recorded.action
        shown = {name: self.text(name) for name in ("site", "site_id", "address", "action")}
        if shown != {"site": site.name, "site_id": site.site_id, "address": action.address, "action": action.kind}:
            raise ValueError("what it shows is not what it holds")
        if (action.site, action.site_id) != (site.name, site.site_id):
            raise ValueError("its action is of another site")
        made = self.text("connection_id") or None
        return site, Outcome(action, OutcomeStatus(self.text("status")), connection_id=made)
