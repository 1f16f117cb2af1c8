"""Consent: the listener, what is believed of a callback, and the whole way through a browser."""
