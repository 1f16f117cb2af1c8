"""Chooses the API that a command talks to: hosted, an operator's endpoint, or the sandbox."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from reconciler.api.endpoint import parse_endpoint
from reconciler.api.secrets import Secrets
from reconciler.cli.options import GlobalOptions
from reconciler.cli.progress import Reading
from reconciler.cli.redaction import keep_secret, redact, redact_diagnostics, show_requests
from reconciler.cli.sandbox_data import check_ours
from reconciler.errors import ExtcalError, UsageError
from reconciler.machine import Machine
from reconciler.model.desired import ApiKeyAuth, SecretKind, SecretRef
from reconciler.workflow import Service, reach, run_origin

HOSTED = "https://www.wixapis.com"
_SANDBOX_STATE = "state"
_SANDBOX_KEY = "EXTCAL_SANDBOX_API_KEY"


@dataclass(frozen=True, slots=True)
class Target:
    """A service and, in the sandbox, the sites that it offers as (site id, name)."""

    service: Service
    sandbox_sites: tuple[tuple[str, str], ...] | None = None


@contextmanager
def target(options: GlobalOptions) -> Iterator[Target]:
    """The API that the global options mean, for the length of a command."""
    folder = options.sandbox_folder()
    if folder is not None:
        with _sandbox(folder, options) as found:
            yield found
        return
    if options.sandbox_config is not None:
        raise UsageError("--sandbox-config is for the sandbox. Add --sandbox.")
    # An empty --endpoint is a variable that was never set, and must not lead to the hosted API unnoticed.
    where = os.environ.get("EXTCAL_ENDPOINT") or HOSTED if options.endpoint is None else options.endpoint
    private = os.environ.get("EXTCAL_PRIVATE_ENDPOINT", "").lower() in {"1", "true", "yes"}
    yield Target(_service(where, dict(os.environ), options, private=private))


def _state_folder() -> Path:
    """Where the runs on this machine meet, for this user (XDG Base Directory Specification: state)."""
    folder = os.environ.get("EXTCAL_STATE_DIR")
    if folder:
        return Path(folder)
    state = os.environ.get("XDG_STATE_HOME", "")
    # A relative path is invalid there, and to be ignored.
    if Path(state).is_absolute():
        return Path(state) / "extcal"
    try:
        return Path.home() / ".local" / "state" / "extcal"
    except RuntimeError:
        # A user without a home: who needs the folder is told how to name one.
        return Path("/nonexistent/extcal")


def _service(where: str, environ: dict[str, str], options: GlobalOptions, *, private: bool) -> Service:
    endpoint, directory = parse_endpoint(where), environ.get("EXTCAL_SECRETS_DIR")
    console, proxy = options.console, _proxy(endpoint)
    service = reach(
        endpoint,
        environ=environ,
        state_folder=_state_folder(),
        secrets_folder=Path(directory) if directory else None,
        private=private,
        proxy=proxy,
    )
    _remember_proxy(proxy, service.secrets)
    keep_secret(service.secrets)
    redact_diagnostics()
    if options.verbose:
        show_requests()
    reading = Reading(console)
    return replace(
        service,
        on_read=reading.read,
        on_lookups=reading.foresee,
        on_wait=lambda seconds, why: console.note(f"waiting {seconds:.0f} s: {why}") if seconds >= 1 else None,
    )


def _proxy(endpoint: str) -> str | None:
    """The proxy that the environment names for the endpoint, with its exceptions honoured."""
    parts = urlsplit(endpoint)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _remember_proxy(proxy: str | None, secrets: Secrets) -> None:
    """Keep the proxy's password out of what the proxy makes us say.

    One that is too short to be masked is not ours to refuse: it is masked where it stands behind the user's name,
    which is how it is sent.
    """
    user_and_password = (proxy or "").rpartition("@")[0].rpartition("//")[2]
    _, _, password = user_and_password.partition(":")
    for secret in (user_and_password, password) if password else ():
        secrets.remember(secret)
        secrets.remember(unquote(secret))


@contextmanager
def _sandbox(folder: Path, options: GlobalOptions) -> Iterator[Target]:
    from reconciler.sandbox.errors import SandboxError  # noqa: PLC0415 - only where it is started
    from reconciler.sandbox.server import running  # noqa: PLC0415 - as above

    check_ours(folder)
    try:
        with running(folder, config=options.sandbox_config_file()) as sandbox:
            environ = dict(os.environ) | {_SANDBOX_KEY: sandbox.api_key}
            sites = cast("list[dict[str, str]]", sandbox.ready()["sites"])
            named = tuple((site["site_id"], site["name"]) for site in sites)
            # The sandbox has a key of its own, whatever the manifests refer to.
            own_key = ApiKeyAuth(SecretRef(SecretKind.ENV, _SANDBOX_KEY))
            # Its port is another one every time: the runs on it meet in its own folder.
            machine = Machine(folder / _SANDBOX_STATE, "sandbox", redact, run_origin(os.environ))
            service = _service(sandbox.endpoint, environ, options, private=False)
            yield Target(replace(service, machine=machine, auth=own_key), named)
    except SandboxError as error:
        raise ExtcalError(f"sandbox: {error}") from error
