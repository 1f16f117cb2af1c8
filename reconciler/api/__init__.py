"""Calls the External Calendars API: authentication, rate limit, retries, methods, and errors as ours."""
