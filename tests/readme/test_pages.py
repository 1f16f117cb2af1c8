"""The first page and the pages of the examples do what they say, command by command."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.readme.pages import LANGUAGES, PAGES, ROOT, Command, blocks_of, name_of
from tests.readme.reader import Reader
from tests.support.tools import needs_git


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader begins with: a clone, as far as pages use it, with an origin."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "extcal"
    home.mkdir()
    shutil.copytree(ROOT / "examples", home / "examples")
    ignored = home / ".gitignore"
    ignored.write_text(".extcal/\n")
    script = (
        "git init -q -b main . && git add . && git -c user.name=Ops -c user.email=ops@harbor-dental.example"
        " commit -qm clone && git init -q --bare ../origin.git && git remote add origin ../origin.git"
        " && git push -q -u origin main"
    )
    subprocess.run(["/bin/sh", "-c", script], cwd=home, check=True, capture_output=True, timeout=300)
    return home


@needs_git
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_reader_can_follow_the_page(page: Path, clone: Path) -> None:
    """From top to bottom each command ends as the page says, each manifest is valid, each quoted line is printed."""
    with Reader(clone) as reader:
        for block in blocks_of(page):
            reader.follow(block)


@needs_git
@pytest.mark.parametrize(
    "wrong",
    [
        "```console\n$ extcal validate nowhere\n```\n",
        "```console\n$ extcal schema Site  # exit code 1\n```\n",
        "```console\n$ make nothing\n```\n",
        "```yaml\napiVersion: extcal/v1\nkind: Site\nmetadata: {name: harbor-dental}\nspec: {}\n```\n",
        "```text\nPlan: … to connect\n```\n",
    ],
    ids=["command", "exit-code", "target", "manifest", "output"],
)
def test_a_page_that_is_wrong_is_noticed(wrong: str, clone: Path, tmp_path: Path) -> None:
    """A command that ends otherwise, a target that is gone, an invalid manifest, and a line that nothing printed."""
    page = tmp_path / "README.md"
    page.write_text(wrong, encoding="utf-8")
    with Reader(clone) as reader, pytest.raises(AssertionError):
        reader.follow(blocks_of(page)[0])


@needs_git
def test_the_picture_shows_what_plan_prints(clone: Path) -> None:
    """Each line of the terminal in the picture is a line of the quickstart's plan, as far as it is shown."""
    picture = (ROOT / ".github" / "overview.svg").read_text(encoding="utf-8")
    shown = re.findall(r'<text class="code (?:t|plus|warn)"[^>]*>([^<]*)</text>', picture)
    assert len(shown) > 5
    with Reader(clone) as reader:
        reader.type(Command("extcal plan examples/quickstart --sandbox", frozenset({0}), 0))
        assert reader.missing([line for line in shown if not line.startswith("$ ")]) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    """A block without one of the languages that are followed would be checked by nobody."""
    assert {block.language for block in blocks_of(page)} <= LANGUAGES


def test_every_example_has_a_page() -> None:
    """A folder of examples says what it is for, and the first page links to it."""
    first = PAGES[0].read_text(encoding="utf-8")
    folders = sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir())
    assert [name for name in folders if not (ROOT / "examples" / name / "README.md").is_file()] == []
    assert [name for name in folders if f"](examples/{name}" not in first] == []


def test_the_first_page_stays_short() -> None:
    """A stranger reads it in one go; what is more is on the pages of the examples."""
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 150
