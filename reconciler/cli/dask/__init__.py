"""Runs on the workers of a Dask scheduler: the options, the driver, the client, what a worker does."""
