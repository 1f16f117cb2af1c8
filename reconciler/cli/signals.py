"""Signals that ask a command to end: which one came, and the exit code that tells so."""

import signal

INTERRUPTED = 128 + signal.SIGINT
"""130, Ctrl-C; also the answer no to a question (contract: Exit codes)."""
TERMINATED = 128 + signal.SIGTERM
"""143, as whoever sends SIGTERM expects it of a process that this signal ends."""
ENDING = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """What asked a command to end: the first of the signals that came."""

    def __init__(self) -> None:
        self._first: int | None = None

    def heard(self, number: int) -> None:
        """Take note of a signal; one that comes after another changes nothing."""
        if self._first is None:
            self._first = number

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ended because of it; that of Ctrl-C where no signal came."""
        return INTERRUPTED if self._first is None else 128 + self._first
