"""A CalDAV server that keeps what it is given, and refuses whatever a test wants it to."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.sax.saxutils import escape

from tests.support.caldav.paper import HOME, IS_CALENDAR, found, multistatus
from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.caldav.scripted import Asked

_ROOMS = {"/": ("current-user-principal", "/me/"), "/me/": ("C:calendar-home-set", HOME)}


@dataclass(slots=True)
class Drawer:
    """One account. `calendars` are its calendars by path, each with its objects by name; `names` what they are called.

    `unlisted` are paths of calendars that its listing lacks though they are there.
    `refusals` go before all else: the status for requests of a method whose path or body holds a text. `down` is the
    status of every answer while it is set.
    """

    calendars: dict[str, dict[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    refusals: dict[tuple[str, str], int] = field(default_factory=dict)
    down: int | None = None
    unlisted: set[str] = field(default_factory=set)

    def calendar(self, name: str) -> dict[str, str]:
        """The objects of the calendar with this name."""
        return self.calendars[next(path for path, each in self.names.items() if each == name)]

    def make(self, name: str, **objects: str) -> str:
        """Make a calendar; answers its path, which is its id."""
        path = f"{HOME}{name.lower()}/"
        self.calendars[path], self.names[path] = dict(objects), name
        return path

    def remove(self, path: str) -> None:
        """Delete a calendar."""
        del self.calendars[path], self.names[path]

    def __call__(self, asked: Asked) -> Reply:
        """Answer a request."""
        if self.down is not None:
            return Reply(self.down, "", {})
        for (method, text), status in self.refusals.items():
            if asked.method == method and text in asked.path + asked.body.decode():
                return Reply(status, "", {})
        path = unquote(asked.path)
        if asked.method in {"PROPFIND", "REPORT"}:
            told = list(self._told(path, asked))
            return Reply(body=multistatus(*told)) if told else Reply(404, "", {})
        if asked.method == "MKCALENDAR":
            self.calendars[path] = {}
            self.names[path] = re.findall(r"displayname>([^<]*)<", asked.body.decode())[0]
            return Reply(201, "", {})
        if path in self.calendars and asked.method == "DELETE":
            self.remove(path)
            return Reply(204, "", {})
        return self._object(path, asked)

    def _object(self, path: str, asked: Asked) -> Reply:
        folder, _, name = path.rpartition("/")
        objects = self.calendars.get(f"{folder}/", {})
        standing = objects.get(name)
        etag = None if standing is None else _etag(standing)
        if f"{folder}/" not in self.calendars or (standing is None and asked.method != "PUT"):
            return Reply(404, "", {})
        if asked.method == "GET":
            return Reply(200, standing or "", {"Content-Type": "text/calendar", "ETag": etag or ""})
        if asked.headers.get("if-match") != etag:
            return Reply(412, "", {})
        if asked.method == "DELETE":
            del objects[name]
        else:
            objects[name] = asked.body.decode()
        return Reply(204, "", {})

    def _told(self, path: str, asked: Asked) -> Iterator[str]:
        if path in _ROOMS:
            name, href = _ROOMS[path]
            yield found(path, f"<{name}><href>{href}</href></{name}>")
        elif path == HOME:
            yield found(HOME)
            for each, name in self.names.items():
                if each in self.unlisted:
                    continue
                yield found(each, IS_CALENDAR, f"<displayname>{escape(name)}</displayname>")
        elif path in self.calendars:
            yield found(path, IS_CALENDAR)
            if asked.headers["depth"] == "1":
                for name, content in self.calendars[path].items():
                    data = f"<C:calendar-data>{escape(content)}</C:calendar-data>"
                    yield found(path + name, f"<getetag>{_etag(content)}</getetag>", data)


def _etag(content: str) -> str:
    return f'"{hashlib.sha256(content.encode()).hexdigest()}"'
