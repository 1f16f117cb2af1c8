"""Random worlds, and manifests over them, on stage in a sandbox."""
