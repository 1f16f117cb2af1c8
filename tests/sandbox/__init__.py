"""The sandbox, through its socket."""
