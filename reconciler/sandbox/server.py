"""Runs the sandbox, in the background of a program or in the foreground."""

from __future__ import annotations

import math
import signal
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.sandbox.backend import Settings, assemble
from reconciler.sandbox.calendars.folder.account_folders import remove_accounts
from reconciler.sandbox.contents import first_instance, set_provider_down, summary
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.faults.injector import Injector
from reconciler.sandbox.request_log import RequestLog
from reconciler.sandbox.store import explained
from reconciler.sandbox.world_loader import load_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

    import uvicorn

    from reconciler.sandbox.backend import Backend
    from reconciler.sandbox.behaviour.model import Behaviour
    from reconciler.sandbox.contents import Keys
    from reconciler.sandbox.faults import Faults
    from reconciler.sandbox.world import World

HOST = "127.0.0.1"
_START_SECONDS = 15.0
_ANSWER_SECONDS = 3.0
"""How long an operation may take beyond what its calendars may, until its answer is out."""

_STOP_SECONDS = 2.0
"""How long the server may take to stop once all is answered."""

_POLL_SECONDS = 0.005
_MAX_HEAD = 128 * 1024


class RunningSandbox:
    """A sandbox that serves.

    `endpoint` is its base URL, `api_key` opens its sites, `requests` lists what it answered.
    """

    def __init__(
        self, backend: Backend, keys: Keys, server: uvicorn.Server, log: RequestLog, injector: Injector
    ) -> None:
        self.endpoint = backend.endpoint
        self.api_key = keys.api_key
        self.requests = log
        self._backend = backend
        self._keys = keys
        self._server = server
        self._injector = injector
        self._thread: threading.Thread | None = None

    def ready(self) -> dict[str, object]:
        """The ready line: endpoint, key, app, and the sites with schedules and accounts.

        The key opens every site that has none of its own; the app signs in to each by that site's `instance_id`.

        `faults` is the number of entries that are injected, `behaviour` what of it is not as it is by default.
        """
        with explained(self._backend.store.path), self._backend.store.transaction(write=False) as database:
            return {
                "endpoint": self.endpoint,
                "api_key": self.api_key,
                "app": {
                    "app_id": self._keys.app_id,
                    "app_secret": self._keys.app_secret,
                    "instance_id": first_instance(database),
                },
                "faults": self._injector.entries,
                "behaviour": self._backend.switch.behaviour.differences(),
                "sites": summary(database, self._backend.calendars),
            }

    def replace_world(self, world: World) -> None:
        """Put `world` in the place of all sites, accounts and connections.

        The keys stay. Forgets no logged request.
        """
        backend = self._backend
        with explained(backend.store.path), backend.store.transaction(write=True) as database:
            remove_accounts(backend.calendars.folder)
            load_world(database, world, backend.calendars.folder, api_key=self.api_key, now=backend.settings.clock())
        self._injector.forget()

    def inject(self, faults: Faults | None) -> None:
        """Let `faults` go wrong from the next request on, in the place of what did.

        Their counts begin anew.

        None lets all go well. What requests under way got, late effects among it, they keep.
        """
        self._injector.inject(faults)

    def behave(self, behaviour: Behaviour) -> None:
        """Play another reading of what is unknown about the hosted API, from the next request on."""
        self._backend.switch.set(behaviour)

    def set_provider_down(self, provider_id: str, *, down: bool) -> None:
        """Let a provider be out of reach, or back; raises `SandboxError` where no site has it."""
        with explained(self._backend.store.path), self._backend.store.transaction(write=True) as database:
            set_provider_down(database, provider_id, down=down)

    def stop(self) -> None:
        """Answer what was asked, then stop serving and close the data. A second call does nothing.

        What was delayed by a fault isn't any longer; an effect that was to come late comes now.
        """
        self._injector.stop()
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(self._backend.settings.operation_seconds + _ANSWER_SECONDS + _STOP_SECONDS)
            self._thread = None
            self._backend.close()

    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, listener: socket.socket) -> None:
        """Serve on `listener`, which it closes at the end; returns when requests are answered."""
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="extcal-sandbox", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise SandboxError("the sandbox's server didn't start. See its log.")
            time.sleep(_POLL_SECONDS)


@contextmanager
def running(
    data: Path,
    *,
    port: int = 0,
    world: World | None = None,
    api_key: str | None = None,
    settings: Settings | None = None,
    faults: Faults | None = None,
    config: Path | None = None,
    behaviour: Behaviour | None = None,
) -> Iterator[RunningSandbox]:
    """A sandbox on 127.0.0.1 for the length of the block, in a thread of its own.

    Port 0 takes a free one.

    A fresh folder `data` is filled with `world`, or the seeded one; `api_key` is its key, or one is made.
    Several may run on one folder at once. `faults` go wrong until others are injected. `config` is the file that
    assigns providers to CalDAV servers. It behaves as `behaviour` has it until told otherwise. Raises `SandboxError`
    where the extra isn't installed, the port is taken or the folder can't be used.
    """
    listener = _listen(port)
    try:
        sandbox = _assemble(data, listener, world, api_key, settings or Settings(), faults, config, behaviour)
    except BaseException:
        listener.close()
        raise
    try:
        sandbox.start(listener)
        yield sandbox
    finally:
        sandbox.stop()
        listener.close()


def serve(
    data: Path,
    *,
    port: int,
    ready: Callable[[RunningSandbox], None],
    faults: Faults | None = None,
    config: Path | None = None,
    behaviour: Behaviour | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM, then stop in good order.

    Only from the main thread.

    `ready` is called once requests are answered. `faults`, `config` and `behaviour` are as for `running`. Raises
    `SandboxError`.
    """
    asked_to_stop = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        asked_to_stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with running(data, port=port, faults=faults, config=config, behaviour=behaviour) as sandbox:
            ready(sandbox)
            while sandbox.alive() and not asked_to_stop.wait(1.0):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off for what it accepts: 40 ms less an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise SandboxError(f"can't listen on {HOST}:{port} ({reason}). Choose another port.") from error
    return listener


def _assemble(
    data: Path,
    listener: socket.socket,
    world: World | None,
    api_key: str | None,
    settings: Settings,
    faults: Faults | None,
    config: Path | None,
    behaviour: Behaviour | None,
) -> RunningSandbox:
    try:
        import uvicorn  # noqa: PLC0415 -- an extra: reading or resetting a data folder must work without it

        from reconciler.sandbox.app import build_app  # noqa: PLC0415 -- needs starlette, of the same extra
        from reconciler.sandbox.faults.wire import WiredProtocol  # noqa: PLC0415 -- needs uvicorn
    except ImportError as error:
        raise SandboxError(f"the sandbox needs {error.name}. Install it: pip install 'extcal[sandbox]'") from error
    endpoint = f"http://{HOST}:{listener.getsockname()[1]}"
    backend, keys = assemble(
        data, settings, endpoint=endpoint, world=world, api_key=api_key, config=config, behaviour=behaviour
    )
    try:
        log, injector = RequestLog(), Injector(faults)
        serving = uvicorn.Config(
            build_app(backend, log, injector),
            log_config=None,
            access_log=False,
            lifespan="off",
            loop="asyncio",
            http=WiredProtocol,
            ws="none",
            server_header=False,
            h11_max_incomplete_event_size=_MAX_HEAD,
            # What was asked before is answered; what the calendars are asked for it has an end.
            timeout_graceful_shutdown=math.ceil(settings.operation_seconds + _ANSWER_SECONDS),
        )
        return RunningSandbox(backend, keys, uvicorn.Server(serving), log, injector)
    except BaseException:
        backend.close()
        raise
