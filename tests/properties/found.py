"""Scenarios that soaks found, kept as explicit examples of the properties that they broke."""

from reconciler.sandbox.behaviour import Behaviour, CalendarNames
from reconciler.sandbox.contract import CalendarType, ConnectMethod
from reconciler.sandbox.sync_config import Import, SyncConfig
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, Site, World
from tests.support.scenarios.statements import IMPORTS, Statement, document, password_variable, site_name
from tests.support.scenarios.strategies import Governed, Scenario
from tests.support.scenarios.worlds import address, guid, password_of

_LEE = Account(
    "apple",
    address("lee"),
    password_of("apple", address("lee")),
    (Calendar("lee-0", "Work"), Calendar("lee-1", "Family")),
)
_APPLE = Provider(guid(3, 0), "apple", "Apple", CalendarType.I_CAL, connect_methods=(ConnectMethod.CREDENTIALS,))
_SCHEDULE = Schedule(guid(2, 0), "Dr. Lee")
_SITE = Site(
    guid(1, 0),
    "Site 0",
    (_SCHEDULE,),
    (_APPLE,),
    (
        ExistingConnection(
            _APPLE.id, _SCHEDULE.id, _LEE.email, sync_config=SyncConfig(Import(enabled=True, primary=True)), id="c1"
        ),
    ),
    instance_id=guid(4, 0),
)
_IGNORED = (f"syncConfig.{IMPORTS}.enabled",)
_SAYS_OFF = document(
    "Connection",
    "connection-0",
    {
        "site": site_name(_SITE),
        "schedule": {"id": _SCHEDULE.id},
        "provider": "apple",
        "account": _LEE.email,
        "credentials": {"password": {"env": password_variable(_LEE)}},
        "lifecycle": {"ignoreChanges": list(_IGNORED)},
        "syncConfig": {IMPORTS: {"enabled": False, "calendars": ["Family"]}},
    },
)

IGNORED_AND_ON = Scenario(
    World((_SITE,), (_LEE,)),
    (Governed(_SITE, whole_site=False, prune=False, percentage=25, by_app=False),),
    (
        Statement(
            "connection-0",
            _SITE,
            _SCHEDULE,
            _APPLE,
            _LEE,
            present=True,
            prevent_disconnect=False,
            ignored=_IGNORED,
            documents=(_SAYS_OFF,),
        ),
    ),
    behaviour=Behaviour(calendar_names=CalendarNames.HIDDEN),
)
"""An import that its manifest says is off and whose switch it ignores, on at the service, calendars given by name."""
