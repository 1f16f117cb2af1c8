"""Manifests for tests: a small valid world, and documents made of values."""

import json
from collections.abc import Mapping

SITE_ID = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
SCHEDULE_ID = "3e47ec65-2975-447c-a7ed-75041e850d5e"

SITE = f"""\
apiVersion: extcal/v1
kind: Site
metadata: {{name: harbor-dental}}
spec:
  siteId: {SITE_ID}
  auth: {{apiKey: {{env: EXTCAL_API_KEY}}}}
"""

POLICY = """\
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {name: busy-times-only}
spec:
  syncConfig:
    listEventFromCalendars: {enabled: true, primaryCalendar: {}}
    syncToCalendar: {enabled: false}
"""

CONNECTION = f"""\
apiVersion: extcal/v1
kind: Connection
metadata: {{name: dr-lee-apple}}
spec:
  schedule: {{id: {SCHEDULE_ID}}}
  provider: apple
  account: lee@harbor-dental.example
"""


def documents(*texts: str) -> str:
    """One text of several documents."""
    return "---\n".join(texts)


def manifest(kind: str, name: str, spec: Mapping[str, object]) -> str:
    """A document of values; JSON is YAML."""
    document = {"apiVersion": "extcal/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return json.dumps(document, ensure_ascii=False) + "\n"


def connection(name: str, **spec: object) -> str:
    """A Connection on a schedule of its own, unless `spec` says otherwise."""
    whole = {"schedule": {"name": name}, "provider": "apple", "account": "lee@harbor-dental.example"} | spec
    return manifest("Connection", name, {key: value for key, value in whole.items() if value is not None})


def fleet(count: int) -> str:
    """A site and as many connections as are asked for, one document each, in the shape that people write."""
    return documents(SITE, POLICY, *(_fleet_connection(number) for number in range(count)))


def _fleet_connection(number: int) -> str:
    return f"""\
apiVersion: extcal/v1
kind: Connection
metadata: {{name: staff-{number}}}
spec:
  site: harbor-dental
  schedule: {{name: Staff {number}}}
  provider: apple
  account: staff{number}@harbor-dental.example
  credentials: {{password: {{env: EXTCAL_PASSWORD_{number}}}}}
  syncPolicy: busy-times-only
  syncConfig:
    listEventFromCalendars: {{calendars: [Work, {{id: a68yu6}}]}}
"""
