"""Fleets of small sites, live and as manifests."""

import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reconciler.sandbox.world import Schedule, Site, World
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import EXPORTING, connected, email, harbor, site, world

SHARDS = 4


def site_id(number: int) -> str:
    """The id of a site."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://site-{number}.example"))


def schedule_id(number: int, place: int) -> str:
    """The id of a schedule of a site."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://site-{number}.example/{place}"))


def account(number: int, place: int) -> str:
    """The account of a schedule's owner: nobody works at two sites."""
    return email(2 * number + place)


def name(number: int) -> str:
    """What manifests call a site."""
    return f"site-{number:02d}"


def fleet(count: int) -> Iterator[Site]:
    """Live sites with two schedules each; an account is connected on the first."""
    for number in range(count):
        live = replace(
            connected(0), schedule_id=schedule_id(number, 0), account=account(number, 0), id=f"live-{number}"
        )
        schedules = tuple(Schedule(schedule_id(number, place), f"Staff {place}") for place in range(2))
        yield replace(harbor(), id=site_id(number), name=name(number), schedules=schedules, connections=(live,))


def six() -> World:
    """The world of a fleet of six."""
    return world(*fleet(6), accounts=12)


def manifests(count: int) -> Iterator[str]:
    """Their manifests, which ask for one update and one connect of each."""
    for number in range(count):
        yield site(name(number), id_=site_id(number))
        yield connection(number, 0, more=EXPORTING)
        yield connection(number, 1)


def connection(number: int, place: int, *, schedule: str | None = None, more: str = "") -> str:
    """The manifest of an account's connection on a schedule of a site; `schedule` is how it is named, by id unless."""
    text = f"""
    apiVersion: extcal/v1
    kind: Connection
    metadata: {{name: staff-{place}}}
    spec:
      site: {name(number)}
      schedule: {schedule or f"{{id: {schedule_id(number, place)}}}"}
      provider: apple
      account: {account(number, place)}
      credentials: {{password: {{env: EXTCAL_APP_PASSWORD}}}}
    """
    lines = textwrap.dedent(text).strip().splitlines()
    return "---\n" + "\n".join([*lines, *(f"  {line}" for line in more.splitlines())]) + "\n"


def planned_in_shards(command: Extcal, count: int = SHARDS) -> list[str]:
    """Plan every shard into a file of its own; their names."""
    files = [f"plan-{number}.json" for number in range(1, count + 1)]
    for number, file in enumerate(files, start=1):
        ran = command("plan", "manifests", "--shard", f"{number}/{count}", "--out", file)
        assert ran.code == 0, ran.err
    return files


def printed_in_shards(command: Extcal, *args: str, count: int = SHARDS) -> list[str]:
    """Run a command for every shard and keep what it prints as JSON; the names of the files."""
    files = [f"{args[0]}-{number}.json" for number in range(1, count + 1)]
    for number, file in enumerate(files, start=1):
        ran = command(*args, "--shard", f"{number}/{count}", "--format", "json")
        Path(command.folder / file).write_text(ran.out, encoding="utf-8")
    return files
