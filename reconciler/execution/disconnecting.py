"""Disconnecting, so that what is gone already is no failure."""

from reconciler.errors import ApiError, ExtcalError, NotFoundError, PreconditionFailedError
from reconciler.execution.port import Port
from reconciler.model.live import Status


async def disconnect(port: Port, connection_id: str) -> None:
    """Take a connection away; one whose answer was lost is looked at again. Raises ExtcalError where it stands."""
    try:
        await port.disconnect(connection_id)
    except NotFoundError:
        return
    except ApiError as error:
        already = isinstance(error, PreconditionFailedError) and error.code == "CONNECTION_ALREADY_DISCONNECTED"
        if not already and not (error.doubtful and await _is_gone(port, connection_id)):
            raise


async def _is_gone(port: Port, connection_id: str) -> bool:
    """Whether a disconnect whose answer was lost has taken effect."""
    try:
        return (await port.get_connection(connection_id)).status == Status.DISCONNECTED
    except NotFoundError:
        return True
    except ExtcalError:
        return False
