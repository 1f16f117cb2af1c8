"""What must hold of the manifest loader for any bytes whatever."""

import re
import time
from pathlib import Path

from reconciler.errors import ManifestError
from reconciler.manifests import load

_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
_LONGEST_FAULT = 1000
_LONGEST_SECONDS = 60.0  # of work, so that it ends a hang and says nothing of the machine


class Judge:
    """Loads bytes as a manifest; `folder` is where they are put meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "m.yaml"

    def judge(self, content: bytes) -> bool:
        """Whether the bytes are manifests; AssertionError where they are refused in any way but a clear one."""
        self._file.write_bytes(content)
        began = time.process_time()
        refusal = self._refusal()
        assert time.process_time() - began < _LONGEST_SECONDS, "it took too long"
        if refusal is None:
            return True
        assert refusal.faults, "refused without a fault"
        for text in map(str, refusal.faults):
            assert not _HARMFUL.search(text), f"a fault that disturbs a terminal: {text!r}"
            assert len(text) < _LONGEST_FAULT + len(str(self._file)), f"a fault without end: {text[:200]!r}"
        return False

    def _refusal(self) -> ManifestError | None:
        try:
            load([self._file])
        except ManifestError as error:
            return error
        return None
