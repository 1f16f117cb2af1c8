"""Collects faults while files are read, so that a run reports all of them at once."""

from dataclasses import dataclass, field

from reconciler.manifests.limits import DEFAULT, Limit, ManifestBudget
from reconciler.manifests.values import Place, TextMark
from reconciler.model.source import Fault, Source
from reconciler.text import cut, escaped

MAX_FAULTS = 1_000
"""Faults reported of one file; the rest of a file with more is not checked."""

SHOWN = 81
"""Characters of a manifest's own text that a message repeats, with the ellipsis of one that was cut."""


class SpoiledError(Exception):
    """The rest of a file can't be read; the fault that says why is already reported."""


@dataclass(slots=True)
class FileReport:
    """The faults of one file; `spoiled` means that a part of it was not read, so that names may be missing.

    Places are counted from the beginning of what is being read, before which the file has so many `lines`. `budget`
    is what all files of the run share.
    """

    file: str
    faults: list[Fault] = field(default_factory=list)
    spoiled: bool = False
    lines: int = 0
    budget: ManifestBudget = field(default_factory=lambda: ManifestBudget(DEFAULT))

    def source(self, place: Place) -> Source:
        """`place` in this file."""
        return Source(self.file, place[0] + self.lines, place[1])

    def source_of(self, mark: TextMark) -> Source:
        """What begins at `mark`, in this file."""
        return Source(self.file, mark.line + 1 + self.lines, mark.column + 1)

    def count(self, limit: Limit, mark: TextMark, amount: int = 1) -> None:
        """Count what begins at `mark`; raises LimitError where that is too much for all files together."""
        if not self.budget.allows(limit, amount):
            raise self.budget.exceeded(limit, self.source_of(mark))

    def add(self, place: Place, message: str, where: str = "", hint: str = "") -> None:
        """Report one fault; raises SpoiledError when there are too many."""
        self.faults.append(Fault(self.source(place), where, message, hint))
        if len(self.faults) >= MAX_FAULTS:
            self.spoiled = True
            self.faults.append(
                Fault(
                    self.source(place),
                    "",
                    f"the file has more than {MAX_FAULTS:,} faults; the rest of it was not checked",
                    "fix these first",
                )
            )
            raise SpoiledError

    def spoil(self, place: Place, message: str, hint: str = "") -> SpoiledError:
        """Report a fault after which the file can't be read on; raise what this returns."""
        self.faults.append(Fault(self.source(place), "", message, hint))
        self.spoiled = True
        return SpoiledError()


def shown(text: str) -> str:
    """A manifest's own text as a message repeats it: quoted, harmless, and not too long."""
    return f"'{escaped(cut(text, SHOWN))}'"
