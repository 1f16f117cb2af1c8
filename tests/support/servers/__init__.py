"""Servers on loopback that answer as tests see fit, and a cluster of Dask."""
