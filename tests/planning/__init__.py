"""Planning, as pure values in and out."""
