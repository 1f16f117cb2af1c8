"""The providers' side of the sandbox: the accounts, their calendars and the events in them."""
