"""What the tests of manifests share: a folder of their own, in which file names are short."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifests import load
from reconciler.model.desired import Desired


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def loaded(folder: Path) -> Callable[[str], Desired]:
    """Load a text as the file `m.yaml`."""

    def load_text(text: str) -> Desired:
        (folder / "m.yaml").write_text(text, encoding="utf-8")
        return load([Path("m.yaml")])

    return load_text


@pytest.fixture
def faults(folder: Path) -> Callable[..., list[str]]:
    """The faults of a text or of bytes as the file `m.yaml`, in words, one a line."""

    def faults_of(content: str | bytes) -> list[str]:
        data = content.encode() if isinstance(content, str) else content
        (folder / "m.yaml").write_bytes(data)
        return refusals(Path("m.yaml"))

    return faults_of


def refusals(*paths: Path) -> list[str]:
    """The faults of paths, in words."""
    with pytest.raises(ManifestError) as caught:
        load(paths)
    assert str(caught.value) == "\n".join(str(fault) for fault in caught.value.faults)
    return str(caught.value).splitlines()
