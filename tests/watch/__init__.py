"""`extcal watch`."""
