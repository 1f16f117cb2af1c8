"""Serves the External Calendars API on one machine, for development, demos and tests.

It listens on loopback only.

A tower of its own: it shares the HTTP contract with the rest of the package, and no code. Start it with
`reconciler.sandbox.server.running` or `serve`; those need the extra `extcal[sandbox]`, this module doesn't.
"""

from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.reset import reset

__all__ = ["SandboxError", "reset"]
