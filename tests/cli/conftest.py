"""The command and its sandbox."""

from tests.support.cli.fixtures import bare, extcal, sandbox

__all__ = ["bare", "extcal", "sandbox"]
