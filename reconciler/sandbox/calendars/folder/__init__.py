"""Accounts as folders on this machine: their calendars are `.ics` files that anybody may edit."""
