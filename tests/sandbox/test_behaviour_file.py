"""The file of behaviour: what it may say, how the rest is refused, and `extcal sandbox serve --behaviour`."""

from __future__ import annotations

import json
import signal
from dataclasses import fields
from pathlib import Path

import pytest

from reconciler.sandbox import SandboxError
from reconciler.sandbox.behaviour import (
    Behaviour,
    CalendarNames,
    Directions,
    Disconnected,
    Hidden,
    LoopbackRedirects,
    Order,
    PartialFailure,
    Permissions,
    Reconnect,
    StartsWith,
    Unsaid,
    Update,
    UpdateAnswer,
    read_behaviour,
)
from reconciler.sandbox.server import running
from tests.sandbox.server_process import serving
from tests.support.sandbox.api import Api, client, connection_of
from tests.support.timeouts import TIMEOUT

EXAMPLE = Path(__file__).parents[2] / "examples" / "sandbox" / "strict.yaml"
EVERYTHING = """
update: replace
reconnect: new-id
healing: false
startsWith: everything
directions: set
calendarNames: hidden
unknownFields: true
order: shuffled
loopbackRedirects: refused
permissions: own-config
withoutPrimary: [apple, google]
partialFailure: fails-when-nothing-readable
unsaid: UNDEFINED
hidden: [appId, failedProviderIds, userId]
disconnected: forgotten
updateAnswer: sent-directions
"""


def described(tmp_path: Path, text: str | bytes) -> Behaviour:
    """The behaviour of a file that holds `text`."""
    path = tmp_path / "behaviour.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_behaviour(path)


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    """Each key, with a value that is not the default."""
    read = described(tmp_path, EVERYTHING)
    assert read == Behaviour(
        update=Update.REPLACE,
        reconnect=Reconnect.NEW_ID,
        healing=False,
        starts_with=StartsWith.EVERYTHING,
        directions=Directions.SET,
        calendar_names=CalendarNames.HIDDEN,
        unknown_fields=True,
        order=Order.SHUFFLED,
        loopback_redirects=LoopbackRedirects.REFUSED,
        permissions=Permissions.OWN_CONFIG,
        without_primary=frozenset({"apple", "google"}),
        partial_failure=PartialFailure.FAILS_WHEN_NOTHING_READABLE,
        unsaid=Unsaid.UNDEFINED,
        hidden=frozenset(Hidden),
        disconnected=Disconnected.FORGOTTEN,
        update_answer=UpdateAnswer.SENT_DIRECTIONS,
    )
    assert len(read.differences()) == len(fields(Behaviour))


def test_the_example_is_another_reading_of_everything() -> None:
    """Every key of it differs from what the sandbox does without a file."""
    assert len(read_behaviour(EXAMPLE).differences()) == len(fields(Behaviour))


