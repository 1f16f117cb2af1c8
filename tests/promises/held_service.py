"""A service that holds one request of a run back, so that it stays where it is for as long as a test needs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.servers.proxy import stand_in
from tests.support.timeouts import TIMEOUT


class Held:
    """The service at `url`, in which the first request of a kind is held back; all others pass."""

    def __init__(self, holds: Callable[[str, str], bool]) -> None:
        self.url = ""
        self._holds = holds
        self._lock = threading.Lock()
        self._reached = threading.Event()
        self._released = threading.Event()

    def wait(self) -> None:
        """Wait until one is held."""
        assert self._reached.wait(TIMEOUT)

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    def passing(self, method: str, path: str) -> tuple[str, str]:
        """What the service does with a request."""
        with self._lock:
            mine = not self._reached.is_set() and self._holds(method, path)
            if mine:
                self._reached.set()
        if mine:
            self._released.wait(TIMEOUT)
        return method, path


@contextmanager
def holding(endpoint: str, holds: Callable[[str, str], bool] = lambda _method, _path: True) -> Iterator[Held]:
    """A service before the one at `endpoint`; `holds` says of a method and path whether it is to be held back."""
    held = Held(holds)
    with stand_in(endpoint, held.passing) as held.url:
        try:
            yield held
        finally:
            held.release()
