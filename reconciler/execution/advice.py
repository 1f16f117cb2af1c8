"""Says what to do about a refusal that the service's own words leave open, where the action tells more."""

from collections.abc import Iterator

from reconciler.errors import ExtcalError, ResponseError
from reconciler.model.action import Action
from reconciler.model.sync import Arm, Direction

_APPLE_ADVICE = (
    "Apple takes an app-specific password, not the account's own: its owner makes one at account.apple.com, under "
    "Sign-In and Security, App-Specific Passwords"
)
_OTHERWISE = {
    "ConnectByCredentials": "if it takes no password, remove credentials from its manifest: its owner consents instead",
    "ConnectByOAuth": "if it takes a password, give its manifest credentials: {password: {env: EXTCAL_…}}",
    "UpdateSyncConfig": "if it lets no sync config be changed, leave syncConfig and syncPolicy out of its manifest",
}
_REFUSES_THE_CONFIG = {400, 428}


def advised(action: Action, error: ExtcalError) -> str:
    """The text of an error that an action has met, with what to do where its cause is likely."""
    return "; ".join([str(error), *_advice(action, error)])


def _advice(action: Action, error: ExtcalError) -> Iterator[str]:
    if not isinstance(error, ResponseError):
        return
    if error.code == "BAD_CREDENTIALS" and action.provider == "apple":
        yield _APPLE_ADVICE
    primary = list(_primary_advice(action)) if error.method == "UpdateSyncConfig" else []
    if primary and error.status in _REFUSES_THE_CONFIG:
        yield from primary
    elif error.code == "NOT_SUPPORTED_BY_PROVIDER" and error.method in _OTHERWISE:
        # A provider need not say beforehand how it connects, or what of it can be set.
        yield _OTHERWISE[error.method]


def _primary_advice(action: Action) -> Iterator[str]:
    """What to write instead of a primary calendar: not every provider has one, and none says so beforehand."""
    if action.sync is not None and _wants_primary(action.sync.imports):
        yield (
            f"{action.provider} may have no primary calendar to import from: name calendars in its manifest, "
            f"listEventFromCalendars: {{calendars: […]}}; extcal calendars PATH --connection {action.address} "
            "lists them"
        )
    if action.sync is not None and _wants_primary(action.sync.exports):
        yield (
            f"{action.provider} may have no primary calendar to export to: write syncToCalendar: "
            "{dedicatedCalendar: {}} in its manifest, or leave syncToCalendar out"
        )


def _wants_primary(direction: Direction | None) -> bool:
    return direction is not None and direction.arm is Arm.PRIMARY and direction.enabled is not False
