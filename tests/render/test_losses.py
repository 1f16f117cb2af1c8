"""What is said to be lost by a disconnect: events only where the connection exports, or may."""

from dataclasses import replace

import pytest

from reconciler.model.action import Action
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.plan_text import plan_text
from tests.render.values import DISCONNECT, REPLACE, SITE

_DELETES = "deletes the site's events from "
_EXPORTING = Direction(enabled=True, arm=Arm.DEDICATED)
_OFF = Direction(enabled=False)


def shown(action: Action) -> str:
    """The reports that a person may read of it."""
    made = Plan((SitePlan(SITE, (action,)),))
    return plan_text(made) + plan_markdown(made)


@pytest.mark.parametrize("action", [DISCONNECT, REPLACE], ids=["disconnect", "replace"])
@pytest.mark.parametrize(
    ("live", "deletes"),
    [
        (SyncConfig(exports=_EXPORTING), True),
        (SyncConfig(imports=_OFF, exports=_OFF), False),
        (SyncConfig(exports=Direction(arm=Arm.DEDICATED)), True),
        (SyncConfig(imports=_OFF), True),
        (None, True),
    ],
    ids=["exporting", "off", "without enabled", "left out", "unknown"],
)
def test_events_are_said_to_go_where_they_may(action: Action, live: SyncConfig | None, *, deletes: bool) -> None:
    """Only a connection whose live export is off is said to export nothing; what is not known may export."""
    text = shown(replace(action, live_sync=live))
    assert text.count(_DELETES) == (2 if deletes else 0)
    assert text.count("exports nothing to ") == (0 if deletes else 2)
