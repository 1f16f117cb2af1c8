"""Many sites: cut into shards, joined again, read in part, a few at a time."""
