"""Requests as httpx makes them, that wait as long as a busy machine may need; a server that hangs ends them."""

from functools import partial

import httpx

from tests.support.patience import PATIENCE

get = partial(httpx.get, timeout=PATIENCE)
head = partial(httpx.head, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)
request = partial(httpx.request, timeout=PATIENCE)
