"""Names the connection that is meant by a manifest, the service, a plan or a journal."""

from dataclasses import dataclass

from reconciler.model.account import Account


@dataclass(frozen=True, slots=True)
class ConnectionKey:
    """One account of one provider on one schedule of a site; equal keys are one connection."""

    schedule_id: str
    """The id of the schedule, in lower case."""

    provider: str
    """The word for the provider (`apple`, or the name that ListProviders gives).

    Its id would tell two installations of one provider apart, and differs between sites.
    """

    account: Account | None
    """The account's address; None where the service does not show it."""
