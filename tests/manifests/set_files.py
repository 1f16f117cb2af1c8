"""A set with its site, its policy and its roster as files, and files that are loaded."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.manifests import load
from reconciler.model.desired import Desired
from tests.support.builders.manifests import POLICY, SITE, documents

SET = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: dentists}
spec:
  template:
    site: harbor-dental
    provider: google
    syncPolicy: busy-times-only
    lifecycle: {preventDisconnect: true}
"""
ENTRIES = """\
  connections:
    - {name: dr-lee, schedule: {name: Dr. Lee}, account: lee@harbor-dental.example}
    - name: kim
      schedule: {name: Hygienist Kim}
      account: kim@harbor-dental.example
      provider: apple
      credentials: {password: {env: EXTCAL_KIM}}
      lifecycle: {preventDisconnect: false}
"""
ROSTER = "  roster: staff.csv\n"
CSV = "name,account,schedule_name,phone\nmo,mo@harbor-dental.example,Mo,12\n"


def write(folder: Path, spec: str, csv: str | bytes | None = None, around: str = SET) -> None:
    """A set in `m.yaml`, its site and policy beside it, and its roster."""
    (folder / "m.yaml").write_text(around + spec)
    (folder / "beside.yaml").write_text(documents(SITE, POLICY))
    if csv is not None:
        (folder / "staff.csv").write_bytes(csv.encode() if isinstance(csv, str) else csv)


def load_files(contents: Mapping[str, bytes]) -> Desired:
    """Load a folder of files; hypothesis runs many times in one test, so that tmp_path would fill up."""
    with tempfile.TemporaryDirectory() as name:
        for file, content in contents.items():
            (Path(name) / file).write_bytes(content)
        return load([Path(name)])
