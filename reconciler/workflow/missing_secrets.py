"""Which actions of a plan lack a secret, found before the first write, and before an owner is asked for anything.

Each secret is resolved again just before the one call that needs it; here is only seen whether that can be.
"""

from reconciler.api.session import SiteSession
from reconciler.errors import ExtcalError, SecretError
from reconciler.execution.steps import come_about
from reconciler.model.desired import SecretRef
from reconciler.model.live import ConnectMethod
from reconciler.model.plan import Action, Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.workflow.service import Sessions, in_turn


async def without_secrets(made: Plan, opened: Sessions) -> tuple[Outcome, ...]:
    """The outcomes of the actions whose password, or whose site's key, can't be resolved: failed, nothing sent.

    What a saved plan would bring about and is there already takes no password.
    """
    reasons = _Reasons()
    lacking = [
        (action, why)
        for site in made.sites
        if site.applyable
        for action in site.actions
        if action.kind.writes and (why := reasons.of(action, opened[action.site])) is not None
    ]
    used = {site.site.name for site in made.sites if site.plan_id}

    async def failed(action: Action, why: str) -> Outcome | None:
        if action.site in used and await _is_there(action, opened[action.site]):
            return None
        return Outcome(action, OutcomeStatus.FAILED, error=why)

    outcomes = await in_turn(lambda each: failed(*each), lacking, opened.at_once)
    return tuple(outcome for outcome in outcomes if outcome is not None)


class _Reasons:
    """Why secrets can't be resolved; each is looked up once, since many connections may share one."""

    def __init__(self) -> None:
        self._known: dict[SecretRef, str | None] = {}

    def of(self, action: Action, session: SiteSession) -> str | None:
        """Why an action can't be carried out for want of a secret; None where it has what it takes."""
        # A disconnect holds the reference too, for the way back, and does not need it.
        password = action.password if action.method is ConnectMethod.CREDENTIALS else None
        for ref in (session.key, password):
            if ref is not None and (why := self._why(ref, session)) is not None:
                return why
        return None

    def _why(self, ref: SecretRef, session: SiteSession) -> str | None:
        if ref not in self._known:
            try:
                session.check_secret(ref)
            except SecretError as error:
                self._known[ref] = str(error)
            else:
                self._known[ref] = None
        return self._known[ref]


async def _is_there(action: Action, session: SiteSession) -> bool:
    reader = session.reader()
    try:
        return await come_about(action, (await reader.list_connections((action.schedule_id,))).connections, reader)
    except ExtcalError:
        return False
