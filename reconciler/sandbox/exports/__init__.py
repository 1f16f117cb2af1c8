"""The site's events on their way into the external calendars, and out of them again."""
