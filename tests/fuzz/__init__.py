"""Programs that look for inputs that break something, for longer than a test may take."""
