"""The connection to a Dask scheduler: what comes over it is data, and never code for this process.

Dask pickles: results, their types, errors, warnings, and whatever else a peer likes. Whoever reads a pickle runs what
its writer names, and the writers here are a scheduler and workers, which are not trusted with this process. So:

1. Results are asked for as msgpack alone, which holds text and numbers; a peer that sends a pickle is ignored.
2. What the client would unpickle by itself, the errors of tasks and the types of results, is dropped unread.
3. Beneath that, on whatever way a pickle arrives: while there is a connection, none can name a class or a function.
   Python asks its audit hooks before a pickle may have one, so this does not hang on how Dask is made.

Nor do peers write to this terminal: what they print, warn of or make Dask log is dropped.
"""

import functools
import logging
import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from distributed import Client
from distributed.versions import VersionMismatchWarning

from reconciler.errors import ExtcalError

CONNECT_SECONDS = 10
"""Seconds within which a scheduler must answer."""
_DATA = ["msgpack"]
_LOGGERS = ("distributed", "tornado")

# Those that there are now: an audit hook can't be taken away again.
_connections: list[object] = []


class PickleRefusedError(TypeError):
    """A pickle that came from a scheduler or a worker names a class or a function."""


class DataClient(Client):
    """A client that takes no objects from its peers; see the module."""

    def __init__(self, scheduler: str) -> None:
        Client.__init__(
            self,
            scheduler,
            asynchronous=True,
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            direct_to_workers=False,
            serializers=_DATA,
            deserializers=_DATA,
        )

    def _handle_key_in_memory(self, key: object = None, type: object = None, workers: object = None) -> None:  # noqa: A002 - the message's word
        del type  # a pickle
        super()._handle_key_in_memory(key, None, workers)  # type: ignore[no-untyped-call] # Dask's

    def _handle_task_erred(self, key: object = None, exception: object = None, traceback: object = None) -> None:
        del exception, traceback  # pickles
        super()._handle_task_erred(key, None, None)  # type: ignore[no-untyped-call] # as above

    def _handle_error(self, exception: object = None) -> None:
        del exception

    async def _handle_event(self, topic: object, event: object) -> None:
        """Workers may print and warn at the client, the latter by pickles."""

    async def _handle_report(self) -> None:
        """Whoever waits for a task is told when nothing more is heard of it, also since what came can't be read."""
        # Otherwise the error of one task could not be read, and what is reported of the others with it.
        if self.scheduler_comm is not None:
            self.scheduler_comm.comm.deserialize = False
        try:
            with suppress(Exception):
                await super()._handle_report()
        finally:
            for state in self.futures.values():
                state.cancel()


@asynccontextmanager
async def connected(scheduler: str) -> AsyncIterator[Client]:
    """A connection to the scheduler at an address; raises ExtcalError where there is none, or it has no workers."""
    with _data_alone(), _quiet():
        client = DataClient(scheduler)
        try:
            if not await _workers(client, scheduler):
                raise ExtcalError(f"--scheduler {scheduler}: it has no workers. Start some: dask worker {scheduler}")
            yield client
        finally:
            with suppress(Exception):
                await client.close()  # type: ignore[no-untyped-call] # as above


async def _workers(client: Client, scheduler: str) -> object:
    try:
        await client
        return await client.nthreads()
    except Exception as error:  # whatever is at that address may answer anything
        raise ExtcalError(f"--scheduler {scheduler}: no Dask scheduler answers: {error}") from error


@contextmanager
def _data_alone() -> Iterator[None]:
    """Let no pickle name a class or a function in this process for the length of the block."""
    _hooked()
    connection = object()
    _connections.append(connection)
    try:
        yield
    finally:
        _connections.remove(connection)


@functools.cache
def _hooked() -> None:
    def refuse(event: str, args: tuple[object, ...]) -> None:
        if event == "pickle.find_class" and _connections:
            raise PickleRefusedError(f"a pickle that names {args[0]}.{args[1]} was refused")

    sys.addaudithook(refuse)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let neither Dask's logs nor its warnings of other versions, which quote peers, reach anybody."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        # For good: connections are tidied up when nobody thinks of them any more.
        logger.handlers, logger.propagate = [logging.NullHandler()], False
    with warnings.catch_warnings():
        # Values of another version of extcal are refused in words.
        warnings.simplefilter("ignore", VersionMismatchWarning)
        yield
