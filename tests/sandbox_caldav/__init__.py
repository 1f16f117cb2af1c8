"""Tests of accounts at CalDAV servers: real ones, and one that does as it is told."""
