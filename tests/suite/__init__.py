"""What a run of the tests itself must keep to."""
