"""The command and its sandbox."""

from tests.cli.counting import asking, nameless
from tests.support.cli.fixtures import bare, extcal, sandbox

__all__ = ["asking", "bare", "extcal", "nameless", "sandbox"]
