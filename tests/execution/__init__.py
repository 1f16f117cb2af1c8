"""Carrying out plans against a real sandbox."""
