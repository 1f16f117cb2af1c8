"""`--runner dask`: a scheduler and workers in processes of their own."""
