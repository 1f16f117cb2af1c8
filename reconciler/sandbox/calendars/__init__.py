"""Holds the providers' side: the accounts, their calendars and the events in them."""
