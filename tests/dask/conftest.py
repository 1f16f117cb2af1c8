"""The command and its sandbox, as the tests of the command line have them."""

from tests.support.cli.fixtures import bare, extcal, sandbox

__all__ = ["bare", "extcal", "sandbox"]
