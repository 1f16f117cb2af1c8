"""How hard the properties are tried: quickly in every run, long in a soak (`EXTCAL_SOAK=1`).

In CI a quick run tries the same examples every time, so that a failure is the change's doing; runs at a desk and soaks
explore.
"""

import os

from hypothesis import HealthCheck, settings

SOAK = os.environ.get("EXTCAL_SOAK") == "1"
_TIMES_IN_A_SOAK = 50

settings.register_profile(
    "loop",
    deadline=None,  # an example talks to a server: how long that takes proves nothing
    derandomize=bool(os.environ.get("CI")) and not SOAK,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def examples(quick: int) -> settings:
    """Settings with `quick` examples, or many times as many in a soak; handed to a test as its decorator."""
    return settings(settings.get_profile("loop"), max_examples=quick * (_TIMES_IN_A_SOAK if SOAK else 1))
