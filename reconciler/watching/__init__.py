"""Watching: rounds of reconciling in a loop, what is remembered between them, and what is told of them on a port."""
