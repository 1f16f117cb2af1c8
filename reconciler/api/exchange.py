"""Sends calls and reads answers: rate limit, credentials, retries and errors in one place."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

import httpx

from reconciler.api.call import Call, Response
from reconciler.api.credentials import Credentials
from reconciler.api.failures import BAD_CREDENTIALS, Explainer
from reconciler.api.fields import ShapeError, WireObject
from reconciler.api.rate_limit import Traffic
from reconciler.api.response_limits import PAGES, CodingError, Cost, Spending, read_body
from reconciler.api.retry import Backoff, RetryBudget, retry_after
from reconciler.errors import (
    ApiError,
    MalformedAnswerError,
    OutageError,
    RateLimitedError,
    ServiceError,
    TransportError,
    UnauthenticatedError,
    UsageError,
)

T = TypeVar("T")

_OK = 200
_LESS = "ask for fewer sites or connections at once, or try again later"
_DOWN = "not sent: the service has failed repeatedly in this run; try again later"
_LARGEST_EXPLANATION = 64 * 1024
# Of an answer that does not grow with the site.
_LARGEST_FIXED = 1024 * 1024
_MOST_FIXED = 50_000
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class ExchangeLimits:
    """How long and how much an exchange bears.

    `total` is in seconds, for a request and its answer, `largest` in bytes of it, `most` in values of its JSON.
    """

    backoff: Backoff = field(default_factory=Backoff)
    total: float = 120.0
    largest: int = 32 * 1024 * 1024
    most: int = 1_000_000


class Exchange:
    """Sends the calls of one site through one client.

    A read is tried again where that may help. A write is sent once, except where the answer says that it was not
    carried out: 429, or 401 for a token that has ended. `spending` is what the run of the site may cost; `sent` counts
    what was sent, tries included, by method.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        endpoint: str,
        *,
        traffic: Traffic,
        credentials: Credentials,
        explainer: Explainer,
        limits: ExchangeLimits,
        budget: RetryBudget,
        spending: Spending,
        chance: Callable[[], float],
        sent: Counter[str],
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._traffic = traffic
        self._credentials = credentials
        self._explainer = explainer
        self._limits = limits
        self._budget = budget
        self._spending = spending
        self._chance = chance
        self._sent = sent

    def pages(self) -> Spending:
        """What all pages of one list may cost."""
        return Spending(PAGES, "for all its pages", self._spending)

    async def call(self, call: Call, read: Callable[[WireObject], T], spending: Spending | None = None) -> T:
        """The answer to `call`, read by `read`.

        Raises ApiError, SecretError, StaleError, MutationRefusedError or UsageError.

        It is part of `spending`, as a page is of its list, or of the run alone.
        """
        tried, spent, renewed = 0, 0.0, False
        self._budget.call()
        spending = spending or self._spending
        spending.call()
        while True:
            self._unless_down(call)
            headers = await self._credentials.headers()
            async with self._traffic.slot(followers=call.followers, fresh=call.fresh):
                # Others have tried while this one waited for its turn.
                self._unless_down(call)
                started = self._traffic.clock.monotonic()
                self._sent[call.method] += 1
                outcome = await self._send(call, headers, spending)
                took = self._traffic.clock.monotonic() - started
                spending.spend(Cost(seconds=took))
                spent += took
            if isinstance(outcome, Response) and outcome.status == _OK:
                self._budget.tried(well=True)
                self._explainer.note_success(call.method)
                return self._read(call, outcome, read, spending)
            failure, asked = self._judge(call, outcome)
            self._budget.tried(well=not isinstance(failure, (ServiceError, TransportError)))
            if not renewed and _refused(failure) and self._credentials.renew(headers):
                renewed = True
                continue
            tried += 1
            pause = self._pause(call, failure, tried=tried, spent=spent, asked=asked)
            # An outage may ask for patience, too; only a limit of the rate promises that there is an end to it.
            limited = isinstance(failure, RateLimitedError) and asked is not None
            if pause is None or not (limited or self._budget.spend()):
                raise failure
            spent += 0.0 if asked is not None else pause
            await self._traffic.rest(pause, _why(call, failure), everyone=asked is not None)

    def _unless_down(self, call: Call) -> None:
        if self._budget.stopped:
            raise OutageError(_DOWN, method=call.method)

    def _pause(self, call: Call, failure: ApiError, *, tried: int, spent: float, asked: float | None) -> float | None:
        again = RateLimitedError if call.writes else (RateLimitedError, ServiceError, TransportError)
        if not isinstance(failure, again):
            return None
        return self._limits.backoff.pause(tried=tried, spent=spent, asked=asked, chance=self._chance())

    def _judge(self, call: Call, outcome: Response | ApiError) -> tuple[ApiError, float | None]:
        if isinstance(outcome, ApiError):
            return outcome, None
        asked = retry_after(outcome.headers, self._traffic.clock.now())
        return self._explainer.failure(call, outcome, asked), asked

    async def _send(self, call: Call, headers: Mapping[str, str], spending: Spending) -> Response | ApiError:
        """One try. Errors are made from httpx's and returned, so that none is chained to a request and its headers."""
        seconds, limit = spending.left("seconds", self._limits.total)
        if seconds <= 0:
            return OutageError(f"not sent: answers have taken more than {limit}; {_LESS}", method=call.method)
        request = self._build(call, headers)
        self._traffic.requests += 1
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.send(request, stream=True)
                try:
                    self._traffic.note(response.headers)
                    return await self._receive(call, response, spending)
                finally:
                    await response.aclose()
        except CodingError as error:
            return MalformedAnswerError(self._explainer.shown(str(error), 200), method=call.method)
        except TimeoutError:
            why = f"no complete answer within {seconds:g} s"
            return TransportError(why, method=call.method, sent=True, cause="the answer took too long")
        except httpx.RequestError as error:
            return self._broken(call, error)

    def _build(self, call: Call, headers: Mapping[str, str]) -> httpx.Request:
        content = {} if call.body is None else {"Content-Type": "application/json"}
        try:
            return self._client.build_request(
                call.verb,
                self._endpoint + call.path,
                params=list(call.params) or None,
                content=call.body,
                headers={**headers, **self._traffic.headers(), **content},
            )
        except (httpx.InvalidURL, UnicodeEncodeError):
            pass
        raise UsageError(f"{call.method}: the values given are too long for a request, or are not text; check them")

    async def _receive(self, call: Call, response: httpx.Response, spending: Spending) -> Response:
        fine = response.status_code == _OK
        most, limit = spending.left("bytes", self._largest(call) if fine else _LARGEST_EXPLANATION)
        try:
            body = await read_body(response, max(0, int(most)))
        except (httpx.RequestError, CodingError):
            # The status alone tells what an answer that is no success means.
            if fine:
                raise
            body = None
        spending.spend(Cost(most if body is None else len(body)))
        return Response(response.status_code, response.headers, body or b"", None if body is not None else limit)

    def _largest(self, call: Call) -> int:
        return self._limits.largest if call.grows else min(_LARGEST_FIXED, self._limits.largest)

    def _most(self, call: Call) -> int:
        return self._limits.most if call.grows else min(_MOST_FIXED, self._limits.most)

    def _broken(self, call: Call, error: httpx.RequestError) -> TransportError:
        sent = not isinstance(error, _NOT_SENT)
        timed_out = isinstance(error, httpx.TimeoutException)
        what = "timed out" if timed_out else "failed"
        why = self._explainer.shown(str(error), 200) or type(error).__name__
        if sent:
            cause = "the answer took too long" if timed_out else "the connection was lost"
            message = f"the connection to {self._endpoint} {what}: {why}"
        elif _is_refused(error):
            cause = "the connection was refused"
            message = f"{self._endpoint} refused the connection; check the endpoint, and that the service runs"
        else:
            cause = f"connecting {what}"
            message = f"connecting to {self._endpoint} {what}: {why}; check the endpoint and the network"
        return TransportError(message, method=call.method, sent=sent, cause=cause)

    def _read(self, call: Call, answer: Response, read: Callable[[WireObject], T], spending: Spending) -> T:
        try:
            spending.spend(Cost(values=_values(answer, *spending.left("values", self._most(call)))))
            return read(WireObject(_parse(answer.body)))
        except ShapeError as error:
            why = self._explainer.shown(str(error))
        raise MalformedAnswerError(
            f"unexpected answer: {why}",
            method=call.method,
            request_id=self._explainer.request_id(answer),
        )


