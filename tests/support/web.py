"""Requests as httpx makes them, that wait as long as a busy machine may need; a server that hangs ends them."""

from functools import partial

import httpx

from tests.support.timeouts import TIMEOUT

get = partial(httpx.get, timeout=TIMEOUT)
head = partial(httpx.head, timeout=TIMEOUT)
post = partial(httpx.post, timeout=TIMEOUT)
request = partial(httpx.request, timeout=TIMEOUT)
