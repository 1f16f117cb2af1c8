"""Holds accounts as folders; their calendars are `.ics` files that anybody may edit."""
