"""The methods that need a premium plan say so on a site without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.refusal import application_error

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call


def require_premium(call: Call) -> None:
    """A refusal (403) where the site has no premium plan."""
    if not call.site.premium:
        raise application_error(403, "PREMIUM_FEATURE_NOT_ENABLED", "The site's plan has no external calendars")
