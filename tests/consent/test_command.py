"""`apply --consent`: where links are shown and where never, who is waited for, and how it ends."""

import csv
import json
import stat
import time
from pathlib import Path

import httpx
import pytest

from tests.consent.owners import allow, allow_only, deny, links
from tests.support import web
from tests.support.cli.command import COMMAND, Extcal
from tests.support.cli.schema import valid
from tests.support.cli.terminal import Terminal, terminal
from tests.support.cli.worlds import PASSWORD_ENV, connection, email, site

_HOME = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Home]}}"
_LINK = "/consent/"


@pytest.fixture
def two(extcal: Extcal) -> Extcal:
    """The command, with two connects that take their owners and one that does not."""
    extcal.env |= PASSWORD_ENV
    extcal.write(
        site(),
        connection(0),
        connection(1, provider="google", more=_HOME),
        connection(2, provider="google", more=_HOME),
    )
    return extcal


def asked(at: Terminal, *accounts: str) -> dict[str, str]:
    """Wait until the links of these accounts are shown; all links, by account."""
    for account in accounts:
        at.expect(f"  {account}  (google, ")
    at.expect(f"{len(accounts)} of {len(accounts)} still to answer: ")
    return links(at.seen)


def test_waiting_is_the_default_on_a_terminal(two: Extcal) -> None:
    """Both links are shown with whom they are for; one allows, one denies; the rest is done; exit 1 for the denial."""
    with terminal(two, "apply", "manifests", "--auto-approve") as at:
        found = asked(at, email(1), email(2))
        assert "Each owner must open their authorization link in a browser on this machine" in at.seen
        at.expect("done connect harbor/staff-0")
        assert "Connected" in allow(found[email(1)], email(1)).text
        at.expect(f"1 of 2 still to answer: {email(2)}")
        assert "Not connected" in deny(found[email(2)]).text
        assert at.ended() == 1
    report = at.seen.rpartition("\x1b[K")[2]
    assert "FAILED" in report
    assert "its owner refused access" in report
    assert report.endswith("Applied: 2 done, 1 FAILED.\n")
    assert _LINK not in report
    again = two("plan", "manifests", "--format", "json")
    assert {str(a["address"]): a["action"] for a in again.actions} == {
        "harbor/staff-0": "noop",
        "harbor/staff-1": "noop",
        "harbor/staff-2": "connect",
    }


def test_ctrl_c_while_waiting_leaves_a_true_report(two: Extcal) -> None:
    """One Ctrl-C ends the wait: what was done is done, who is missing awaits consent, and the exit code is 130."""
    with terminal(two, "apply", "manifests", "--auto-approve") as at:
        found = asked(at, email(1), email(2))
        allow(found[email(1)], email(1))
        at.expect("done connect harbor/staff-1")
        at.type("\x03")
        assert at.ended() == 130
    assert "interrupted before its owner answered" in at.seen
    assert at.seen.endswith("Interrupted: 2 done, 1 awaiting consent.\n")
    assert "Traceback" not in at.seen


def test_the_timeout_ends_the_wait_with_3(two: Extcal) -> None:
    """Who does not come back in time awaits consent, and the exit code says so; a browser later finds nobody."""
    with terminal(two, "apply", "manifests", "--auto-approve", "--consent-timeout", "1") as at:
        found = asked(at, email(1), email(2))
        assert at.ended() == 3
    assert "its owner did not answer within 1 s; apply again for a new link" in at.seen
    assert at.seen.endswith("Applied: 1 done, 2 awaiting consent.\n")
    landing = allow_only(found[email(1)], email(1))
    with pytest.raises(httpx.ConnectError):
        web.get(landing)
    # The link was late, and not in vain: the next run recognises the connection, and finishes it.
    ran = two("apply", "manifests", "--auto-approve", "--connection", "staff-1")
    assert "update harbor/staff-1" in ran.out
    assert ran.code == 0


def test_elsewhere_the_links_are_listed(two: Extcal) -> None:
    """Without a terminal nobody is waited for: the links are on stdout and nowhere else, and the exit code is 3."""
    ran = two("apply", "manifests", "--auto-approve", "--verbose")
    assert ran.code == 3
    assert set(links(ran.out)) == {email(1), email(2)}
    assert _LINK not in ran.err
    assert "connectByOAuth" in ran.err
    landing = allow_only(links(ran.out)[email(1)], email(1))
    assert landing.startswith("https://harbor-dental.example/done?connectionId=")
    later = two("apply", "manifests", "--auto-approve", "--consent", "skip")
    assert "done            update harbor/staff-1" in later.out
    assert "its owner was not asked for consent" in later.out
    assert _LINK not in later.out
    assert later.code == 3


