"""Plans saved and loaded."""
