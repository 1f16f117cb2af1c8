"""Which API a command talks to: the hosted one, an operator's endpoint, or the sandbox for one command."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from reconciler.api.endpoint import parse_endpoint
from reconciler.api.secrets import Secrets
from reconciler.cli.options import Globals
from reconciler.errors import ExtcalError
from reconciler.model.desired import ApiKeyAuth, SecretKind, SecretRef
from reconciler.workflow import Service

HOSTED = "https://www.wixapis.com"
_SANDBOX_KEY = "EXTCAL_SANDBOX_API_KEY"


@dataclass(frozen=True, slots=True)
class Target:
    """A service and, in the sandbox, the sites that it offers as (site id, name)."""

    service: Service
    sandbox_sites: tuple[tuple[str, str], ...] | None = None


@contextmanager
def target(said: Globals) -> Iterator[Target]:
    """The API that the global options mean, for the length of a command."""
    if said.verbose:
        _log_requests()
    folder = said.sandbox_folder()
    if folder is not None:
        with _sandbox(folder, said) as found:
            yield found
        return
    # An empty --endpoint is a variable that was never set, and must not lead to the hosted API unnoticed.
    where = os.environ.get("EXTCAL_ENDPOINT") or HOSTED if said.endpoint is None else said.endpoint
    yield Target(_service(parse_endpoint(where), dict(os.environ), said))


def _service(endpoint: str, environ: dict[str, str], said: Globals) -> Service:
    directory = environ.get("EXTCAL_SECRETS_DIR")
    secrets = Secrets(environ, Path(directory) if directory else None)
    console = said.console
    return Service(
        endpoint,
        secrets,
        proxy=_proxy(endpoint),
        on_wait=lambda seconds, why: console.note(f"waiting {seconds:.0f} s: {why}") if seconds >= 1 else None,
    )


def _proxy(endpoint: str) -> str | None:
    """The proxy that the environment names for the endpoint, with its exceptions honoured."""
    parts = urlsplit(endpoint)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


@contextmanager
def _sandbox(folder: Path, said: Globals) -> Iterator[Target]:
    from reconciler.sandbox.errors import SandboxError  # noqa: PLC0415 - only where it is started
    from reconciler.sandbox.server import running  # noqa: PLC0415 - as above

    try:
        with running(folder) as sandbox:
            environ = dict(os.environ) | {_SANDBOX_KEY: sandbox.api_key}
            sites = cast("list[dict[str, str]]", sandbox.ready()["sites"])
            named = tuple((site["site_id"], site["name"]) for site in sites)
            # The sandbox has a key of its own, whatever the manifests refer to.
            own_key = ApiKeyAuth(SecretRef(SecretKind.ENV, _SANDBOX_KEY))
            service = replace(_service(sandbox.endpoint, environ, said), auth=own_key)
            yield Target(service, named)
    except SandboxError as error:
        raise ExtcalError(f"sandbox: {error}") from error


def _log_requests() -> None:
    """Show httpx's line for each request; it holds no header and no body."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("httpx")
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]