def test_what_differs_is_said_as_a_file_has_it(tmp_path: Path) -> None:
    """A file of the differences describes the same behaviour; without any there is nothing to say."""
    read = described(tmp_path, EVERYTHING)
    assert described(tmp_path, json.dumps(read.differences())) == read
    assert Behaviour().differences() == {}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "update: merge",
        "withoutPrimary: []\nhidden: []",
        "healing: true\nunknownFields: false",
        "startsWith: defaults\npermissions: all\nunsaid: left-out\n# a remark",
    ],
)
def test_what_a_file_leaves_out_is_as_usual(tmp_path: Path, text: str) -> None:
    """And so is what it says to be so."""
    assert described(tmp_path, text) == Behaviour()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("updates: merge", r"updates is an unknown key\. Known keys: update, reconnect, "),
        ("starts_with: nothing", "starts_with is an unknown key"),
        ("update: patch", "update must be merge or replace"),
        ("update: Replace", "update must be merge or replace"),
        ("update:", "update must be merge or replace"),
        ("update: [replace]", "update must be merge or replace"),
        ("startsWith: all", "startsWith must be defaults or nothing or everything"),
        ("healing: no", "healing must be true or false"),
        ("healing: [true]", "healing must be true or false"),
        ("unknownFields: 1", "unknownFields must be true or false"),
        ("hidden: appId", "hidden must be a list of appId, failedProviderIds, userId"),
        ("hidden:", "hidden must be a list"),
        ("hidden: [appId, id]", r"hidden\[1\] must be appId or failedProviderIds or userId"),
        ("withoutPrimary: apple", "withoutPrimary must be a list of providers, such as apple"),
        ("withoutPrimary: [{apple: 1}]", r"withoutPrimary\[0\] must be a string"),
        ("withoutPrimary: ['']", r"withoutPrimary\[0\] must be a provider, such as apple"),
        ('withoutPrimary: ["\\e[31m"]', r"withoutPrimary\[0\] must be a provider, such as apple"),
        ("update: merge\nupdate: replace", "a key is there twice"),
        ("- update: merge", "the file must be a mapping. Write it as `update: replace`"),
        ("replace", "the file must be a mapping"),
        ("", "the file must be a mapping"),
        ("update: {", "is not YAML"),
        (b"update: \xff\xfe", "is not YAML"),
        ("a: &a [*a]", "is not YAML|unknown key"),
        ("[" * 5000, "is not YAML"),
        ("# " + "x" * 70_000, "larger than 65536 bytes"),
    ],
)
def test_what_a_file_may_not_say(tmp_path: Path, text: str | bytes, message: str) -> None:
    """The error names the file, the place in it, and what would be right; it is one line that is safe to show."""
    with pytest.raises(SandboxError, match=message) as raised:
        described(tmp_path, text)
    shown = str(raised.value)
    assert shown.startswith(f"{tmp_path / 'behaviour.yaml'}: ")
    assert shown.isprintable()
    assert len(shown) < 1000


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Neither is a folder a file."""
    for path in (tmp_path / "missing.yaml", tmp_path, Path("a\0b")):
        with pytest.raises(SandboxError, match=r"can't be read .*Name a file of behaviour\."):
            read_behaviour(path)


def test_a_provider_that_no_site_has_is_refused(tmp_path: Path) -> None:
    """A name misspelt would change nothing, and nobody would notice."""
    wrong = Behaviour(without_primary=frozenset({"aple"}))
    with (
        pytest.raises(SandboxError, match=r"withoutPrimary: unknown provider 'aple'\. Known providers: apple, google"),
        running(tmp_path, behaviour=wrong),
    ):
        pytest.fail("it started")


def test_serving_with_a_behaviour(tmp_path: Path) -> None:
    """The ready line and stderr say what is not as usual, and the sandbox behaves so."""
    path = tmp_path / "strict.yaml"
    path.write_text("update: replace\nhealing: false\nunsaid: left-out\n", encoding="utf-8")
    with serving(tmp_path, "--behaviour", str(path), "--json") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["behaviour"] == {"update": "replace", "healing": False}
        with client(ready["endpoint"], ready["api_key"]) as http:
            api = Api(http)
            config = connection_of(api.update(api.connect()["id"], {}))["syncConfig"]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT)
    assert config["listEventFromCalendars"] == {"enabled": False}
    assert process.returncode == 0
    assert f"Plays {path}; otherwise than usual: update, healing.\n" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("update: patch", "behaviour.yaml: update must be merge or replace\n"),
        ("withoutPrimary: [aple]", "withoutPrimary: unknown provider 'aple'. Known providers: "),
    ],
)
def test_serving_with_a_file_at_fault(tmp_path: Path, text: str, message: str) -> None:
    """One line of error, and nothing is served."""
    (tmp_path / "behaviour.yaml").write_text(text, encoding="utf-8")
    with serving(tmp_path, "--behaviour", str(tmp_path / "behaviour.yaml")) as process:
        out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("error: sandbox: ")
    assert message in err
    assert len(err.splitlines()) == 1
