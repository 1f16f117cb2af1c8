"""No secret appears in stdout, stderr, logs, plans, journals, reports or files: every command, every failure."""

import itertools
import json
import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.api.secrets import Secrets
from reconciler.model.desired import SecretKind, SecretRef
from reconciler.sandbox.server import running
from tests.promises.canaries import API_KEY, APP_SECRET, CANARIES, FILE_PASSWORD, PASSWORD, leaks
from tests.promises.commands import LASTING, REACHING, STAYING, Row, commands
from tests.promises.echo_service import TOKEN_PATH, Answer, Asked, forms
from tests.promises.failures import FAILURES, every_form
from tests.promises.leak_stage import Stage, overheard
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import HARBOR
from tests.support.timeouts import TIMEOUT, until

ROWS = list(itertools.chain.from_iterable(REACHING.values()))
APPLIES = REACHING["apply"]
READS = [row for row in ROWS if row not in APPLIES]
_ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def ready(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """The stage, its site let in by a key or as an app, with a plan that was saved while all was well."""
    stage.prepare(app=request.param == "app")
    assert stage.searched("plan", "manifests", "--out", "saved.json").code == 0
    return stage


def test_every_command_has_a_row() -> None:
    """A command that is added must be searched for leaks, too."""
    assert commands() == REACHING.keys() | STAYING.keys() | LASTING.keys()
    assert FAILURES.keys() > _ALIKE


# Each failure meets a command that reads and an apply, at a site of either kind in turn, and each such command a
# failure; in a soak, all meet all. Of the failures that are told and retried in the same way, one stands for all.
_ALIKE = {
    "404, echo in JSON",
    "428, echo in JSON",
    "403, echo in JSON",
    "409, echo in JSON",
    "500, echo in JSON",
    "502, echo in JSON",
    "503, echo in JSON",
    "500, echo behind 190 characters",
    "599, echo as reason",
    "500, cut off",
    "302 to a path",
    "302 to a query",
}
_TOLD_APART = [failure for failure in FAILURES if failure not in _ALIKE]
_CASES = [
    pytest.param(
        way,
        failure,
        READS[number :: len(_TOLD_APART)],
        [APPLIES[number % len(APPLIES)]],
        id=f"{way}-{failure}",
    )
    for number, (failure, way) in enumerate(zip(_TOLD_APART, itertools.cycle(["key", "app"]), strict=False))
]
_EVERY_CASE = [
    pytest.param(way, failure, ROWS, APPLIES, id=f"{way}-{failure}", marks=pytest.mark.soak)
    for failure in FAILURES
    for way in ("key", "app")
]


@pytest.mark.parametrize(("ready", "failure", "reads", "writes"), [*_CASES, *_EVERY_CASE], indirect=["ready"])
def test_no_failure_shows_a_secret(ready: Stage, failure: str, reads: list[Row], writes: list[Row]) -> None:
    """Whatever the service answers, with all that it has heard in it in every form, no command repeats any of it.

    First everything fails, then only what writes does, so that passwords are sent and their echoes come back.
    """
    front, fail = ready.front, FAILURES[failure]
    front.failing = lambda asked: None if asked.path == TOKEN_PATH else fail(front.heard)
    for row in reads:
        ready.tidy()
        assert ready.searched(*row, "--verbose").code in {0, 1}
    front.failing = lambda asked: fail(front.heard) if asked.writes else None
    for row in writes:
        ready.tidy()
        assert ready.searched(*row, "--verbose").code == 1
        assert any(asked.writes for asked in front.asked)
    front.failing = lambda _asked: None
    ready.searched("resolve", "manifests", "--verbose")


@pytest.mark.parametrize("failure", list(FAILURES)[::3])
def test_no_failure_to_get_a_token_shows_a_secret(stage: Stage, failure: str) -> None:
    """The app's secret is in the request for a token, and in every answer to it."""
    stage.prepare(app=True)
    front = stage.front
    front.failing = lambda asked: FAILURES[failure](front.heard) if asked.path == TOKEN_PATH else None
    ran = stage.searched("providers", "manifests", "--verbose")
    assert ran.code == 1
    assert any(APP_SECRET in json.loads(asked.body).values() for asked in front.asked)


@pytest.mark.parametrize("ready", [pytest.param("key", marks=pytest.mark.soak), "app"], indirect=True)
def test_no_success_shows_a_secret(ready: Stage) -> None:
    """Where all goes well nothing is said of secrets either, by no command, however much it is asked to tell."""
    heard: set[str] = set()
    for row in ROWS:
        ready.tidy()
        assert ready.searched(*row, "--verbose").code in {0, 1, 3}, row
        heard |= set(ready.front.heard)
    assert {PASSWORD, FILE_PASSWORD} < heard
    assert {"plan.json", "saved.json"} < {file.name for file in ready.written()}


@pytest.mark.parametrize("name", STAYING)
def test_no_command_that_stays_here_shows_a_secret(stage: Stage, name: str) -> None:
    """Commands that talk to nobody have secrets in their environment all the same."""
    stage.prepare(app=False)
    for row in STAYING[name]:
        stage.searched(*row, "--verbose")


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(None, marks=pytest.mark.soak),
        "400, echo in JSON",
        pytest.param("401, bad credentials", marks=pytest.mark.soak),
    ],
)
def test_no_command_that_lasts_shows_a_secret(stage: Stage, failure: str | None) -> None:
    """What runs for days tells its log no secret, whether all goes well or nothing does."""
    stage.prepare(app=False)
    front = stage.front
    front.asked.clear()
    if failure is not None:
        front.failing = lambda asked: FAILURES[failure](front.heard) if asked.writes else None
    with stage.extcal.started(*LASTING["watch"][0], "--verbose") as process:
        until(lambda: any(asked.writes for asked in front.asked) or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=TIMEOUT)
    assert "connectByCredentials" in err
    stage.search(Ran(process.returncode, out, err))


