"""The closed sets of the External Calendars API, and its fixed ids (contract page, "Objects" and "Methods")."""

from enum import StrEnum

BOOKINGS_APP_ID = "13d21c63-b5ec-5912-8397-c3a5ddb27a97"
BUSINESS_SCHEDULE_EXTERNAL_ID = "4e0579a5-491e-4e70-a872-d097eed6e520"


class CalendarType(StrEnum):
    """What kind of calendar a provider hosts."""

    GOOGLE = "GOOGLE"
    I_CAL = "I_CAL"
    OUTLOOK = "OUTLOOK"
    OFFICE_365 = "OFFICE_365"
    MICROSOFT = "MICROSOFT"
    OTHER = "OTHER"


class ConnectMethod(StrEnum):
    """How a provider lets an account be connected."""

    OAUTH = "OAUTH"
    CREDENTIALS = "CREDENTIALS"


class ImportSupport(StrEnum):
    """`features.listEventFromCalendars`: from which calendars a provider lets events be imported."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    PRIMARY_CALENDAR_ONLY = "PRIMARY_CALENDAR_ONLY"
    SPECIFIC_CALENDARS = "SPECIFIC_CALENDARS"


class ExportSupport(StrEnum):
    """`features.syncToCalendar`: to which calendar a provider lets events be exported."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    PRIMARY_CALENDAR_ONLY = "PRIMARY_CALENDAR_ONLY"
    SPECIFIC_CALENDAR = "SPECIFIC_CALENDAR"
    DEDICATED_CALENDAR = "DEDICATED_CALENDAR"


class ExportTarget(StrEnum):
    """The one-of of `syncToCalendar`, by its field names."""

    PRIMARY = "primaryCalendar"
    DEDICATED = "dedicatedCalendar"


class Status(StrEnum):
    """Where a connection stands."""

    UNDEFINED = "UNDEFINED"
    CONNECTED = "CONNECTED"
    SYNC_IN_PROGRESS = "SYNC_IN_PROGRESS"
    SYNCED = "SYNCED"
    DISCONNECTED = "DISCONNECTED"
    ERROR = "ERROR"


class ErrorReason(StrEnum):
    """Why a connection's status is `ERROR`."""

    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 -- a name of the contract, no password
    EXTERNAL_CALENDAR_CREATION_FAILED = "EXTERNAL_CALENDAR_CREATION_FAILED"
    EXTERNAL_CALENDAR_DELETED = "EXTERNAL_CALENDAR_DELETED"
