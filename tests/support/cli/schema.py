"""The published schema of plans, which every document must be as."""

import json

import jsonschema

from tests.support.cli.command import Json
from tests.support.tools import ROOT

_SCHEMA = json.loads((ROOT / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))


def valid(document: Json) -> Json:
    """The document, found to be as the published schema says."""
    jsonschema.validate(document, _SCHEMA)
    return document
