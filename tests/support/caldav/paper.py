"""A CalDAV server of paper: one account with one calendar, whose abilities a test takes away at will."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.sax.saxutils import escape

from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.caldav.scripted import Asked

NAMESPACES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'
HOME = "/home/lee/"
CALENDAR = "/home/lee/work/"
IS_CALENDAR = "<resourcetype><collection/><C:calendar/></resourcetype>"
EMAIL = "lee@harbor-dental.example"
PASSWORD = "correct-horse"
_KINDS = {"root", "principal", "home", "marks", "listing", "multiget", "whole", "span", "span-etags"}


def multistatus(*responses: str, token: str | None = None) -> str:
    """A whole answer."""
    end = "" if token is None else f"<sync-token>{escape(token)}</sync-token>"
    return f"<multistatus {NAMESPACES}>{''.join(responses)}{end}</multistatus>"


def found(href: str, *properties: str) -> str:
    """What is said of a resource that is there."""
    prop = f"<prop>{''.join(properties)}</prop>"
    return f"<response><href>{href}</href><propstat>{prop}<status>HTTP/1.1 200 OK</status></propstat></response>"


def whole_status(href: str, code: int) -> str:
    """What is said of a resource without any properties."""
    return f"<response><href>{href}</href><status>HTTP/1.1 {code} So</status></response>"


def event(uid: str, summary: str = "Root canal") -> str:
    """An object with one event."""
    return (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//harbor//EN\nBEGIN:VEVENT\n"
        f"UID:{uid}\nDTSTAMP:20260101T000000Z\nDTSTART:20260302T100000Z\nDTEND:20260302T110000Z\nSUMMARY:{summary}\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )


@dataclass(slots=True)
class Paper:
    """The server. `calls` are the kinds of questions it was asked, oldest first; `replies` go before its own answers.

    `tokens`, `ctags` and `etags` say what it knows of changes, `oldest` the oldest revision it still tells changes
    since, `page` how many changes it tells at once.
    """

    objects: dict[str, str] = field(default_factory=dict)
    tokens: bool = True
    ctags: bool = True
    etags: bool = True
    oldest: int = 0
    page: int = 1000
    replies: dict[str, Reply] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    revision: int = 0
    _changed: dict[str, int] = field(default_factory=dict)

    def put(self, name: str, content: str) -> None:
        """Write an object, or take it away where `content` is empty."""
        self.revision += 1
        self._changed.pop(name, None)
        self._changed[name] = self.revision
        self.objects[name] = content
        if not content:
            del self.objects[name]

    def __call__(self, asked: Asked) -> Reply:
        """Answer a request; strangers are asked for a password, and not counted."""
        if "authorization" not in asked.headers:
            return Reply(401, "", {"WWW-Authenticate": 'Basic realm="paper"'})
        kind = self._kind(asked)
        self.calls.append(kind)
        if kind in self.replies:
            return self.replies[kind]
        if kind == "sync":
            return self._changes(int(re.findall(r"token>t(\d+)<", asked.body.decode())[0]))
        if kind == "GET" and (content := self.objects.get(unquote(asked.path).removeprefix(CALENDAR))):
            return Reply(200, content, {"Content-Type": "text/calendar; charset=utf-8", "ETag": _etag(content)})
        if kind in _KINDS:
            return Reply(body=multistatus(*self._answers(kind, asked.body.decode())))
        return Reply(404, "", {})

    def _answers(self, kind: str, body: str) -> Iterable[str]:
        match kind:
            case "root":
                yield found("/", _nested("current-user-principal", "/me/"))
            case "principal":
                yield found("/me/", _nested("C:calendar-home-set", HOME))
            case "home":
                yield found(HOME)
                yield found(CALENDAR, IS_CALENDAR, "<displayname>Work</displayname>")
            case "marks":
                yield found(CALENDAR, IS_CALENDAR, *self._marks())
            case "listing":
                yield found(CALENDAR)
                yield from self._tell(self.objects, contents=False)
            case "multiget":
                hrefs = re.findall(r"href>([^<]+)<", body)
                yield from self._tell(unquote(href[len(CALENDAR) :]) for href in hrefs)
            case "whole" | "span" | "span-etags":
                yield from self._tell(self.objects, contents=kind != "span-etags")

    @staticmethod
    def _kind(asked: Asked) -> str:
        if asked.method == "REPORT" and asked.path == CALENDAR:
            if b"sync-collection" in asked.body:
                return "sync"
            if b"calendar-multiget" in asked.body:
                return "multiget"
            if b"time-range" not in asked.body:
                return "whole"
            return "span" if b"calendar-data" in asked.body else "span-etags"
        if asked.method == "PROPFIND":
            at_calendar = "listing" if asked.headers["depth"] == "1" else "marks"
            places = {"/": "root", "/me/": "principal", HOME: "home", CALENDAR: at_calendar}
            return places.get(asked.path, "elsewhere")
        return asked.method

    def _marks(self) -> Iterable[str]:
        if self.tokens:
            yield f"<sync-token>t{self.revision}</sync-token>"
        if self.ctags:
            yield f"<S:getctag>c{self.revision}</S:getctag>"

    def _changes(self, since: int) -> Reply:
        if since < self.oldest:
            return Reply(403, f"<error {NAMESPACES}><valid-sync-token/></error>")
        later = {name: revision for name, revision in self._changed.items() if revision > since}
        told = list(later)[: self.page]
        responses = list(self._tell((name for name in told if name in self.objects), contents=False))
        responses += [whole_status(CALENDAR + name, 404) for name in told if name not in self.objects]
        if len(told) < len(later):
            responses.append(whole_status(CALENDAR, 507))
        token = later[told[-1]] if told else self.revision
        return Reply(body=multistatus(*responses, token=f"t{token}"))

    def _tell(self, names: Iterable[str], *, contents: bool = True) -> Iterable[str]:
        for name in names:
            if (content := self.objects.get(name)) is None:
                yield whole_status(CALENDAR + name, 404)
                continue
            properties = [f"<getetag>{_etag(content)}</getetag>"] if self.etags else []
            if contents:
                properties.append(f"<C:calendar-data>{escape(content)}</C:calendar-data>")
            yield found(CALENDAR + name, *properties)


def _etag(content: str) -> str:
    return f'"{hashlib.sha256(content.encode()).hexdigest()}"'


def _nested(name: str, href: str) -> str:
    return f"<{name}><href>{href}</href></{name}>"
