"""A site whose provider can do other things."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.sandbox.seed import harbor_dental
from tests.support.sandbox.clock import NOON

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox


def give_apple(sandbox: RunningSandbox, features: dict[str, str | bool]) -> None:
    """Start Harbor Dental anew, its provider Apple with these features."""
    world = harbor_dental(NOON)
    providers = tuple(
        replace(each, **features) if each.slug == "apple" else each  # type: ignore[arg-type] # features by name
        for each in world.sites[0].providers
    )
    sandbox.replace_world(replace(world, sites=(replace(world.sites[0], providers=providers),)))
