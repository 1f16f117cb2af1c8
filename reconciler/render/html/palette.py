"""The colours of reports: of the page, and of what a mark on a connection means.

Text in any of them stands out from the page's two backgrounds by 4.5 to 1 or more (WCAG 2.2, 1.4.3), in both schemes.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour in the light and in the dark scheme, as `#rrggbb`."""

    light: str
    dark: str


class Shade(Enum):
    """What a mark tells apart from a word; the word always stands beside it."""

    BAD = Colour("#b3261e", "#ff8a80")
    LACKING = Colour("#a03d00", "#ffab70")
    WAITING = Colour("#6b3fa0", "#c9a7f5")
    CHANGED = Colour("#805500", "#e6c15c")
    MOVING = Colour("#0b5cad", "#79b8ff")
    GOOD = Colour("#1b6b34", "#6fd08c")
    OBSCURE = Colour("#7a2e68", "#f0a0d8")
    OUTSIDE = Colour("#75603f", "#cdb994")
    QUIET = Colour("#5a6270", "#a7b0bd")


PAGE = {
    "page": Colour("#ffffff", "#12161c"),
    "raised": Colour("#f4f6f8", "#1b212a"),
    "line": Colour("#d3d9e0", "#343d49"),
    "text": Colour("#1a1f26", "#e8ecf1"),
    "faint": Colour("#566070", "#a4afbd"),
    "accent": Colour("#0b5cad", "#79b8ff"),
}


def variables(*, dark: bool) -> str:
    """The colours as declarations of CSS custom properties."""
    colours = PAGE | {shade.name.lower(): shade.value for shade in Shade}
    return "".join(f"--{name}:{colour.dark if dark else colour.light};" for name, colour in colours.items())


def classes() -> str:
    """For each shade a class that sets the colour of text and of shapes."""
    return "".join(f".{s.name.lower()}{{color:var(--{s.name.lower()});fill:var(--{s.name.lower()})}}" for s in Shade)
