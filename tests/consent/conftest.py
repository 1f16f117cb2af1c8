"""The command and its sandbox, as the tests of the command line have them."""

from tests.cli.conftest import bare, extcal, sandbox
from tests.support.authorities import one_authority

__all__ = ["bare", "extcal", "one_authority", "sandbox"]