@pytest.mark.parametrize("row", [REACHING["providers"][0], APPLIES[0], REACHING["plan"][3]], ids=lambda row: row[0])
@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://127.0.0.1:9", 1),
        ("https://nowhere.invalid", 1),
        ("https://{front}", 1),
        (f"https://extcal:{CANARIES['proxy password'][-12:]}@127.0.0.1", 64),
    ],
)
def test_no_service_that_is_out_of_reach_shows_a_secret(stage: Stage, row: Row, endpoint: str, code: int) -> None:
    """Nobody listens, nobody is called so, nobody speaks TLS there, or the address holds a password itself."""
    stage.prepare(app=False)
    there = endpoint.format(front=stage.front.url.removeprefix("http://"))
    ran = stage.searched(*row, "--verbose", env={"EXTCAL_ENDPOINT": there, "NO_PROXY": "*"})
    assert ran.code == code


@pytest.mark.parametrize("status", [403, 407, 502])
def test_no_proxy_that_refuses_shows_a_secret(stage: Stage, status: int) -> None:
    """A proxy that repeats its password in whatever it says is not quoted; nobody but it hears the password."""
    stage.prepare(app=False)
    secrets = b" ".join(form.encode() for form in forms(CANARIES["proxy password"]))
    stage.front.failing = lambda _asked: Answer(status, secrets, reason=secrets)
    ran = stage.searched("providers", "--site-id", HARBOR, "--verbose", env={"EXTCAL_ENDPOINT": "https://api.example"})
    assert ran.code == 1
    assert "[secret]" in ran.err
    assert {asked.method for asked in stage.front.asked} == {"CONNECT"}
    assert all("authorization" not in asked.headers for asked in stage.front.asked)


