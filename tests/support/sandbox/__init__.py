"""The sandbox's API as a plain client asks it, and calendars for it."""
