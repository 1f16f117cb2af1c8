"""Apply manifests, unless anything would be disconnected: a nightly job that leaves what hurts to a person.

    EXTCAL_API_KEY=… python apply_unless_it_disconnects.py PATH…

EXTCAL_ENDPOINT names another endpoint than the hosted API (a sandbox, say). Ends as `extcal apply` does: with 0 where
all is done, with 3 where only owners are awaited, who must consent, and with 1 where somebody must look.
"""

import asyncio
import os
import sys
from pathlib import Path

import reconciler


async def main(paths: list[Path]) -> int:
    """Plan, look at the plan, and apply it where nobody can lose anything by it."""
    try:
        desired = reconciler.load(paths)
        service = reconciler.reach(
            os.environ.get("EXTCAL_ENDPOINT", "https://www.wixapis.com"),
            environ=os.environ,
            state_folder=Path(os.environ.get("EXTCAL_STATE_DIR", Path.home() / ".local/state/extcal")),
        )
        async with reconciler.open_run(desired, service) as run:
            plan = await run.plan()
            lost = [action.address for action in plan.actions if action.kind.disconnects]
            if lost or not plan.whole:
                print(f"not applied: {', '.join(lost) or 'the plan has errors'}", file=sys.stderr)
                return 1
            # A service may repeat a secret, in a calendar's name, say.
            result = service.secrets.redacted(await run.apply(plan))
    except reconciler.ExtcalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for outcome in result.outcomes:
        print(outcome.status, outcome.action.address, outcome.error or "")
    return exit_code(result)


def exit_code(result: reconciler.Result) -> int:
    """0, 1 or 3. What was skipped only since it comes after an owner's consent is no failure."""
    good = {reconciler.OutcomeStatus.DONE, reconciler.OutcomeStatus.AWAITING_CONSENT}
    failed = [outcome for outcome in result.outcomes if outcome.status not in good and not outcome.held_up]
    if failed or result.unsettled or result.unchecked or result.interrupted:
        return 1
    return 3 if result.count(reconciler.OutcomeStatus.AWAITING_CONSENT) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main([Path(argument) for argument in sys.argv[1:]])))