def test_json_holds_the_links_and_no_other_output_does(two: Extcal) -> None:
    """The links are in apply's JSON; plans, saved plans, undo plans, Markdown, HTML and status never hold one."""
    ran = two("apply", "manifests", "--auto-approve", "--format", "json", "--undo-out", "undo.json")
    urls = {str(a["address"]): a["consent_url"] for a in valid(ran.document)["actions"]}  # type: ignore[attr-defined] # a list of objects, as the schema says
    assert _LINK in str(urls["harbor/staff-1"])
    assert urls["harbor/staff-0"] is None
    shown = [two("plan", "manifests", "--format", name).out for name in ("text", "json", "markdown", "html")]
    shown += [two("status", "manifests", "--format", name).out for name in ("text", "json", "html")]
    two("plan", "manifests", "--out", "saved.json")
    shown += [(two.folder / name).read_text() for name in ("saved.json", "undo.json")]
    assert all(_LINK not in text and "oauthUrl" not in text for text in shown)


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_file_keeps_the_links_to_itself(two: Extcal, output: str) -> None:
    """--consent-file: one JSON object a line, for its owner's eyes alone, and no link on stdout or stderr."""
    args = ("apply", "manifests", "--auto-approve", "--format", output, "--consent-file", "links.jsonl")
    ran = two(*args)
    assert ran.code == 3
    assert _LINK not in ran.out + ran.err
    assert "its link is in links.jsonl" in ran.out
    file = two.folder / "links.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [set(entry) for entry in kept] == [{"address", "account", "provider", "url"}] * 2
    assert {entry["account"] for entry in kept} == {email(1), email(2)}
    assert all(web.get(entry["url"]).status_code == 200 for entry in kept)
    two.sandbox.requests.clear()
    again = two(*args)
    assert again.code == 64
    assert "the file exists already" in again.err
    assert two.writes == []


@pytest.mark.parametrize("name", ["links.csv", "LINKS.CSV"])
def test_a_csv_file_is_for_a_mail_merge(two: Extcal, name: str) -> None:
    """A name that ends in .csv: a header and a row for each link, which works as it stands; no link elsewhere."""
    ran = two("apply", "manifests", "--auto-approve", "--consent-file", name)
    assert ran.code == 3
    assert _LINK not in ran.out + ran.err
    assert f"its link is in {name}" in ran.out
    file = two.folder / name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    raw = file.read_bytes()
    assert b"\r" not in raw
    assert raw.startswith(b"address,account,provider,url,schedule\n")
    rows = list(csv.DictReader(raw.decode().splitlines(), strict=True))
    assert {(row["address"], row["account"], row["provider"]) for row in rows} == {
        (f"harbor/staff-{number}", email(number), "google") for number in (1, 2)
    }
    assert len(rows) == 2
    assert all(web.get(row["url"]).status_code == 200 for row in rows)


def test_a_csv_file_holds_no_formula(extcal: Extcal) -> None:
    """An account that a spreadsheet would take for a formula is text there."""
    hostile = connection(1, provider="google", more=_HOME).replace(email(1), '"=cmd@x.example"')
    extcal.write(site(), hostile)
    assert extcal("apply", "manifests", "--auto-approve", "--consent-file", "links.csv").code == 3
    (row,) = csv.DictReader((extcal.folder / "links.csv").read_text().splitlines(), strict=True)
    assert row["account"] == "'=cmd@x.example"
    assert web.get(row["url"]).status_code == 200


def test_the_file_is_never_written_through_a_link(two: Extcal) -> None:
    """A symbolic link at its place, even one that leads nowhere, is refused before anything is asked for."""
    (two.folder / "links.jsonl").symlink_to("elsewhere")
    ran = two("apply", "manifests", "--auto-approve", "--consent-file", "links.jsonl")
    assert (ran.code, len(two.sandbox.requests)) == (64, 0)
    assert not (two.folder / "elsewhere").exists()
    nowhere = two("apply", "manifests", "--auto-approve", "--consent-file", "no/such/folder")
    assert (nowhere.code, len(two.sandbox.requests)) == (64, 0)
    assert "No such file or directory" in nowhere.err


