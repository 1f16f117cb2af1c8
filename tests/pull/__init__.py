"""Tests of pulling: the live state as manifests."""
