"""The command and its sandbox, as the tests of the command line have them, on a fleet of small sites."""

import pytest

from tests.fleet.fleets import manifests, six
from tests.support.cli.command import Extcal
from tests.support.cli.fixtures import bare, extcal, sandbox
from tests.support.cli.worlds import KEY, PASSWORD_ENV
from tests.support.github.fixtures import runner

__all__ = ["bare", "extcal", "runner", "sandbox", "sites"]


@pytest.fixture
def sites(bare: Extcal) -> Extcal:
    """The command on a fleet of six sites, each with one connection to update and one to make."""
    bare.on(six())
    bare.env |= {"EXTCAL_ENDPOINT": bare.sandbox.endpoint, "EXTCAL_API_KEY": KEY} | PASSWORD_ENV
    bare.write(*manifests(6))
    return bare
