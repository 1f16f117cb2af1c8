"""Links of all pages lead somewhere, to headings too, and their prose fits a terminal."""

import re
from pathlib import Path

import pytest

from tests.readme.pages import PAGES, ROOT, name_of

_REFERENCE = [ROOT / "SECURITY.md", ROOT / ".github" / "CONTRIBUTING.md"]
_MORE = [*_REFERENCE, ROOT / "CHANGELOG.md"]


def links(page: Path) -> list[str]:
    """The relative links of a page: of its text, its pictures and its HTML."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    return [link for link in found if not re.match(r"https?:", link)]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", [*PAGES, *_MORE], ids=lambda page: f"{page.parent.name}-{page.name}")
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder of the repository, and every anchor a heading of its page."""
    lost = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES[1:], ids=name_of)
def test_pages_are_reached_from_the_first(page: Path) -> None:
    """Nobody has to search the tree for a page."""
    assert any((ROOT / link.partition("#")[0]).resolve() in {page, page.parent} for link in links(PAGES[0]))


@pytest.mark.parametrize("page", [*PAGES, *_REFERENCE], ids=lambda page: f"{page.parent.name}-{page.name}")
def test_prose_fits_the_columns(page: Path) -> None:
    """What is neither a table nor a picture can be read in a terminal of 120 columns."""
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 120 and not line.lstrip().startswith(("|", "!["))] == []


def test_the_guide_names_files_that_are_there() -> None:
    """What CONTRIBUTING says of a file can be opened: by its path, or beside the one that its sentence named before."""
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folder, lost = ROOT, []
    for name in re.findall(
        r"`([\w./-]+\.(?:py|toml|json|yaml|md)|(?:reconciler|tests|schemas|examples)/[\w/]*)`", text
    ):
        path = ROOT / name if "/" in name or (ROOT / name).exists() else folder / name
        if not path.exists():
            lost.append(name)
        elif (path.suffix == ".py" and "/" in name) or path.is_dir():
            folder = path if path.is_dir() else path.parent
    assert lost == []


def test_the_guide_shows_every_room() -> None:
    """The diagram of CONTRIBUTING has each package and module at the top of the product."""
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {
        path.stem for path in (ROOT / "reconciler").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert {room for room in rooms - {"__main__"} if room not in text} == set()
