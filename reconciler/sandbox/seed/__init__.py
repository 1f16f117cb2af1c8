"""Describes the world of a fresh data folder: a dental practice and a physio practice.

They are the two sites of `examples/config-repo`. Ids are the same each time, so that manifests can name them; events
lie around the day on which the folder is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.seed.dental_practice import APP_ID, SITE_ID, harbor_dental
from reconciler.sandbox.seed.physio_practice import LAKESIDE_ID, lakeside_physio
from reconciler.sandbox.world import World

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["APP_ID", "LAKESIDE_ID", "SITE_ID", "harbor_dental", "lakeside_physio", "seeded_world"]


def seeded_world(now: datetime) -> World:
    """Both practices, with events around `now` (aware)."""
    dental, physio = harbor_dental(now), lakeside_physio(now)
    return World(sites=(*dental.sites, *physio.sites), accounts=(*dental.accounts, *physio.accounts))
