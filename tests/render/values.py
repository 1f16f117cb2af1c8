"""Plans and results with fixed ids, for tests of rendering."""

from dataclasses import replace

from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind, Change, Chosen, Reason, Recovery
from reconciler.model.desired import ApiKeyAuth, Scope, SecretKind, SecretRef, Site
from reconciler.model.key import ConnectionKey
from reconciler.model.live import ConnectMethod
from reconciler.model.plan import Plan, SitePlan, Violation
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.source import Fault, Source
from reconciler.model.sync import CalendarRef
from tests.support.actions import altered

SITE = Site(
    name="harbor-dental",
    site_id="7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b",
    auth=ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY")),
    scope=Scope.SITE,
    prune=True,
    max_disconnects=25,
    redirect_url=None,
    source=Source("site.yaml", 1, 1),
)
QUAY = replace(SITE, name="quay-optics", site_id="2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")

_NOOP = Action(
    kind=ActionKind.NOOP,
    address="harbor-dental/kim",
    site=SITE.name,
    site_id=SITE.site_id,
    key=ConnectionKey("09562353-67fd-474c-9aa7-0881abec1d3a", "apple", Account("kim@harbor-dental.example")),
    provider_id="p-apple",
    connection_id="c-kim",
    reason=Reason.IN_SYNC,
    recovery=Recovery.AUTOMATIC,
)
_LEE = altered(_NOOP, schedule_id="3e47ec65-2975-447c-a7ed-75041e850d5e", schedule_name="Dr. Lee")

CONNECT = altered(
    _LEE,
    kind=ActionKind.CONNECT,
    address="harbor-dental/lee-apple",
    account="lee@harbor-dental.example",
    connection_id=None,
    reason=Reason.NOT_CONNECTED,
    method=ConnectMethod.CREDENTIALS,
    password=SecretRef(SecretKind.ENV, "EXTCAL_LEE_APP_PASSWORD"),
    changes=(
        Change(
            "syncConfig.listEventFromCalendars.calendars",
            None,
            (CalendarRef(name="Work"), CalendarRef("a68yu6", "Personal"), CalendarRef("c02")),
        ),
        Change("syncConfig.listEventFromCalendars.enabled", None, after=True),
    ),
    depends_on=("harbor-dental/old",),
)
ASK = altered(
    CONNECT,
    address="harbor-dental/lee-google",
    provider="google",
    method=ConnectMethod.OAUTH,
    password=None,
    changes=(),
    depends_on=(),
)
UPDATE = altered(
    _LEE,
    kind=ActionKind.UPDATE,
    address="harbor-dental/lee-work",
    account="lee@work.example",
    connection_id="c-lee",
    reason=Reason.CONFIG_DRIFT,
    changes=(
        Change("syncConfig.syncToCalendar.dedicatedCalendar", None, Chosen.CHOSEN),
        Change("syncConfig.syncToCalendar.enabled", before=False, after=True),
        Change("syncConfig.syncToCalendar.primaryCalendar", Chosen.CHOSEN, None),
    ),
)
RECONNECT = altered(
    _NOOP,
    kind=ActionKind.RECONNECT,
    address="harbor-dental/kim-google",
    provider="google",
    reason=Reason.TOKEN_REVOKED,
    method=ConnectMethod.OAUTH,
    changes=(Change("status", "ERROR", "CONNECTED"),),
)
DISCONNECT = altered(
    _NOOP,
    kind=ActionKind.DISCONNECT,
    address="harbor-dental/old",
    account="old@harbor-dental.example",
    reason=Reason.TOMBSTONE,
    recovery=Recovery.PASSWORD,
    changes=(Change("syncConfig.syncToCalendar.enabled", before=True, after=None),),
)
REPLACE = altered(
    CONNECT,
    kind=ActionKind.REPLACE,
    address="harbor-dental/robin",
    account="robin@harbor-dental.example",
    connection_id="c-robin",
    reason=Reason.PROVIDER_CHANGED,
    recovery=Recovery.CONSENT,
    superseded=ConnectionKey(_LEE.schedule_id, "google", Account("robin@gmail.example")),
    changes=(
        Change("provider", "google", "apple"),
        Change("account", "robin@gmail.example", "robin@harbor-dental.example"),
        Change("syncConfig.syncToCalendar.enabled", None, after=False),
    ),
    depends_on=(),
)
UNMANAGED = altered(
    _NOOP,
    kind=ActionKind.UNMANAGED,
    address=f"harbor-dental/id:{'x' * 200}-end",
    account=None,
    connection_id=f"{'x' * 200}-end",
    reason=Reason.NOT_DECLARED,
)

EVERYTHING = Plan((SitePlan(SITE, (DISCONNECT, UNMANAGED, _NOOP, RECONNECT, CONNECT, ASK, UPDATE, REPLACE)),))
IN_SYNC = Plan((SitePlan(SITE, (_NOOP, UNMANAGED)),))
EMPTY = Plan()
TROUBLED = Plan(
    (
        SitePlan(
            SITE,
            (DISCONNECT,),
            violations=(Violation("max-disconnects", SITE.name, "1 of 2 connections would be disconnected"),),
        ),
        SitePlan(QUAY, faults=(Fault(Source("quay.yaml", 3, 5), "quay-optics/eve", "the site has no provider x"),)),
        SitePlan(
            replace(QUAY, name="wharf"),
            unread=(Fault(Source("wharf.yaml", 1, 1), "wharf/ann", "its provider could not be read"),),
        ),
    )
)

ENDED = Result(
    EVERYTHING,
    (
        Outcome(DISCONNECT, OutcomeStatus.DONE, connection_id="c-kim"),
        Outcome(RECONNECT, OutcomeStatus.AWAITING_CONSENT, consent_url="https://provider.example/consent/1"),
        Outcome(CONNECT, OutcomeStatus.FAILED, error="ConnectByCredentials: HTTP 401 BAD_CREDENTIALS: no"),
        Outcome(ASK, OutcomeStatus.AWAITING_CONSENT, consent_url="https://provider.example/consent/2"),
        Outcome(UPDATE, OutcomeStatus.UNKNOWN, error="UpdateSyncConfig: no complete answer within 120 s"),
        Outcome(REPLACE, OutcomeStatus.SKIPPED, error="harbor-dental/lee-apple, which must go first, is failed"),
    ),
)
