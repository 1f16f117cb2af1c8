"""Names the connection that is meant by a manifest, the service, a plan or a journal."""

import re
from dataclasses import dataclass

from reconciler.model.account import Account

_GUID = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def comparable_id(given: str) -> str:
    """An id as it is compared: a GUID in lower case, and any other, which may tell cases apart, to the letter."""
    lower = given.lower()
    return lower if lower != given and _GUID.fullmatch(given) else given


@dataclass(frozen=True, slots=True)
class ConnectionKey:
    """One account of one provider on one schedule of a site; equal keys are one connection."""

    schedule_id: str
    """The id of the schedule, as `comparable_id` gives it."""

    provider: str
    """The word for the provider (`apple`, or the name that ListProviders gives).

    Its id would tell two installations of one provider apart, and differs between sites.
    """

    account: Account | None
    """The account's address; None where the service does not show it."""
