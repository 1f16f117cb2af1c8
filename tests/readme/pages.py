"""A page of Markdown, followed as its reader would: files saved, commands run, quoted output compared.

The rules that pages keep:

- A `console` block holds commands, each after `$ `, with an optional remark after two spaces and `#`. A remark that
  says `exit code N` (or `N or M`) is checked; a command without one must end with 0.
- A `yaml` block whose first line is a comment with a path is saved there before the next command. Any other holds
  manifests, which must be valid beside the site and the policies of the quickstart.
- A `python` block is a program; its first line is a comment with the path that it is saved at.
- A `text` block quotes output: each of its lines is a line of what the page's commands have printed so far, where `…`
  stands for whatever was cut.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "examples").glob("*/README.md"))]
LANGUAGES = {"console", "yaml", "python", "text"}

_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_REMARK = re.compile(r"\s{2,}#\s(.*)$")
_SAVED = re.compile(r"# ((?!yaml-language-server)[\w./-]+\.(?:ya?ml|py))\n")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text without the page's indentation, and the line it begins at."""

    language: str
    text: str
    line: int

    @property
    def path(self) -> str | None:
        """Where the reader saves a YAML or Python block; none where it is only to be read."""
        first = _SAVED.match(self.text)
        return first[1] if first else None


@dataclass(frozen=True)
class Command:
    """A command of a page, without its remark, and the exit codes that it may end with."""

    text: str
    expected: frozenset[int]
    line: int

    @property
    def words(self) -> list[str]:
        """The command as a shell splits it."""
        return shlex.split(self.text)


def name_of(page: Path) -> str:
    """What a test calls the page: the name of its folder."""
    return page.parent.name if page.parent != ROOT else "first-page"


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found[2], re.sub(f"^{found[1]}", "", found[3], flags=re.MULTILINE), text.count("\n", 0, found.start()) + 1
        )
        for found in _FENCE.finditer(text)
    ]


def commands_of(block: Block) -> list[Command]:
    """The commands of a console block."""
    commands = []
    for chunk in block.text.replace("\\\n", " ").splitlines():
        assert chunk.startswith("$ "), f"line {block.line}: {chunk!r} is no command"
        remark = _REMARK.search(chunk)
        code = re.search(r"exit code (\d+)(?: or (\d+))?", remark[1]) if remark else None
        expected = frozenset(int(each) for each in code.groups() if each) if code else frozenset({0})
        commands.append(Command(_REMARK.sub("", chunk)[2:], expected, block.line))
    return commands


def words_of(line: str) -> str:
    """A line as it is compared: how far columns are apart depends on what else is in them."""
    return " ".join(line.split())


def is_quoted(line: str, printed: set[str]) -> bool:
    """Whether a line is among the printed ones (`words_of` each), where `…` stands for anything."""
    line = words_of(line)
    if "…" not in line:
        return not line or line in printed
    pattern = re.compile(".*".join(re.escape(part) for part in line.split("…")))
    return line == "…" or any(pattern.fullmatch(each) for each in printed)
