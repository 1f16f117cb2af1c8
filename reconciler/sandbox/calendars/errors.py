"""Defines what can go wrong between the sandbox and whoever holds the calendars.

    CalendarError
    ├── BadCredentialsError     the account doesn't open with these credentials, now or any more
    ├── UnreachableError        the calendars can't be reached; later they may be
    │   ├── NoAnswerError           no answer, or not in time
    │   ├── MisconfiguredError      the address of the server is wrong, or it needs more hosts than are allowed
    │   └── PasswordsNotTakenError  whoever holds them opens them to other credentials than passwords
    ├── CalendarGoneError       the calendar is not there (any more)
    ├── CreationRefusedError    a calendar can't be made there
    ├── ConflictError           the object changed, or was made, by somebody else since it was read
    ├── WriteRefusedError       the object can't be written or deleted there
    └── UnreadableError         what is there can't be read as a calendar

Messages are for the sandbox's log: they say what and where, hold no password, and may hold text from elsewhere.
"""


class CalendarError(Exception):
    """Any of the above."""


class BadCredentialsError(CalendarError):
    """The account doesn't exist, or doesn't open with this password.

    When connecting the password is wrong, afterwards access was revoked: `health.py`, `imports.py`,
    `exports/export_sync.py` and `methods/connections.py` make it TOKEN_REVOKED.
    """


class UnreachableError(CalendarError):
    """No usable answer came. A later try may succeed."""


class NoAnswerError(UnreachableError):
    """Nothing came, or nothing whole in time: asking again at once would take as long again."""


class MisconfiguredError(UnreachableError):
    """The configured address is wrong. No later try succeeds until it is corrected."""


class PasswordsNotTakenError(UnreachableError):
    """The server takes no passwords, which says nothing about the password."""


class CalendarGoneError(CalendarError):
    """The calendar is not there: never was, or was deleted by its owner."""


class CreationRefusedError(CalendarError):
    """The account works, but a calendar can't be made in it."""


class ConflictError(CalendarError):
    """The object is not in the version that the caller knows; read it again."""


class WriteRefusedError(CalendarError):
    """The account and the calendar work, but this object can't be written or deleted."""


class UnreadableError(CalendarError):
    """What is there can't be read as a calendar: too large, damaged, not text, not permitted."""
