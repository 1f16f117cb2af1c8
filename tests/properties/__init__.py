"""Properties of the whole loop: random worlds, random manifests, a real sandbox on a real socket."""
