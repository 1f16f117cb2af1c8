"""Keeps whose consent is awaited since when, and when they were asked by mail; never a link.

One JSON file for a site, replaced as a whole. Without it nothing is lost but when an owner was asked: they would be
asked again. So what can't be read is no reason to begin anew: who sends mail must hear of it.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.errors import ExtcalError
from reconciler.model.account import Account
from reconciler.model.consent_request import ConsentRequest
from reconciler.model.encoding import Json
from reconciler.safe_paths import opened

_FORMAT = 1
_LARGEST = 16 * 1024 * 1024
_MOST_TIMES = 100
_Key = tuple[str, Account | None]


class ConsentRequestsError(ExtcalError):
    """What owners were asked can't be read or written."""


class ConsentRequestFile:
    """What the owners of one site are asked, in the file `path`; `make` makes its folder.

    Requests are known by address and account. Only who holds the site's lock may change them; each change is on the
    disk when it returns, and raises ConsentRequestsError where it can't be.
    """

    def __init__(self, path: Path, make: Callable[[], None]) -> None:
        self._path = path
        self._make = make

    def read(self) -> tuple[ConsentRequest, ...]:
        """What is open, by address; raises ConsentRequestsError."""
        return tuple(request for _, request in sorted(self._read().items(), key=lambda item: item[0][0]))

    def find(self, address: str, account: Account | None) -> ConsentRequest | None:
        """What the owner of a connection was asked; raises ConsentRequestsError."""
        return self._read().get((address, account))

    def await_consent(self, address: str, account: Account | None, now: datetime, approved: str = "") -> None:
        """Note that a consent is awaited, if that is not known yet, and of what (`ConsentRequest.approved`)."""
        known = self._read()
        before = known.get((address, account))
        after = replace(before or ConsentRequest(address, account, now), approved=approved)
        if after != before:
            self._write({**known, (address, account): after})

    def asked(self, address: str, account: Account | None, now: datetime, message_id: str) -> None:
        """Note that a message is about to be sent: one that may have been sent counts as sent."""
        known = self._read()
        request = known.get((address, account)) or ConsentRequest(address, account, now)
        asked_at = (*request.asked_at, now)[-_MOST_TIMES:]
        changed = replace(request, asked_at=asked_at, thread=request.thread or message_id)
        self._write({**known, (address, account): changed})

    def not_asked(self, address: str, account: Account | None) -> None:
        """Note that the message that was about to be sent last was refused: nobody has got it."""
        known = self._read()
        if (request := known.get((address, account))) is None or not request.asked_at:
            return
        asked_at = request.asked_at[:-1]
        changed = replace(request, asked_at=asked_at, thread=request.thread if asked_at else None)
        self._write({**known, (address, account): changed})

    def keep_only(self, awaited: Callable[[ConsentRequest], bool]) -> None:
        """Forget the requests that nobody awaits any more."""
        known = self._read()
        kept = {key: request for key, request in known.items() if awaited(request)}
        if kept != known:
            self._write(kept)

    def _read(self) -> dict[_Key, ConsentRequest]:
        try:
            with os.fdopen(opened(self._path, os.O_RDONLY), "rb") as file:
                return {(each.address, each.account): each for each in _requests(json.loads(file.read(_LARGEST)))}
        except FileNotFoundError:
            return {}
        except OSError as error:
            why = error.strerror
        except (ValueError, RecursionError):
            why = "not what extcal has written"
        raise ConsentRequestsError(
            f"{self._path}: {why}, so it is not known who was asked; repair or delete the file. Without it every owner "
            "is asked anew"
        )

    def _write(self, requests: Mapping[_Key, ConsentRequest]) -> None:
        self._make()
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            if not requests:
                self._path.unlink(missing_ok=True)
                return
            with os.fdopen(opened(new, os.O_WRONLY | os.O_CREAT), "wb") as file:
                file.truncate(0)
                file.write(_text(requests).encode())
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise ConsentRequestsError(f"{self._path}: {error.strerror}, so nobody could know who was asked") from error


def _text(requests: Mapping[_Key, ConsentRequest]) -> str:
    fields: list[Json] = [
        {
            "address": request.address,
            "account": None if request.account is None else request.account.given,
            "awaited_since": _stamp(request.awaited_since),
            "asked_at": [_stamp(each) for each in request.asked_at],
            "thread": request.thread,
            "approved": request.approved,
        }
        for request in requests.values()
    ]
    return json.dumps({"format": _FORMAT, "requests": fields}, indent=1) + "\n"


def _requests(content: object) -> Iterator[ConsentRequest]:
    """The requests of a file; raises ValueError where it is none of ours."""
    match content:
        case {"format": format_, "requests": list() as requests} if format_ == _FORMAT:
            yield from map(_request, requests)
        case _:
            raise ValueError("not a file of requests")


def _request(fields: object) -> ConsentRequest:
    match fields:
        case {
            "address": str() as address,
            "account": str() | None as account,
            "awaited_since": str() as awaited_since,
            "asked_at": list() as asked_at,
            "thread": str() | None as thread,
            "approved": str() as approved,
        }:
            owner = None if account is None else Account(account)
            return ConsentRequest(address, owner, _time(awaited_since), tuple(map(_time, asked_at)), thread, approved)
    raise ValueError("not a request")


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _time(stamp: object) -> datetime:
    time = datetime.fromisoformat(str(stamp))
    if time.tzinfo is None:
        raise ValueError("a time without its zone")
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time before the first year, or after the last") from error