@pytest.mark.parametrize("name", ["links.jsonl", "links.csv"])
def test_a_file_without_links_does_not_stay(extcal: Extcal, name: str) -> None:
    """Where nobody had to be asked, no file is left."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0))
    assert extcal("apply", "manifests", "--auto-approve", "--consent-file", name).code == 0
    assert not (extcal.folder / name).exists()


def test_a_full_disk_does_not_cost_the_report(two: Extcal) -> None:
    """A link that can't be kept is said to be lost, and shown nowhere; what can't be written down is not connected."""
    limited = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *COMMAND)
    # What measures coverage would want to write, too.
    unmeasured = {"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None}
    args = ("apply", "manifests", "--auto-approve", "--consent-file", "links.jsonl", "--format", "json")
    with two.started(*args, command=limited, env=unmeasured) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "File too large, so nothing was sent: a connect is recorded first" in out
    assert "File too large. The link was not saved; apply again." in err
    assert out.count("its link is lost; apply again for a new one") == 2
    assert _LINK not in out + err


def test_waiting_with_a_file_shows_no_link(two: Extcal) -> None:
    """On a terminal, too, the links are in the file only, there as soon as they are asked for."""
    file = two.folder / "links.jsonl"
    with terminal(two, "apply", "manifests", "--auto-approve", "--consent-file", str(file)) as at:
        at.expect("2 of 2 still to answer: ")
        for entry in map(json.loads, file.read_text().splitlines()):
            allow(entry["url"], entry["account"])
        assert at.ended() == 0
    assert _LINK not in at.seen


def test_waiting_with_json_shows_links_on_the_terminal_only(two: Extcal) -> None:
    """Stdout stays one document without links; a person at the terminal sees them, and answers."""
    args = ("apply", "manifests", "--auto-approve", "--format", "json")
    with terminal(two, *args) as at:
        for account, link in asked(at, email(1), email(2)).items():
            allow(link, account)
        assert at.ended() == 0
    document = at.seen[at.seen.index('{\n  "format_version"') :]
    assert {action["consent_url"] for action in json.loads(document)["actions"]} == {None}
    ran = two(*args, "--consent", "wait")
    assert ran.code == 64
    assert "has no terminal to show links on; add --consent-file FILE" in ran.err


def test_open_browser_opens_each_link(two: Extcal) -> None:
    """--open-browser hands every link to the browser that the system names; here it is one that allows."""
    opened = two.folder / "opened"
    browser = two.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o700)
    env = {"BROWSER": f"{browser} %s"}
    args = ("apply", "manifests", "--auto-approve", "--open-browser", "--consent", "wait")
    with terminal(two, *args, env=env) as at:
        found = asked(at, email(1), email(2))
        deadline = time.monotonic() + 120
        while not (opened.exists() and len(opened.read_text().splitlines()) == 2):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert sorted(opened.read_text().splitlines()) == sorted(found.values())
        for account, link in found.items():
            allow(link, account)
        assert at.ended() == 0


def test_a_browser_that_can_not_be_opened_is_no_failure(two: Extcal) -> None:
    """Where there is none, a warning says so, and the link is there to be opened by hand."""
    env = {"BROWSER": str(two.folder / "missing"), "PATH": "/nonexistent", "DISPLAY": None, "WAYLAND_DISPLAY": None}
    with terminal(two, "apply", "manifests", "--auto-approve", "--open-browser", env=env) as at:
        at.expect("no browser could be opened. Open the link yourself.")
        for account, link in asked(at, email(1), email(2)).items():
            allow(link, account)
        assert at.ended() == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ("--consent", "link", "--open-browser"),
            "--open-browser is for waiting for owners. Add --consent wait or poll.",
        ),
        (("--consent-timeout", "5"), "--consent-timeout is for waiting for owners. Add --consent wait or poll."),
        (("--consent", "skip", "--consent-file", "x"), "--consent-file and --consent skip exclude each other"),
        (("--consent", "wait", "--consent-timeout", "0"), "consent-timeout"),
        (("--consent", "later"), "consent"),
    ],
)
def test_options_that_do_not_fit_are_refused(two: Extcal, args: tuple[str, ...], said: str) -> None:
    """Wrong usage is told before anything is asked of the service."""
    ran = two("apply", "manifests", "--auto-approve", *args)
    assert ran.code == 64
    assert said in ran.err
    assert len(two.sandbox.requests) == 0


def test_a_saved_plan_can_be_waited_for(two: Extcal) -> None:
    """A plan that was saved waits for owners as well, at an address of its own, and finishes what they connect."""
    assert two("plan", "manifests", "--out", "saved.json").code == 0
    with terminal(two, "apply", "--plan", "saved.json", "--auto-approve") as at:
        for account, link in asked(at, email(1), email(2)).items():
            assert "Connected" in allow(link, account).text
        assert at.ended() == 0
    assert Path(two.folder / "saved.json").read_text().count(_LINK) == 0
