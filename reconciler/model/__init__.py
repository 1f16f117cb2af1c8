"""Frozen values that every other room speaks of: sources, sync configs, desired, live, plan, result."""
