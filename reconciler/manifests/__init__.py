"""Manifests: YAML files read, checked and resolved into the desired model (`schemas/*.json` describe the fields)."""

from reconciler.manifests.limits import Limits
from reconciler.manifests.loader import load, load_readable, overlooked
from reconciler.manifests.schema import schema_text

__all__ = ["Limits", "load", "load_readable", "overlooked", "schema_text"]
