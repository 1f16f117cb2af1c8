"""Manifests: from files to the desired model, or to every fault."""
