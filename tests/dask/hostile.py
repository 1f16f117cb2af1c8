"""A scheduler and workers that mean ill: loaded by each of them, they do what the file `attack` beside them names.

Each attack sends a pickle that runs code in whoever reads it. The code leaves a file that is named after the process
that ran it, so that what the cluster does to itself is not taken for what it does to the command.
"""

import copyreg
import functools
import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from distributed import Scheduler, Worker, get_worker
from distributed.protocol.serialize import Serialized, ToPickle, serialize

from reconciler.cli.dask import worker


def mark(folder: str, process: int) -> Path:
    """The file that code leaves in a process that runs it."""
    return Path(folder) / f"ran-in-{process}"


class BombError(Exception):
    """Runs code where it is unpickled; can be returned, raised, and sent."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (_code(),)


class _Meta(type):
    """Makes types that run code where they are unpickled."""


class Loaded(str, metaclass=_Meta):
    """A text that is what it says; its type runs code."""

    __slots__ = ()


def _reduced(_: _Meta) -> tuple[Callable[..., Any], tuple[str]]:
    return exec, (_code(),)


copyreg.pickle(_Meta, _reduced)


def _code() -> str:
    return f"import os, pathlib; pathlib.Path({str(Path.cwd())!r}, f'ran-in-{{os.getpid()}}').touch()"


def _attack() -> str:
    return Path("attack").read_text(encoding="utf-8")


def dask_setup(server: Scheduler | Worker) -> None:
    """Turn a scheduler or a worker."""
    if isinstance(server, Scheduler):
        for name in ("identity", "ncores", "gather"):
            server.handlers[name] = _sending(name, server.handlers[name])
        server.stream_handlers["subscribe-topic"] = functools.partial(_subscribed, server)
    else:
        vars(worker).update(plan=functools.partial(_plan, worker.plan), apply=functools.partial(_apply, worker.apply))


def _sending(name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    async def answer(**message: object) -> object:
        if _attack() != name:
            answered = handler(**message)
            return await answered if inspect.isawaitable(answered) else answered
        if name == "gather":
            # Already a pickle, whatever the client has asked for.
            result = Serialized(*serialize(BombError(), serializers=["pickle"]))
            return {"status": "OK", "data": dict.fromkeys(cast("list[str]", message["keys"]), result)}
        return {"workers": ToPickle(BombError())}

    return answer


def _subscribed(scheduler: Scheduler, client: str, **_: object) -> None:
    """Send to a client, which has just come, what nobody asked for."""
    if _attack() == "stream":
        scheduler.client_comms[client].send({"op": "event", "topic": "print", "event": ToPickle(BombError())})


def _plan(honest: Callable[[str], str], errand: str) -> object:
    return _ANSWERS.get(_attack(), str)(honest(errand))


def _apply(honest: Callable[[str], str], errand: str) -> object:
    """As for a plan, where the attack's name begins with `apply: `."""
    return _ANSWERS.get(_attack().partition("apply: ")[2], str)(honest(errand))


def _raised(_: str) -> object:
    raise BombError


def _printed(answer: str) -> object:
    get_worker().log_event("print", {"args": ("\x1b[2Jerror: all is lost",)})
    return answer


def _warned(answer: str) -> object:
    bomb = pickle.dumps(BombError())
    get_worker().log_event("warn", {"message": bomb, "category": bomb})
    return answer


_ANSWERS: dict[str, Callable[[str], object]] = {
    "result": lambda _: BombError(),
    "error": _raised,
    "type": Loaded,
    "print": _printed,
    "warning": _warned,
    "garbage": lambda _: "\x1b[2J{",
    "number": lambda _: 10**15,
    "nothing": lambda _: "{}",
    "another version": lambda answer: answer.replace("{", '{"more":1,', 1),
    "another site": lambda answer: answer.replace('"site":"harbor"', '"site":"quay"'),
    "circle": lambda answer: answer.replace('"actions":[{', '"actions":[{"depends_on":["harbor/staff-0"],', 1),
}
