"""What is wrong with a plan, told the same way by every command that makes one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from reconciler.cli.console import Console
from reconciler.errors import ExtcalError, ManifestError, UsageError
from reconciler.model.desired import Desired
from reconciler.model.plan import Plan
from reconciler.render import words
from reconciler.render.plan_json import failure_json

Failure = Callable[[Sequence[str]], str]
"""Messages as a document that says why there is nothing else."""


def report_troubles(plan: Plan, console: Console) -> None:
    """Tell the faults, violations, gaps and warnings of a plan, on stderr."""
    # A file that may be about any site is a warning of each.
    told: set[str] = set()
    for site in plan.sites:
        for warning in (*site.site.warnings, *site.warnings):
            if warning not in told:
                told.add(warning)
                console.warning(warning)
        for fault in words.faults(site):
            console.fault(fault)
        for violation in words.violations(site):
            console.error(words.guard_sentence(violation))


def tell_overlooked(desired: Desired, console: Console, *, planned: bool = False) -> None:
    """Tell of files that look like manifests and are not read; a plan that is shown tells of those of its sites."""
    for one in desired.overlooked:
        if not (planned and one.sites):
            console.warning(str(one.warning))


@contextmanager
def failing_as(console: Console, failure: Failure | None) -> Iterator[None]:
    """Whatever fails inside is a document on stdout too, where its format has one for it; wrong usage is not."""
    try:
        yield
    except UsageError:
        raise
    except ExtcalError as error:
        if failure is not None:
            faults = error.faults if isinstance(error, ManifestError) else (error,)
            console.show(failure, [str(fault) for fault in faults])
        raise


def failing_as_json(console: Console, *, as_json: bool) -> AbstractContextManager[None]:
    """Where JSON is asked for, whatever fails inside is the JSON document of a plan on stdout too."""
    return failing_as(console, failure_json if as_json else None)
