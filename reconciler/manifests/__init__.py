"""Manifests: YAML files in, checked and resolved into the desired model (contract: Manifests)."""

from reconciler.manifests.limits import ManifestLimits
from reconciler.manifests.loader import load, load_readable, overlooked
from reconciler.manifests.schema import schema_text

__all__ = ["ManifestLimits", "load", "load_readable", "overlooked", "schema_text"]