@pytest.mark.parametrize(
    "proxy", ["socks5://extcal:{}@127.0.0.1:9", "http://extcal:{}@", "nonsense:{}", "http://extcal:{}@[", "{}"]
)
def test_no_proxy_that_is_none_shows_a_secret(stage: Stage, proxy: str) -> None:
    """What is no proxy's URL is refused without being repeated."""
    stage.prepare(app=False)
    env: dict[str, str | None] = {"EXTCAL_ENDPOINT": "https://api.example"}
    for secret in (CANARIES["proxy password"], "plain-" + CANARIES["proxy password"][-20:]):
        ran = stage.searched(
            "providers", "--site-id", HARBOR, "--verbose", env=env | {"HTTPS_PROXY": proxy.format(secret)}
        )
        assert ran.code in {1, 64}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EXTCAL_API_KEY", f"{API_KEY}\n{API_KEY}"),
        ("EXTCAL_API_KEY", f"{API_KEY} {API_KEY}"),
        ("EXTCAL_API_KEY", f"{API_KEY}é"),
        ("EXTCAL_API_KEY", f"{API_KEY}\udcff"),
        ("EXTCAL_API_KEY", API_KEY * 9999),
        ("EXTCAL_APP_PASSWORD", f"{PASSWORD}\n"),
        ("EXTCAL_APP_PASSWORD", f"{PASSWORD}\udcff"),
        ("EXTCAL_APP_PASSWORD", PASSWORD * 9999),
        ("file", f"{PASSWORD}\n\n"),
        ("file", f"{PASSWORD}\udcff"),
        ("file", PASSWORD * 9999),
    ],
)
def test_no_secret_that_can_not_be_used_is_shown(stage: Stage, variable: str, value: str) -> None:
    """A value that no header and no request can hold is refused by the name of where it is."""
    stage.prepare(app=False)
    env: dict[str, str | None] = {}
    if variable == "file":
        (stage.extcal.folder / "secrets/staff/three").write_bytes(value.encode("utf-8", "surrogateescape"))
    else:
        env[variable] = value
    assert stage.searched(*APPLIES[1], "--verbose", env=env).code == 1


@pytest.mark.parametrize(
    "place", ["auth: {apiKey: %s}", "auth: {apiKey: {env: %s}}", "auth: {apiKey: {file: %s}}", "token: %s"]
)
def test_no_secret_in_a_manifest_is_repeated(stage: Stage, place: str) -> None:
    """Who writes a secret itself where a reference belongs is told so, and it is not told to everybody else."""
    stage.prepare(app=False)
    text = (stage.extcal.folder / "manifests/all.yaml").read_text()
    for secret in (API_KEY, PASSWORD, "-".join(API_KEY.split("-")[-3:])):
        broken = text.replace("auth: {apiKey: {env: EXTCAL_API_KEY}}", place % json.dumps(secret, ensure_ascii=False))
        stage.extcal.write(broken)
        for row in (("validate", "manifests"), ("validate", "manifests", "--format", "github"), *REACHING["plan"][:3]):
            ran = stage.extcal(*row, "--verbose")
            assert ran.code == 1
            assert not leaks((ran.out + ran.err).encode())


