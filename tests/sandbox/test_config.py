"""The config file: what it may say, and how what it may not say is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox import SandboxError, reset
from reconciler.sandbox.config import CONFIG, CalDavServer, read_config
from reconciler.sandbox.server import running

if TYPE_CHECKING:
    from pathlib import Path


def test_a_server_and_its_hosts(tmp_path: Path) -> None:
    """A provider's slug, the server's address, and further hosts that may be given the credentials."""
    config = tmp_path / "servers.yaml"
    config.write_text("apple:\n  caldav: {url: 'http://127.0.0.1:1/', hosts: [home.example]}\n")
    assert read_config(config) == {"apple": CalDavServer("http://127.0.0.1:1/", ("home.example",))}
    config.write_text("# nothing yet\n")
    assert read_config(config) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not YAML"),
        ("\x00", "is not YAML"),
        ("- apple", "the file must be a mapping"),
        ("apple: caldav", "apple must be a mapping"),
        ("apple: {caldab: {}}", "apple.caldab is an unknown key. Known keys: caldav"),
        ("apple: {}", "apple.caldav must be a mapping"),
        ("apple: {caldav: {uri: x}}", "apple.caldav.uri is an unknown key. Known keys: url, hosts"),
        ("apple: {caldav: {}}", "apple.caldav.url must be the address"),
        ("apple: {caldav: {url: 5}}", "apple.caldav.url must be the address"),
        ("apple: {caldav: {url: 'https://a.example', hosts: b.example}}", "apple.caldav.hosts must be a list"),
        ("apple: {caldav: {url: 'https://a.example', hosts: [1]}}", "apple.caldav.hosts must be a list"),
        ("apple: !!python/object:os.system {}", "is not YAML"),
        ("nobody: {caldav: {url: 'https://a.example'}}", "unknown provider 'nobody'. Known providers: apple, google"),
        ("google: {caldav: {url: 'https://a.example'}}", "google connects by OAuth"),
        ("apple: {caldav: {url: 'ftp://a.example'}}", "apple.caldav: "),
        ("a: " + "x" * 70_000, "larger than"),
    ],
)
def test_a_file_at_fault(tmp_path: Path, text: str, message: str) -> None:
    """The sandbox doesn't start; the error names the file, the place and what is right."""
    config = tmp_path / "servers.yaml"
    config.write_text(text)
    with pytest.raises(SandboxError) as caught, running(tmp_path / "data", config=config):
        pass
    assert str(caught.value).startswith(str(config))
    assert message in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that is named must be there: without it passwords would go elsewhere than meant."""
    with (
        pytest.raises(SandboxError, match=r"servers\.yaml: can't be read"),
        running(tmp_path / "data", config=tmp_path / "servers.yaml"),
    ):
        pass


def test_resetting_leaves_the_config(tmp_path: Path) -> None:
    """It is the operator's."""
    config = tmp_path / CONFIG
    config.write_text("{}")
    reset(tmp_path)
    with running(tmp_path, config=config):
        pass
    reset(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG]


def test_a_file_that_is_forgotten(tmp_path: Path) -> None:
    """A provider that had a server isn't looked for in folders, where its connections would seem broken."""
    config, data = tmp_path / "servers.yaml", tmp_path / "data"
    config.write_text("apple: {caldav: {url: 'http://127.0.0.1:1/'}}\n")
    with running(data, config=config):
        pass
    with pytest.raises(
        SandboxError, match=r"the calendars of apple are on a CalDAV server, and no config file names it.* reset"
    ):
        running(data).__enter__()
    with running(data, config=config):
        pass
    reset(data)
    with running(data):
        pass
