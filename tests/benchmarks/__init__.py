"""Measurements that are kept: each prints what it found, and fails where a promise is broken."""