@pytest.mark.parametrize("row", [rows[0] for rows in REACHING.values()], ids=" ".join)
def test_no_internal_error_shows_a_secret(stage: Stage, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of extcal's own, with secrets in its message, is named and not quoted."""
    stage.prepare(app=False)
    stage.searched("plan", "manifests", "--out", "saved.json")

    async def defect(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError(every_form([API_KEY]))

    monkeypatch.setattr("httpx.AsyncClient.send", defect)
    ran = stage.searched(*row)
    if row[0] != "resolve":
        assert ran.code == 1
        assert "internal error: RuntimeError. Run again with --verbose" in ran.out + ran.err


_DEFECTIVE = """
import httpx
from reconciler.cli.main import main
from tests.promises.failures import every_form

async def defect(client, request, **_kwargs):
    authorization = request.headers["Authorization"]
    raise RuntimeError(f"{authorization} {every_form([authorization])}")

httpx.AsyncClient.send = defect
main()
"""


@pytest.mark.parametrize(
    "row", [pytest.param(REACHING["providers"][0], marks=pytest.mark.soak), APPLIES[1]], ids=lambda row: row[0]
)
def test_no_traceback_shows_a_secret(stage: Stage, row: Row) -> None:
    """--verbose adds the traceback of an internal error, with every secret that it quotes taken out."""
    stage.prepare(app=False)
    command = [sys.executable, "-X", "dev", "-W", "ignore", "-c", _DEFECTIVE, *row, "--verbose"]
    env = stage.extcal.environment({"PYTHONASYNCIODEBUG": "1"})
    ran = subprocess.run(command, cwd=stage.extcal.folder, env=env, capture_output=True, timeout=TIMEOUT, check=False)
    assert ran.returncode == 1
    assert b"RuntimeError: [secret]" in ran.stderr
    assert "API key" not in leaks(ran.stdout + ran.stderr)


def test_no_process_is_named_by_a_secret(stage: Stage) -> None:
    """Nothing that `ps` shows holds a secret: neither extcal's own words nor those of what it starts."""
    stage.prepare(app=False)
    seen: list[bytes] = []

    def look(_asked: Asked) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str(stage.extcal.folder).encode() in bytes((process / "cwd").readlink()):
                    seen.extend([(process / "cmdline").read_bytes(), (process / "comm").read_bytes()])
            except OSError:
                continue

    stage.front.failing = look
    stage.search(stage.extcal.process(*APPLIES[0], "--verbose"))
    assert any(b"reconciler" in words for words in seen)
    assert not leaks(b"\n".join(seen))


def test_no_link_is_anywhere_but_in_its_place(stage: Stage) -> None:
    """Whoever holds a consent link can connect an account: it is on stdout, or in the file that was asked for."""
    stage.prepare(app=False)
    shown = stage.searched(*APPLIES[0], "--verbose", "--undo-out", "undo.json")
    link = next(line.strip() for line in shown.out.splitlines() if "/consent/" in line)
    token = link.rpartition("/consent/")[2]
    assert token not in shown.err
    stage.tidy()
    kept = stage.searched(*APPLIES[1], "--verbose")
    (line,) = (stage.extcal.folder / "links.jsonl").read_text().splitlines()
    secret = json.loads(line)["url"].rpartition("/consent/")[2]
    plans = [stage.searched(*row) for row in (*REACHING["plan"], *REACHING["status"])]
    said = [shown.err, kept.out, kept.err, *stage.logged, *(ran.out + ran.err for ran in plans)]
    said += [file.read_text(errors="replace") for file in stage.written() if file.name != "links.jsonl"]
    for text in said:
        assert token not in text
        assert secret not in text


def test_the_sandbox_shows_its_key_to_who_starts_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sandbox serve` prints the key, for that is what it is for; a command with --sandbox never does."""
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "data") as served:
        key, endpoint = served.api_key, served.endpoint
        extcal = Extcal(tmp_path, served, {"PYTHONPATH": _ROOT, "EXTCAL_ENDPOINT": endpoint, "EXTCAL_API_KEY": key})
        site_id = str(served.ready()["sites"][0]["site_id"])  # type: ignore[index] # a list of objects
        assert extcal("plan", "manifests", "--verbose").code == 1
        assert extcal("providers", "--site-id", site_id, "--verbose").code == 0
    told: list[str] = []
    with overheard(told):
        for row in (("providers",), ("calendars", "--format", "json"), ("pull", "--output", "pulled")):
            ran = extcal("--sandbox", "data", *row, "--verbose", env={"EXTCAL_ENDPOINT": None})
            assert ran.code == 0
            told += [ran.out, ran.err]
    told += [file.read_text() for file in (tmp_path / "pulled").rglob("*.yaml")]
    assert all(form not in text for form in forms(key) for text in told)


@pytest.mark.parametrize("name", CANARIES)
def test_every_form_is_redacted_by_itself(name: str) -> None:
    """Each form of an echo disappears, also where it stands among other text, and what is around it stays."""
    secrets = Secrets({"EXTCAL_SECRET": CANARIES[name]}, None)
    secrets.resolve(SecretRef(SecretKind.ENV, "EXTCAL_SECRET"))
    for form in forms(CANARIES[name]):
        shown = secrets.redact(f"before: {form}, after")
        assert not leaks(shown.encode()), form
        assert not any(
            leaks(secrets.redact(put(form)).encode()) for put in (json.dumps, repr, lambda f: json.dumps(repr(f)))
        )
        assert shown.startswith("before: ")
        assert shown.endswith(", after")
        assert "[secret]" in shown


def test_the_wire_is_not_logged(stage: Stage) -> None:
    """Even where a program turns the lowest level of every log on, what was sent is in none of them."""
    stage.prepare(app=False)
    for name in ("httpcore", "httpcore.http11", "httpcore.connection", "httpcore.proxy"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        assert stage.searched(*APPLIES[0], "--verbose").code == 3
        assert any(line.startswith("httpcore") for line in stage.logged)
    finally:
        for name in ("httpcore.http11", "httpcore.connection", "httpcore.proxy"):
            logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
