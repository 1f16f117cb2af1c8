"""The sandbox's errors as the command shows errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import ExtcalError


@contextmanager
def explained() -> Iterator[None]:
    """Turn a `SandboxError` into an error of the command's own."""
    from reconciler.sandbox.errors import SandboxError  # noqa: PLC0415 - only these commands need the other tower

    try:
        yield
    except SandboxError as error:
        raise ExtcalError(f"sandbox: {error}") from error
