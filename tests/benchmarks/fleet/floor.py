"""The raw floor: the same files, the same bytes, compared field by field; no validation, no places, no plan.

    python -m tests.benchmarks.fleet.floor FOLDER [ENDPOINT]

Reads the manifests with PyYAML's loader in C, fetches what the service lists with httpx, as many sites at once as
extcal, and counts what differs. Without an ENDPOINT it only reads.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

_BASE = "/bookings/v2/external-calendars"
_SITES_AT_ONCE = 16
_TYPES = {"google": "GOOGLE", "microsoft": "MICROSOFT", "apple": "I_CAL"}

Document = dict[str, Any]


def read(folder: Path) -> list[Document]:
    """Every document of every file."""
    documents: list[Document] = []
    for path in sorted(folder.rglob("*.yaml")):
        with path.open("rb") as stream:
            documents += yaml.load_all(stream, yaml.CSafeLoader)
    return documents


async def differing(documents: list[Document], endpoint: str) -> int:
    """How many connections are not as the documents say."""
    import httpx  # noqa: PLC0415 -- reading alone needs none

    policies = {d["metadata"]["name"]: d["spec"]["syncConfig"] for d in documents if d["kind"] == "SyncPolicy"}
    by_site: defaultdict[str, list[Document]] = defaultdict(list)
    for document in documents:
        if document["kind"] == "Connection":
            by_site[document["spec"]["site"]].append(document["spec"])
    slots = asyncio.Semaphore(_SITES_AT_ONCE)

    async with httpx.AsyncClient(base_url=endpoint, trust_env=False) as client:

        async def one(site: Document) -> int:
            key = os.environ[site["spec"]["auth"]["apiKey"]["env"]]
            headers = {"Authorization": key, "wix-site-id": site["spec"]["siteId"]}
            async with slots:
                providers, connections = await asyncio.gather(
                    client.get(f"{_BASE}/providers", headers=headers),
                    client.get(f"{_BASE}/connections", headers=headers, params={"partialFailure": "true"}),
                )
            offered = {p["calendarType"]: p["id"] for p in providers.raise_for_status().json()["providers"]}
            live = {
                (c["scheduleId"], c["providerId"], c["externalAccountEmail"]): c["syncConfig"]
                for c in connections.raise_for_status().json()["connections"]
            }
            return sum(
                not same(spec.get("syncConfig") or policies[spec["syncPolicy"]], live.get(key_of(spec, offered)))
                for spec in by_site[site["metadata"]["name"]]
            )

        return sum(await asyncio.gather(*(one(document) for document in documents if document["kind"] == "Site")))


def key_of(spec: Document, offered: dict[str, str]) -> tuple[str, str, str]:
    """By what a connection is found among the live ones."""
    return spec["schedule"]["id"], offered[_TYPES[spec["provider"]]], spec["account"]


def same(wanted: Document, live: Document | None) -> bool:
    """Whether a live sync config is as wanted."""
    if live is None or wanted["syncToCalendar"] != live["syncToCalendar"]:
        return False
    imports, have = wanted["listEventFromCalendars"], live["listEventFromCalendars"]
    if "calendars" not in imports:
        return bool(imports == have)
    names = [calendar["name"] for calendar in have["calendars"]["calendars"]]
    return bool(imports["enabled"] == have["enabled"] and imports["calendars"] == names)


if __name__ == "__main__":
    found = read(Path(sys.argv[1]))
    print(asyncio.run(differing(found, sys.argv[2])) if len(sys.argv) > 2 else len(found))  # noqa: T201 -- what it is for
