"""Providers, schedules and calendars are asked for once in a session, whoever of its readers and writers asks."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from reconciler.api.client import Reader
from reconciler.errors import ApiError, PermissionDeniedError
from tests.api.conftest import OpenSession
from tests.support.builders.api import PASSWORD_REF, run
from tests.support.servers.scripted import Reply, Scripted

Ask = Callable[[Reader], Awaitable[object]]
CALENDARS = Reply({"calendars": [{"id": "work", "name": "Work"}]})
OTHERS = Reply({"calendars": [{"id": "home", "name": "Home"}]})
CONNECTION = {"id": "c1", "providerId": "p1", "scheduleId": "s1", "status": "CONNECTED"}
ONCE: list[Ask] = [
    lambda reader: reader.list_providers(),
    lambda reader: reader.query_schedules(["x", "y"], ["app"]),
    lambda reader: reader.list_calendars("c1"),
]


@pytest.mark.parametrize("ask", ONCE, ids=["providers", "schedules", "calendars"])
def test_those_who_ask_together_and_later_share_a_request(server: Scripted, opened: OpenSession, ask: Ask) -> None:
    """One request serves all that ask while it is under way, and all that ask afterwards."""
    server.otherwise = lambda: Reply({"calendars": [], "providers": [], "schedules": []})

    async def story() -> None:
        async with opened() as session:
            await asyncio.gather(*(ask(session.reader()) for _ in range(20)))
            await ask(session.reader())

    run(story())
    assert len(server.asked) == 1


def test_other_questions_are_other_requests(server: Scripted, opened: OpenSession) -> None:
    """Calendars are remembered by connection, schedules by what they were asked by, in any order."""
    server.otherwise = lambda: Reply({"calendars": [], "schedules": []})

    async def story() -> None:
        async with opened() as session:
            reader = session.reader()
            await reader.list_calendars("c1")
            await reader.list_calendars("c2")
            await reader.query_schedules(["x", "y"])
            await reader.query_schedules(["y", "x"])
            await reader.query_schedules(["x"])
            await reader.query_schedules()
            await reader.query_schedules((), ["app"])

    run(story())
    assert len(server.asked) == 6


def test_another_session_asks_for_itself(server: Scripted, opened: OpenSession) -> None:
    """What is remembered goes with the run: the next round of a watch has a session of its own."""
    server.otherwise = lambda: Reply({"providers": []})

    async def story() -> None:
        for _ in range(2):
            async with opened() as session:
                await session.reader().list_providers()

    run(story())
    assert len(server.asked) == 2


def test_an_error_is_shared_and_not_remembered(server: Scripted, opened: OpenSession) -> None:
    """Those who wait for a request get its error; who asks afterwards asks again."""
    over = threading.Event()
    server.script(Reply(status=403, held=over), Reply({"providers": []}))

    async def story() -> None:
        async with opened() as session:
            together = [asyncio.create_task(session.reader().list_providers()) for _ in range(5)]
            await asyncio.to_thread(server.wait_until_asked, 1)
            over.set()
            answers = await asyncio.gather(*together, return_exceptions=True)
            assert all(isinstance(each, PermissionDeniedError) for each in answers)
            assert await session.reader().list_providers() == ()

    run(story())
    assert len(server.asked) == 2


def test_whoever_gives_up_waiting_takes_nothing_from_the_others(server: Scripted, opened: OpenSession) -> None:
    """The first to ask may be interrupted, and the others get the answer; with the last one the request ends."""
    over, never = threading.Event(), threading.Event()
    server.script(Reply({"providers": []}, held=over), Reply({"schedules": []}, held=never))
    server.otherwise = lambda: Reply({"schedules": []})

    async def story() -> None:
        async with opened() as session:
            first, second = (asyncio.create_task(session.reader().list_providers()) for _ in range(2))
            await asyncio.to_thread(server.wait_until_asked, 1)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            over.set()
            assert await second == ()
            alone = asyncio.create_task(session.reader().query_schedules())
            await asyncio.to_thread(server.wait_until_asked, 2)
            alone.cancel()
            await asyncio.gather(alone, return_exceptions=True)
            assert alone.cancelled()
            assert await session.reader().query_schedules() == ()

    try:
        run(story())
    finally:
        never.set()
    assert len(server.asked) == 3


def test_an_answer_from_before_a_moment_is_asked_for_again(server: Scripted, opened: OpenSession) -> None:
    """One that came since the moment will do: whoever asked first in it need not ask again."""
    server.otherwise = lambda: Reply({"providers": []})

    async def story() -> None:
        async with opened() as session:
            reader = session.reader()
            began = reader.moment
            await reader.list_providers()
            await reader.list_providers(began)
            assert len(server.asked) == 1
            began = reader.moment
            await reader.list_providers()
            await reader.list_providers(began)
            await reader.list_providers(began)

    run(story())
    assert len(server.asked) == 2


def test_a_writer_lists_calendars_anew_and_its_readers_know_them(server: Scripted, opened: OpenSession) -> None:
    """What is sent rests on what the account has now."""
    server.script(CALENDARS, OTHERS)

    async def story() -> None:
        async with opened() as session:
            reader, writer = session.reader(), session.writer()
            assert reader.listed_calendars("c1") is None
            assert [each.id for each in await reader.list_calendars("c1")] == ["work"]
            assert [each.id for each in await writer.list_calendars("c1")] == ["home"]
            assert [each.id for each in await reader.list_calendars("c1")] == ["home"]
            known = reader.listed_calendars("c1")
            assert known is not None
            assert [each.id for each in known.value] == ["home"]

    run(story())


@pytest.mark.parametrize("fails", [False, True])
def test_disconnecting_forgets_the_calendars(server: Scripted, opened: OpenSession, *, fails: bool) -> None:
    """Also where nobody knows whether it was disconnected."""
    server.script(CALENDARS, Reply({"connection": CONNECTION}, status=500 if fails else 200), OTHERS)

    async def story() -> None:
        async with opened() as session:
            reader = session.reader()
            await reader.list_calendars("c1")
            try:
                await session.writer().disconnect("c1")
            except ApiError:
                assert fails
            assert reader.listed_calendars("c1") is None
            assert [each.id for each in await reader.list_calendars("c1")] == ["home"]

    run(story())


def test_connecting_forgets_the_calendars_even_those_on_their_way(server: Scripted, opened: OpenSession) -> None:
    """A connection that is made may have the id of one that was there: what was asked of that one is not of it."""
    over = threading.Event()
    server.script(CALENDARS, Reply({"connection": CONNECTION}), Reply(CALENDARS.body, held=over))
    server.script(Reply({"connection": CONNECTION}), OTHERS)

    async def story() -> None:
        async with opened() as session:
            reader, writer = session.reader(), session.writer()
            await reader.list_calendars("c1")
            await writer.connect_by_credentials("p1", "s1", "lee@harbor.example", PASSWORD_REF)
            asked = asyncio.create_task(reader.list_calendars("c1"))
            await asyncio.to_thread(server.wait_until_asked, 3)
            await writer.connect_by_credentials("p1", "s1", "lee@harbor.example", PASSWORD_REF)
            over.set()
            assert [each.id for each in await asked] == ["work"]
            assert reader.listed_calendars("c1") is None
            assert [each.id for each in await reader.list_calendars("c1")] == ["home"]

    run(story())
