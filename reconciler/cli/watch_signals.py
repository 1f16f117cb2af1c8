"""Signals that a watch obeys."""

import asyncio
import signal

from reconciler.cli.console import Console
from reconciler.cli.signals import ENDING, Ending
from reconciler.execution.executor import Stop
from reconciler.watching.loop import Watch

_STOPPING = "stopping"
_FINISHING = "stopping: finishing what is being written; once more to give it up"
_GIVING_UP = "giving up what is being written; once more to end at once"
_ENDING = "ended at once: what became of what was being written is looked for before anything else is, next time"


def obey_signals(watching: Watch, stop: Stop, console: Console, ending: Ending) -> None:
    """The first signal stops gently, the second at once; a third cancels the task that asks. SIGHUP hurries."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()

    def stopping(number: int) -> None:
        ending.heard(number)
        if stop.at_once.is_set() and task is not None:
            task.cancel()
            console.note(_ENDING)
        elif stop.gently.is_set():
            stop.at_once.set()
            console.note(_GIVING_UP)
        else:
            stop.gently.set()
            console.note(_FINISHING if watching.writing else _STOPPING)

    for number in ENDING:
        loop.add_signal_handler(number, stopping, number)
    loop.add_signal_handler(signal.SIGHUP, watching.hurry)
