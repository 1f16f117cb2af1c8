"""`extcal sandbox`: the API on this machine, for as long as somebody wants it."""

import json
import signal
import socket
from contextlib import closing

import pytest

from tests.support.cli.command import Extcal


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_serve_says_when_it_is_ready_and_ends_when_told(bare: Extcal, number: signal.Signals) -> None:
    """With --json one line on stdout says how to reach it; another extcal then does; a signal ends it with 0."""
    with bare.started("sandbox", "serve", "--data", "data", "--json") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert {"endpoint", "api_key", "sites"} <= set(ready)
        assert len(ready["sites"]) == 2
        env = {"EXTCAL_ENDPOINT": ready["endpoint"], "EXTCAL_API_KEY": ready["api_key"]}
        for site in ready["sites"]:
            assert {"site_id", "name", "instance_id", "schedules", "accounts"} <= set(site)
            ran = bare("schedules", "--site-id", site["site_id"], "--format", "json", env=env)
            assert {row["id"] for row in ran.rows} == {schedule["id"] for schedule in site["schedules"]}
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "", "")
    assert [path.name for path in bare.folder.iterdir()] == ["data"]


def test_serve_tells_people_what_to_export(bare: Extcal) -> None:
    """Without --json it names the address, the data, how to end it, a line for the shell, and the sites with ids."""
    with bare.started("sandbox", "serve") as process:
        assert process.stdout is not None
        first, second, *sites = (process.stdout.readline() for _ in range(5))
        process.terminate()
        process.communicate(timeout=120)
    assert first.startswith("Serving the External Calendars API on http://127.0.0.1:")
    assert second.startswith("  export EXTCAL_ENDPOINT=http://127.0.0.1:")
    assert " EXTCAL_API_KEY=" in second
    assert sites == [
        "Its sites, each opened by that key:\n",
        "  7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b  Harbor Dental\n",
        "  5b0c9d1e-84a7-4f3e-b2d6-90c1a7e4f823  Lakeside Physio\n",
    ]


def test_a_port_that_is_taken_is_told(bare: Extcal) -> None:
    """The address is named and another port advised."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ran = bare("sandbox", "serve", "--port", str(port), "--data", "data")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: sandbox: can't listen on 127.0.0.1:{port}")


def test_reset_lets_the_next_start_be_fresh(bare: Extcal) -> None:
    """What was connected is gone after a reset; --quiet says nothing about it."""
    connect = {
        "manifests": (
            "apiVersion: extcal/v1\nkind: Site\nmetadata: {name: h}\n"
            "spec: {siteId: 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b, auth: {apiKey: {env: EXTCAL_API_KEY}}}\n"
            "---\napiVersion: extcal/v1\nkind: Connection\nmetadata: {name: lee}\n"
            "spec:\n  schedule: {name: Dr. Lee}\n  provider: apple\n  account: lee@harbor-dental.example\n"
            "  credentials: {password: {env: EXTCAL_LEE}}\n"
        )
    }
    bare.write(connect["manifests"])
    env = {"EXTCAL_LEE": "seagull-lantern-41"}
    assert bare("apply", "manifests", "--sandbox=data", "--auto-approve", env=env).code == 0
    listing = ("connections", "--sandbox=data", "--site", "Harbor Dental", "--format", "json")
    assert len(bare(*listing).rows) == 1
    told = bare("sandbox", "reset", "--data", "data")
    assert (told.code, told.out, told.err) == (0, "", "The sandbox's data in data was deleted.\n")
    assert bare(*listing).rows == []
    assert bare("sandbox", "reset", "--data", "data", "--quiet").err == ""


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_reset_says_where_there_was_nothing(bare: Extcal, folder: str) -> None:
    """A folder without a sandbox's data, one that was mistyped, say, is not said to be gone."""
    (bare.folder / "empty").mkdir()
    told = bare("sandbox", "reset", "--data", folder)
    assert (told.code, told.err) == (0, f"{folder} holds no data of a sandbox. Nothing was deleted.\n")


@pytest.mark.parametrize("named", ["option", "environment"])
def test_the_sandbox_that_is_named_is_the_one_that_is_meant(bare: Extcal, named: str) -> None:
    """--sandbox and EXTCAL_SANDBOX name the folder as they do everywhere; no other one is written to or deleted."""
    for folder in ("mine", ".extcal"):
        assert bare("schedules", f"--sandbox={folder}").code == 0
    args, env = (("--sandbox=mine",), {}) if named == "option" else ((), {"EXTCAL_SANDBOX": "mine"})
    added = bare(
        "sandbox", "events", "add", "--schedule", "Dr. Lee", "--title", "Check-up",
        "--start", "2030-01-15T09:00:00Z", "--end", "2030-01-15T09:30:00Z", *args, env=env,
    )  # fmt: skip
    assert added.code == 0
    listed = {
        folder: bare("sandbox", "events", "list", "--data", folder, "--format", "json").rows
        for folder in ("mine", ".extcal")
    }
    assert ([row["id"] for row in listed["mine"]], listed[".extcal"]) == ([added.out.strip()], [])
    ended = bare("sandbox", "reset", *args, env=env)
    assert (ended.code, ended.err) == (0, "The sandbox's data in mine was deleted.\n")
    assert not (bare.folder / "mine/sandbox.sqlite3").exists()
    assert (bare.folder / ".extcal/sandbox.sqlite3").exists()


def test_two_folders_are_refused(bare: Extcal) -> None:
    """Where --data and --sandbox differ nothing is deleted; --data goes before the environment."""
    assert bare("schedules", "--sandbox=mine").code == 0
    ran = bare("sandbox", "reset", "--data", "other", "--sandbox=mine")
    assert (ran.code, ran.out) == (64, "")
    assert "--data other and --sandbox mine name two folders" in ran.err
    assert (bare.folder / "mine/sandbox.sqlite3").exists()
    assert bare("sandbox", "reset", "--data", "mine", env={"EXTCAL_SANDBOX": "other"}).code == 0
    assert not (bare.folder / "mine/sandbox.sqlite3").exists()


def test_reset_deletes_nothing_that_is_not_its_own(bare: Extcal) -> None:
    """A folder of somebody else's is refused and left as it is."""
    bare.write("precious", to="mine/notes.txt")
    ran = bare("sandbox", "reset", "--data", "mine")
    assert ran.code == 1
    assert ran.err.startswith("error: sandbox: mine: ")
    assert (bare.folder / "mine/notes.txt").read_text() == "precious"


def test_a_data_folder_that_cannot_be_used_is_told(bare: Extcal) -> None:
    """Where DIR is a file, the error names it; a plan asked for as JSON stays a document."""
    bare.write("a file", to="taken")
    bare.write(
        "apiVersion: extcal/v1\nkind: Site\nmetadata: {name: h}\n"
        "spec: {siteId: 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b, auth: {apiKey: {env: EXTCAL_API_KEY}}}\n"
    )
    for args in (("schedules", "--sandbox=taken"), ("sandbox", "serve", "--data", "taken")):
        ran = bare(*args)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("error: sandbox: taken: can't write the sandbox's data")
    document = bare("plan", "manifests", "--sandbox=taken", "--format", "json").document
    assert document["actions"] == []
    assert "taken: can't write" in json.dumps(document["errors"])
