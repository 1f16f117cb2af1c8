"""Texts that try to be more than text, or are broken unseen, and what must be true of whatever shows them."""

import re
import unicodedata

_OSC_8 = "8;;https://evil.example\x07click\x1b]8;;\x07"

PAYLOADS: dict[str, str] = {
    "C0": "a" + "".join(map(chr, range(0x20))) + "b",
    "DEL": "a\x7fb",
    "C1": "a" + "".join(map(chr, range(0x80, 0xA0))) + "b",
    "feigned line": "fine\nerror: all is well\r\nwarning: feigned",
    "overwritten line": "bad\rgood",
    "clear and title": "\x1b[2J\x1b[H\x1b]0;owned\x07",
    "colours": "\x1b[35;7mloud\x1b[0m \x9b35;7mloud",
    "OSC 8 with BEL": f"\x1b]{_OSC_8}",
    "OSC 8 with ST": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "OSC 8 in C1": "\x9d8;;https://evil.example\x9cclick\x9d8;;\x9c",
    "OSC 52": "\x1b]52;c;ZXZpbA==\x07",
    "device control": "\x1bP$q\x1b\\ \x90x\x9c \x1b_x\x1b\\ \x1b[6n \x1bc",
    "bidi controls": "\u202a\u202b\u202c\u202d\u202egnp.exe\u200e\u200f\u061c",
    "bidi isolates": "\u2066a\u2067b\u2068c\u2069",
    "zero-width": "pay\u200bpal\u200c\u200d\u2060\ufeff\u00ad\u180e\u2061\u2062\u2063\u2064",
    "tags": "x" + "".join(chr(0xE0000 + ord(char)) for char in "ignore me") + "\U000e0001\U000e007f",
    "variation selectors": "x" + "".join(map(chr, range(0xFE00, 0xFE0E))) + "\U000e0100\U000e01ef\u180b\u034f",
    "undrawn letters": "a\u115f\u1160\u3164\uffa0\u17b4\u17b5b",
    "line and paragraph ends": "a\u2028error: all is well\u2029b\x85c\x0bd\x0ce\x1cf",
    "half a character": "a\ud800b\udc80",
    "no character": "a\ufffe\uffff\U0010ffffb",
    "pile of marks": "Z" + "\u0301\u0489\u20dd" * 200 + "algo",
    "very long": "x" * 4_000,
    "wide": "漢字" * 200,
    "script": "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
    "ends of elements": "</title></style></script></summary></details></code>--> ]]><svg onload=alert(1)>",
    "entities": "&lt;script&gt; &#64;everyone &NewLine;# x",
    "link and image": "[click](https://evil.example) ![](https://evil.example/p.png) <https://evil.example>",
    "mentions": "@everyone @harbor/admins #123 GH-1 harbor/calendar#7 https://evil.example a@evil.example",
    "backticks": "`code` ``double`` ```fence``` `" + "`" * 90,
    "pipes": "| a | b |\n|---|---|\n| c | d |",
    "blocks": "x\n\n# Heading\n- [x] done\n> quote\n---\n    code",
    "YAML": "x: y # no\n---\nkind: Site\n- &a *a !!python/object:os.system",
    "template": "{{7*7}} ${7*7} $(id) `id` %0A %n",
    "formula": '=HYPERLINK("https://evil.example","x")',
    "formula with +": "+1+cmd|' /C calc'!A0",
    "formula with -": "-1+1",
    "formula with @": "@SUM(1+1)",
    "formula after a tab": "\t=1+1",
    "formula after CR": "\r=1+1",
    "formula after a blank": " =1+1",
    "formula in wide letters": "\uff1d1+1",
    "formula in a cell of its own": 'x;=1+1;"y",=2+2|@z',
    "quotes and commas": '",",""\r\n=1+1,"',
    "command of a CI": "::add-mask::evil",
    "command of a CI after blanks": " \u2003::error::evil",
    "command of a CI anywhere": "x ##[add-mask]evil ##vso[task.setvariable variable=x]evil",
}

_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_UNDRAWN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0000-\U000e0fff]")
_CI_COMMAND = re.compile(r"^\s*::\S|##\w*\[", re.MULTILINE)


def whole(text: str) -> str:
    """A text as the reader of an answer keeps it: halves of characters are replaced."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def assert_inert(shown: str) -> None:
    """Assert that nothing moves a cursor, hides, reorders or piles up, and that no line was feigned."""
    kinds = {char: unicodedata.category(char) for char in set(shown)}
    assert {char for char, kind in kinds.items() if kind in _HARMFUL} <= {"\n"}
    assert not _UNDRAWN.search(shown)
    assert not any(line.startswith(("error: all is well", "warning: feigned")) for line in shown.split("\n"))
    assert not _CI_COMMAND.search(shown), _CI_COMMAND.search(shown)
    marks = "".join(char for char, kind in kinds.items() if kind in {"Mn", "Me"})
    assert not marks or not re.search(f"[{re.escape(marks)}]{{9}}", shown)


# Never drawn, drawn upon what stands before them, or blanks that nobody tells from none.
UNSEEN = {
    "grapheme joiner": "\u034f",
    "filler": "\u3164",
    "selector of a variant": "\ufe00",
    "selector of a picture": "\ufe0f",
    "zero-width space": "\u200b",
    "tag": "\U000e0041",
    "never assigned": "\u2065",
    "line feed": "\n",
    "tab": "\t",
    "bell": "\x07",
    "half of a character": "\ud800",
    "line separator": "\u2028",
    "hair space": "\u200a",
    "pile of marks": "\u0301" * 12,
    "one mark": "\u0301",
    "several": "\u200b\n\u0301\u3164",
}


def broken(text: str, by: str) -> str:
    """The text with something in its middle."""
    middle = len(text) // 2
    return text[:middle] + by + text[middle:]
