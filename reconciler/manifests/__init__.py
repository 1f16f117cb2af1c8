"""Manifests: YAML files in, checked and resolved into the desired model (contract: Manifests)."""

from reconciler.manifests.loading import load
from reconciler.manifests.schemas import schema_text

__all__ = ["load", "schema_text"]
