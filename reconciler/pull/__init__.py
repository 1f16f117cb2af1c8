"""Manifests out: the live state written as YAML, and files that exist edited without disturbing the rest of them."""
