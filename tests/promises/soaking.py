"""Properties of promises: some examples in every run, many in `make soak`."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.properties.profiles import SOAK, examples

_Test = TypeVar("_Test", bound=Callable[..., None])


def tried(quick: int) -> Callable[[_Test], _Test]:
    """Try a property on `quick` examples, and in a soak on many times as many; hypothesis prints what fails."""

    def decorate(test: _Test) -> _Test:
        made = examples(quick)(test)
        return pytest.mark.soak(made) if SOAK else made

    return decorate
