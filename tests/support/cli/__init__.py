"""The command as its users run it, its worlds, and what its runs leave behind."""
