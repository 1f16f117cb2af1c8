"""HTTP out: authentication, rate, retries, the methods of the External Calendars API, and its errors as ours."""
