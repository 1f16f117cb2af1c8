"""The command and its sandbox, as the tests of the command line have them."""

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.fixtures import bare, extcal, sandbox
from tests.support.machines import fresh_machine
from tests.watching.inside import Inside

__all__ = ["bare", "extcal", "inside", "sandbox"]


@pytest.fixture
def inside(extcal: Extcal) -> Inside:
    """A watch inside this process, of the folder `manifests`, on the sandbox."""
    return Inside(extcal, fresh_machine())
