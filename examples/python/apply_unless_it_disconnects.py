"""Apply manifests, unless anything would be disconnected: a nightly job that leaves what hurts to a person.

    EXTCAL_API_KEY=… python apply_unless_it_disconnects.py PATH…

EXTCAL_ENDPOINT names another endpoint than the hosted API (a sandbox, say). Ends with 1 where a person is needed.
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
            result = await run.apply(plan)
    except reconciler.ExtcalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for outcome in result.outcomes:
        print(outcome.status, outcome.action.address, outcome.error or "")
    failed = [outcome for outcome in result.outcomes if outcome.status is reconciler.OutcomeStatus.FAILED]
    return 1 if failed or result.unsettled else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main([Path(argument) for argument in sys.argv[1:]])))
