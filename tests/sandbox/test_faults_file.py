"""The file of faults: what it may say, how what it may not say is refused, and `extcal sandbox serve --faults`."""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.sandbox import SandboxError
from reconciler.sandbox.faults import (
    READS,
    WRITES,
    Answer,
    Body,
    Cut,
    Delay,
    Effect,
    Fault,
    Faults,
    Later,
    Operation,
    Rate,
    Reset,
    Stale,
    When,
    read_faults,
)
from tests.sandbox.injection import connect, injecting, within_patience
from tests.sandbox.server_process import serving
from tests.support.sandbox.api import BASE, Api, client, connection_of
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "rehearsal" / "faults.yaml"


def described(tmp_path: Path, text: str) -> Faults:
    """The faults of a file that holds `text`."""
    path = tmp_path / "faults.yaml"
    path.write_text(text, encoding="utf-8")
    return read_faults(path)


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    """Each kind with all its fields; what is left out is as the values have it."""
    text = """
        seed: -7
        faults:
          - on: [ConnectByCredentials, IssueToken]
            skip: 2
            times: 1
            probability: 0.5
            answer: {status: 503, body: html, headers: {Retry-After: -5, X-No: no, X-None: }, effect: done}
          - on: writes
            reset: {effect: {after: 0.3}}
          - {reset: , on: reads}
          - cut: {bytes: 17}
          - delay: {seconds: 2}
          - delay: {seconds: 0.25, when: after}
          - stale: {seconds: 2}
          - rate: {requests: 5, seconds: 1, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT'}
          - rate: {requests: 0, seconds: 1}
          - answer: {status: 204, body: empty, effect: none}
        """
    headers = (("Retry-After", "-5"), ("X-No", "no"), ("X-None", ""))
    credentials = frozenset({Operation.CONNECT_BY_CREDENTIALS, Operation.ISSUE_TOKEN})
    assert described(tmp_path, text) == Faults(
        (
            Fault(Answer(503, Body.HTML, headers, Effect.DONE), credentials, skip=2, times=1, probability=0.5),
            Fault(Reset(Later(0.3)), WRITES),
            Fault(Reset(), READS),
            Fault(Cut(17)),
            Fault(Delay(2.0)),
            Fault(Delay(0.25, When.AFTER)),
            Fault(Stale(2.0)),
            Fault(Rate(5, 1.0, "Wed, 21 Oct 2026 07:28:00 GMT")),
            Fault(Rate(0, 1.0)),
            Fault(Answer(204, Body.EMPTY)),
        ),
        seed=-7,
    )


