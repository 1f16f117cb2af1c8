"""The global options: which service is meant, how much is said, in what colours."""

import socket
from contextlib import closing

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, KEY, PASSWORD, PASSWORD_ENV, connection, harbor, site, world


@pytest.mark.parametrize(
    ("args", "env", "folder"),
    [
        (("--sandbox", "schedules"), {}, ".extcal"),
        (("--sandbox", "--quiet", "schedules"), {}, ".extcal"),
        (("--sandbox", "data", "schedules"), {}, "data"),
        (("--sandbox=data", "schedules"), {}, "data"),
        (("schedules", "--sandbox"), {}, ".extcal"),
        (("schedules", "--sandbox", "data"), {}, "data"),
        (("schedules", "--sandbox=data"), {}, "data"),
        (("schedules", "--sandbox", "--format", "text"), {}, ".extcal"),
        (("schedules",), {"EXTCAL_SANDBOX": "1"}, ".extcal"),
        (("schedules",), {"EXTCAL_SANDBOX": "data"}, "data"),
        (("schedules", "--sandbox=data"), {"EXTCAL_SANDBOX": "other"}, "data"),
        (("schedules", "--sandbox=data"), {"EXTCAL_ENDPOINT": "https://api.example"}, "data"),
    ],
)
def test_the_sandbox_is_started_for_one_command(
    bare: Extcal, args: tuple[str, ...], env: dict[str, str], folder: str
) -> None:
    """Wherever --sandbox stands, the embedded API serves the command, needs no key, and keeps its data in DIR."""
    ran = bare(*args, env=env)
    assert (ran.code, ran.err) == (0, "")
    assert "Dr. Lee" in ran.out
    assert [path.name for path in bare.folder.iterdir()] == [folder]
    assert len(bare.sandbox.requests) == 0


def test_a_site_of_the_sandbox_is_chosen_by_its_name(bare: Extcal) -> None:
    """--site leaves one site of the sandbox; a name that it lacks is wrong usage, with the right one."""
    names = {str(row["site"]) for row in bare("schedules", "--sandbox", "--format", "json").rows}
    assert names == {"Harbor Dental", "Lakeside Physio"}
    for name, sees_lee in (("Harbor Dental", True), ("Lakeside Physio", False)):
        chosen = bare("schedules", "--sandbox", "--site", name)
        assert (chosen.code, "Dr. Lee" in chosen.out) == (0, sees_lee)
    wrong = bare("schedules", "--sandbox", "--site", "Harbor Dentalx")
    assert (wrong.code, wrong.out) == (64, "")
    assert "--site Harbor Dentalx: the sandbox has no such site; did you mean Harbor Dental?" in wrong.err


@pytest.mark.parametrize("off", ["0", "false", "no", ""])
def test_the_environment_can_switch_the_sandbox_off(extcal: Extcal, off: str) -> None:
    """EXTCAL_SANDBOX=0 means the endpoint, and does not clash with EXTCAL_ENDPOINT."""
    extcal.env["EXTCAL_SANDBOX"] = off
    assert extcal("schedules", "--site-id", HARBOR).code == 0
    assert len(extcal.sandbox.requests) == 1


