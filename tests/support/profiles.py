"""How hard the properties are tried: the same few examples in every run, new and many ones in `make soak`.

An ordinary run is the same everywhere, so that a failure is the change's doing. A soak explores; what it finds becomes
an explicit `@example` of the property.
"""

import os

from hypothesis import HealthCheck, Phase, settings

SOAK = os.environ.get("EXTCAL_SOAK") == "1"
_TIMES_IN_A_SOAK = 100

settings.register_profile(
    "tests",
    deadline=None,  # how long an example takes says how busy the machine is
    derandomize=not SOAK,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # as the deadline
)
# An example that talks to a server takes a while, and hypothesis shrinks for as long as a test may last: an ordinary
# run tells what it found at once.
settings.register_profile(
    "served",
    settings.get_profile("tests"),
    phases=tuple(phase for phase in Phase if SOAK or phase is not Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def examples(quick: int, *, profile: str = "served") -> settings:
    """Settings with `quick` examples, or many times as many in a soak; handed to a test as its decorator."""
    return settings(settings.get_profile(profile), max_examples=quick * (_TIMES_IN_A_SOAK if SOAK else 1))


def load() -> None:
    """Let tests that say nothing of it be tried by the first profile."""
    settings.register_profile("default of tests", examples(100, profile="tests"))
    settings.load_profile("default of tests")
