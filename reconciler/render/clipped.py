"""Text from outside on one line, at a length that a report can bear."""

from reconciler.render.inert import inert

_TAIL = 12


def clipped(text: str, longest: int = 160) -> str:
    """The text without anything harmful, runs of blanks made one, cut before its last characters; never empty."""
    tidy = " ".join(inert(text.replace("\n", " ")).split())
    if not tidy:
        return "(empty)"
    return tidy if len(tidy) <= longest else f"{tidy[: longest - _TAIL - 1]}…{tidy[-_TAIL:]}"