@pytest.mark.parametrize(
    ("args", "env", "said"),
    [
        (("--sandbox=d", "--endpoint", "https://api.example"), {}, "--sandbox and --endpoint exclude each other"),
        ((), {"EXTCAL_SANDBOX": "1", "EXTCAL_ENDPOINT": "https://api.example"}, "exclude each other. Unset one"),
        (("--sandbox", ""), {}, "--sandbox is empty"),
        (("--endpoint", ""), {}, "endpoint (--endpoint, EXTCAL_ENDPOINT): expected a URL"),
        (("--endpoint", "http://api.example"), {}, "http is for this machine only"),
        ((), {"EXTCAL_ENDPOINT": "http://api.example"}, "http is for this machine only"),
        (("--endpoint", "https://key:secret-in-url@api.example"), {}, "must not hold a user name or password"),
    ],
)
def test_an_endpoint_that_cannot_be_meant_is_wrong_usage(
    bare: Extcal, args: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    """Contradictions, empty values and places where a key must not go are refused with 64."""
    bare.write(site())
    ran = bare("plan", "manifests", *args, env=env)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err
    assert "secret-in-url" not in ran.err
    assert {path.name for path in bare.folder.iterdir()} == {"manifests"}


def test_the_endpoint_may_stand_before_or_after_the_command(bare: Extcal) -> None:
    """--endpoint overrules the environment in either place."""
    bare.on(world())
    bare.write(site())
    where, env = bare.sandbox.endpoint, {"EXTCAL_API_KEY": KEY, "EXTCAL_ENDPOINT": "https://api.example"}
    assert bare("--endpoint", where, "plan", "manifests", env=env).code == 0
    assert bare("plan", "manifests", "--endpoint", where, env=env).code == 0
    assert len(bare.sandbox.requests) == 4


def test_an_endpoint_that_refuses_is_told(bare: Extcal) -> None:
    """Where nothing listens, the error names the endpoint after a few tries."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"http://127.0.0.1:{unused.getsockname()[1]}"
        bare.write(site(), connection(0))
        ran = bare("plan", "manifests", "--endpoint", where, env={"EXTCAL_API_KEY": KEY})
    assert ran.code == 1
    assert f"{where} refused the connection; check the endpoint, and that the service runs" in ran.err


def test_a_key_that_is_not_set_is_named(extcal: Extcal) -> None:
    """The secret and its environment variable are named, and no request is sent."""
    extcal.write(site(), connection(0))
    for command in ("plan", "apply"):
        ran = extcal(command, "manifests", env={"EXTCAL_API_KEY": None})
        assert ran.code == 1
        assert "the environment variable EXTCAL_API_KEY, which holds this secret, is not set" in ran.err
    assert len(extcal.sandbox.requests) == 0


def test_a_wrong_key_is_refused_with_advice(extcal: Extcal) -> None:
    """A 401 names the reference of the key and the request's id, and shows no key."""
    extcal.write(site(), connection(0))
    ran = extcal("apply", "manifests", "--auto-approve", env={"EXTCAL_API_KEY": "a-wrong-key-77"})
    assert ran.code == 1
    assert "HTTP 401" in ran.err
    assert "EXTCAL_API_KEY" in ran.err
    assert "request id " in ran.err
    assert "a-wrong-key-77" not in ran.out + ran.err
    assert extcal.writes == []


def test_quiet_leaves_results_and_errors(extcal: Extcal) -> None:
    """--quiet takes warnings and advice away, in either place, and never an error."""
    extcal.on(world(harbor(0)))
    extcal.write(site(more="scope: site\nprune: true"))
    assert extcal("plan", "manifests").err.startswith("warning: harbor: no connection is declared")
    for args in (("--quiet", "plan"), ("plan", "--quiet")):
        ran = extcal(*args, "manifests")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.endswith("Nothing to do: 0 as declared, 1 unmanaged.\n")
    assert extcal("plan", "nowhere", "--quiet").err.startswith("error: ")


def test_verbose_logs_requests_and_no_secret(extcal: Extcal) -> None:
    """--verbose shows each request's method, address and status on stderr, and neither key nor password."""
    extcal.write(site(), connection(0))
    ran = extcal.process("apply", "manifests", "--auto-approve", "--verbose", env=dict(PASSWORD_ENV))
    assert ran.code == 0
    assert ran.err.count("HTTP Request: ") == len(extcal.sandbox.requests)
    assert (
        f'POST {extcal.sandbox.endpoint}/bookings/v2/external-calendars/connections:connectByCredentials "' in ran.err
    )
    assert KEY not in ran.err + ran.out
    assert PASSWORD not in ran.err + ran.out


def test_no_colour_and_no_progress_without_a_terminal(extcal: Extcal) -> None:
    """What a pipe gets holds no escape sequence and stderr nothing, even where colours are forced by habit."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more="state: absent"), connection(1))
    env = {**PASSWORD_ENV, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    ran = extcal.process("apply", "manifests", "--auto-approve", env=env)
    assert (ran.code, ran.err) == (0, "")
    assert "DISCONNECTS" in ran.out
    assert "\x1b" not in ran.out


def test_a_reader_that_goes_away_is_no_traceback(extcal: Extcal) -> None:
    """`| head` closes stdout: the command ends quietly."""
    extcal.on(world(harbor(*range(60), schedules=60), accounts=60))
    with extcal.started("connections", "--site-id", HARBOR, "--format", "json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(120) == 1
        assert process.stderr.read() == ""


def test_names_beyond_ascii_survive_any_locale(extcal: Extcal) -> None:
    """JSON is UTF-8 whatever the locale says, so that what is piped can be read."""
    extcal.write(site(), connection(0).replace("staff0@", "jürgen-日本@"))
    ran = extcal.process("plan", "manifests", "--format", "json", env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert ran.actions[0]["account"] == "jürgen-日本@harbor-dental.example"
