"""JSON for scripts, which is also read on terminals and in the logs of CI (source: RFC 8259)."""

import json
import math
from collections.abc import Mapping, Sequence

from reconciler.model.encoding import Json
from reconciler.text import inert


def json_text(document: Mapping[str, Json] | Sequence[Mapping[str, Json]]) -> str:
    """A document of many lines: every text in it is inert, names too; a number that JSON has no word for is null."""
    return json.dumps(_inert(document), indent=2, ensure_ascii=False, allow_nan=False)


def _inert(value: object) -> object:
    match value:
        case str():
            return inert(value)
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {inert(str(key)): _inert(item) for key, item in value.items()}
        case list() | tuple():
            return [_inert(item) for item in value]
        case _:
            return value
