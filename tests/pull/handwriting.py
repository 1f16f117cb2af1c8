"""Manifests as a person may have written them by hand, for tests of pulling into them."""

from pathlib import Path

from tests.pull.live import LEE, SITE_ID

SITE = f"""\
# Our only site.
apiVersion: extcal/v1
kind: Site
metadata: {{name: harbor}}   # not harbor-dental
spec:
  siteId: {SITE_ID}
  auth: {{apiKey: {{env: EXTCAL_HARBOR_KEY}}}}
  scope: site
---
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {{name: busy-times-only}}
spec:
  syncConfig:
    listEventFromCalendars: {{enabled: true, primaryCalendar: {{}}}}
    syncToCalendar: {{enabled: false}}
"""

HEAD = f"""\
# Dr. Lee, since March
kind: Connection   # kind first
apiVersion: extcal/v1
metadata:
  name: lee
spec:
  account: LEE@harbor-dental.example
  provider: apple
  schedule: {{id: {LEE.upper()}}}
  lifecycle: {{preventDisconnect: true, ignoreChanges: [syncConfig.syncToCalendar]}}
  credentials: {{password: {{env: EXTCAL_LEE}}}}   # in the vault
"""


def written(folder: Path, *documents: str, to: str = "all.yaml") -> Path:
    """Write manifests into one file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / to
    path.write_bytes("---\n".join(documents).encode())
    return path


def connection_text(name: str, schedule: str, rest: str, provider: str = "apple") -> str:
    """A Connection whose account is the name's."""
    return f"""\
apiVersion: extcal/v1
kind: Connection
metadata: {{name: {name}}}
spec:
  site: harbor
  schedule: {{id: {schedule}}}
  provider: {provider}
  account: {name}@harbor-dental.example
{rest}"""