KINDS = "answer, reset, cut, delay, stale, rate"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file must be a mapping. Write it as `faults: [{on: writes"),
        ("- a", "the file must be a mapping"),
        ("seed: 1", "faults must be a list. Write it as"),
        ("faults: []", "faults must be a list"),
        ("faults: {}", "faults must be a list"),
        ("faults: [x]", "faults[0] must be a mapping"),
        ("falts: []", "falts is an unknown key. Known keys: seed, faults"),
        ("[a]: b", "is not YAML"),
        ("faults: [{reset: {}}]\nseed: 0.5", "seed must be a whole number"),
        ("faults: [{reset: {}}]\nseed: [1]", "seed must be a string"),
        ("faults: [{}]", f"faults[0] must have exactly one of {KINDS}"),
        ("faults: [{reset: {}, cut: {bytes: 1}}]", f"faults[0] must have exactly one of {KINDS}"),
        (
            "faults: [{reset: {}}, {rest: {}}]",
            "faults[1].rest is an unknown key. Known keys: on, skip, times, probability",
        ),
        ("faults: [{reset: {}, times: 0}]", "faults[0]: times must be a whole number from 1"),
        ("faults: [{reset: {}, times: -1}]", "faults[0].times must be a whole number, and not negative"),
        ("faults: [{reset: {}, skip: 1.5}]", "faults[0].skip must be a whole number"),
        ("faults: [{reset: {}, skip: 9999999999999}]", "faults[0]: skip must be a whole number from 0 to 1000000000"),
        ("faults: [{reset: {}, probability: 2}]", "faults[0]: probability must be from 0 to 1"),
        ("faults: [{reset: {}, probability: .nan}]", "faults[0].probability must be a number, and not negative"),
        ("faults: [{reset: {}, probability: [1]}]", "faults[0].probability must be a number"),
        ("faults: [{reset: {}, on: all}]", "faults[0].on must be reads, writes, or a list of some of ListProviders"),
        ("faults: [{reset: {}, on: []}]", "faults[0].on must be reads"),
        ("faults: [{reset: {}, on: [listconnections]}]", "faults[0].on[0] must be reads"),
        ("faults: [{reset: {}, on: [[ListConnections]]}]", "faults[0].on[0] must be reads"),
        ("faults: [{stale: {seconds: 1}, on: writes}]", "faults[0]: on must have one of GetConnection"),
        ("faults: [{reset: 1}]", "faults[0].reset must be a mapping"),
        ("faults: [{reset: {effect: maybe}}]", "faults[0].reset.effect must be none, done, or {after: SECONDS}"),
        ("faults: [{reset: {effect: [done]}}]", "faults[0].reset.effect must be none, done"),
        ("faults: [{reset: {effect: {in: 1}}}]", "faults[0].reset.effect.in is an unknown key. Known keys: after"),
        ("faults: [{reset: {effect: {after: 3601}}}]", "faults[0].reset.effect: seconds must be from 0 to 3600"),
        ("faults: [{answer: {}}]", "faults[0].answer.status must be a whole number"),
        ("faults: [{answer: {status: 99}}]", "faults[0].answer: status must be from 200 to 599"),
        ("faults: [{answer: {status: 204}}]", "faults[0].answer: body must be empty: an answer 204 has none"),
        (
            "faults: [{answer: {status: 503, body: xml}}]",
            "faults[0].answer.body must be one of json, html, empty, broken",
        ),
        ("faults: [{answer: {status: 503, headers: [a]}}]", "faults[0].answer.headers must be a mapping of strings"),
        (
            "faults: [{answer: {status: 503, headers: {a: [b]}}}]",
            "faults[0].answer.headers must be a mapping of strings",
        ),
        ("faults: [{answer: {status: 503, headers: {a b: c}}}]", "headers: 'a b' can't be the name of a header"),
        ('faults: [{answer: {status: 503, headers: {a: "b\\nc: d"}}}]', "can't be the value of a header"),
        ("faults: [{answer: {status: 503, headers: {a: \u4e2d}}}]", "can't be the value of a header"),
        ("faults: [{answer: {status: 503, headers: {Content-Length: 1}}}]", "To break an answer off, use cut"),
        ("faults: [{cut: {}}]", "faults[0].cut.bytes must be a whole number"),
        ("faults: [{cut: {bytes: 1, byte: 2}}]", "faults[0].cut.byte is an unknown key. Known keys: bytes"),
        ("faults: [{delay: {seconds: soon}}]", "faults[0].delay.seconds must be a number"),
        ("faults: [{delay: {seconds: 1, when: now}}]", "faults[0].delay.when must be one of before, after"),
        ("faults: [{rate: {requests: 5}}]", "faults[0].rate.seconds must be a number"),
        ("faults: [{rate: {requests: 5, seconds: 1, retryAfter: [1]}}]", "faults[0].rate.retryAfter must be a string"),
        ("faults: [{reset: {}, times: 1, times: 2}]", "a key is there twice in one mapping"),
        ("faults: &a [*a]", "is not YAML"),
        ("faults: [", "is not YAML"),
        ("a: \x00", "is not YAML"),
        ("faults: " + "[" * 500, "is not YAML"),
        ("faults: !!python/object/apply:os.getcwd []", "faults must be a list"),
        ("# " + "x" * 70_000, "larger than 65536 bytes"),
    ],
)
def test_a_file_at_fault(tmp_path: Path, text: str, message: str) -> None:
    """The error is one line that names the file, the place, and what would be right."""
    with pytest.raises(SandboxError) as caught:
        described(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'faults.yaml'}: ")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, a folder, no text, a name that can't be: said with its name."""
    (tmp_path / "binary").write_bytes(b"faults: \xff\xfe")
    for name, message in (
        ("none", "can't be read"),
        (".", "can't be read"),
        ("binary", "not YAML"),
        ("a\0b", "can't be"),
    ):
        with pytest.raises(SandboxError, match=message):
            read_faults(tmp_path / name)


def test_serving_with_faults(tmp_path: Path) -> None:
    """The ready line and stderr say that faults are on, and stderr each fault that fires."""
    (tmp_path / "faults.yaml").write_text("faults: [{on: reads, times: 1, answer: {status: 503}}]")
    with serving(tmp_path, "--faults", str(tmp_path / "faults.yaml"), "--json") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["faults"] == 1
        with client(ready["endpoint"], ready["api_key"]) as http:
            assert [http.get(f"{BASE}/providers").status_code for _ in range(2)] == [503, 200]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert err == f"Faults are on: 1 of {tmp_path / 'faults.yaml'}.\nfault 1: ListProviders: answer 503\n"


def test_serving_with_faults_to_a_reader(tmp_path: Path) -> None:
    """Without --json, the line that a person reads says so too."""
    (tmp_path / "faults.yaml").write_text("faults: [{reset: {}}]")
    with serving(tmp_path, "--faults", str(tmp_path / "faults.yaml")) as process:
        assert process.stdout is not None
        assert " with faults, its data in " in process.stdout.readline()


def test_serving_with_a_file_at_fault(tmp_path: Path) -> None:
    """One line of error; nothing is served, and no data made."""
    (tmp_path / "faults.yaml").write_text("faults: [{cut: {}}]")
    with serving(tmp_path, "--faults", str(tmp_path / "faults.yaml")) as process:
        out, err = process.communicate(timeout=TIMEOUT)
    message = "faults.yaml: faults[0].cut.bytes must be a whole number, and not negative\n"
    assert (process.returncode, out, err) == (1, "", f"error: sandbox: {tmp_path}/{message}")
    assert not (tmp_path / "data").exists()


def test_a_rehearsal_with_the_example(api: Api, sandbox: RunningSandbox) -> None:
    """A client that reads again and never sends a write twice gets through the day; every entry does what it says."""
    faults = read_faults(EXAMPLE)
    with injecting(sandbox, *faults.entries, seed=faults.seed):

        def asked(path: str) -> httpx.Response:
            while True:
                try:
                    answer = api.get(path)
                except httpx.TransportError:
                    continue
                if answer.status_code == 200:
                    return answer

        assert len(asked("/providers").json()["providers"]) > 1
        assert asked("/connections").json()["connections"] == []
        with pytest.raises(httpx.TransportError):
            connect(api)
        # Whoever lists too early would connect a second time.
        within_patience(lambda: asked("/connections").json()["connections"])
        (made,) = asked("/connections").json()["connections"]
        off = {"listEventFromCalendars": {"enabled": False}}
        with pytest.raises(httpx.TransportError):
            # A write that comes too early is refused and not done: it may be sent again.
            within_patience(lambda: api.update(made["id"], off).status_code != 429)
        within_patience(lambda: not imports(asked(f"/connections/{made['id']}")))
        expected = {str(entry.kind) for entry in faults.entries}
        with ThreadPoolExecutor(12) as pool:
            within_patience(lambda: list(pool.map(asked, ["/providers"] * 12)) and fired(sandbox) == expected)
    assert len(api.connections()) == 1


def fired(sandbox: RunningSandbox) -> set[str]:
    """The names of all faults in the log."""
    return {name for request in sandbox.requests if request.fault for name in request.fault.split(", ")}


def imports(answer: httpx.Response) -> bool:
    """Whether a connection imports events."""
    return bool(connection_of(answer)["syncConfig"]["listEventFromCalendars"]["enabled"])