def _values(answer: Response, most: float, limit: str) -> int:
    """How many values its JSON has at the most: what it takes in memory depends on that, and not on its bytes."""
    count = sum(map(answer.body.count, (b",", b"[", b"{")))
    exceeded = limit if count > most else answer.limit
    if exceeded is not None:
        raise ShapeError("", f"at most {exceeded}", "more")
    return count


def _parse(body: bytes) -> object:
    try:
        parsed: object = json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise ShapeError("", "JSON nested a few levels", "hundreds") from None
    except ValueError:
        raise ShapeError("", "JSON", "something else" if body else "nothing") from None
    return parsed


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _refused(failure: ApiError) -> bool:
    return isinstance(failure, UnauthenticatedError) and failure.code != BAD_CREDENTIALS


def _is_refused(error: BaseException | None) -> bool:
    """Whether nothing listens at the other end, as the system said below all the libraries."""
    while error is not None:
        if isinstance(error, BaseExceptionGroup):
            # A name may have several addresses.
            return all(map(_is_refused, error.exceptions))
        if isinstance(error, ConnectionRefusedError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _why(call: Call, failure: ApiError) -> str:
    if isinstance(failure, RateLimitedError):
        return f"{call.method}: the service limits the rate"
    cause = failure.cause if isinstance(failure, TransportError) else "the service failed"
    return f"{call.method}: {cause}; trying again"
