"""Puts the site's events into external calendars, and removes them again."""
