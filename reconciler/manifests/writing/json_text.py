"""What is written into a JSON manifest: JSON too, so that it stays what other tools read."""

import json
from collections.abc import Sequence
from dataclasses import replace

import yaml

from reconciler.manifests.recognition import is_json
from reconciler.manifests.writing.splicing import Splice

_WORDS = {"true", "false"}


def as_in(path: str, splices: Sequence[Splice]) -> list[Splice]:
    """The splices as they go into a file: all that is YAML's flow style alone is quoted where that is JSON."""
    return [replace(splice, text=_quoted(splice.text)) for splice in splices] if is_json(path) else list(splices)


def _quoted(text: str) -> str:
    parts: list[str] = []
    done = 0
    # Within braces a plain text ends where flow style has it end.
    for token in yaml.scan("{" + text + "}"):
        if isinstance(token, yaml.ScalarToken) and not (token.plain and token.value in _WORDS):
            start, end = token.start_mark.index - 1, token.end_mark.index - 1
            parts += [text[done:start], json.dumps(token.value, ensure_ascii=False)]
            done = end
    return "".join([*parts, text[done:]])
