"""`extcal watch --notify` as its users run it: who is told what, when, and never twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.sandbox.contract import Status
from reconciler.sandbox.world import World
from tests.support.cli.command import Extcal
from tests.support.cli.watcher import Watcher, watching
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    PASSWORD,
    PASSWORD_ENV,
    connected,
    connection,
    email,
    harbor,
    site,
    world,
)
from tests.support.mail_server import mail_server
from tests.support.servers.webhook import Webhook, webhook
from tests.support.timeouts import until

TOKEN = "a7token9of3the5hook"


@pytest.fixture
def hook(extcal: Extcal) -> Iterator[Webhook]:
    """A receiver of alerts, which the environment names; two connections that are as declared."""
    with webhook(TOKEN) as receiver:
        state = str(extcal.folder / "state")
        extcal.env |= {"EXTCAL_NOTIFY_URLS": receiver.url, "EXTCAL_STATE_DIR": state, **PASSWORD_ENV}
        extcal.on(world(harbor(0, 1)))
        extcal.write(site(), *(connection(number, more=BUSY) for number in range(2)))
        yield receiver


def broken(*numbers: int, reason: str = "TOKEN_REVOKED", of: int = 2) -> World:
    """Harbor Dental, some of whose connections are in error."""
    rows = [
        replace(connected(n), status=Status.ERROR, error_reason=reason) if n in numbers else connected(n)
        for n in range(of)
    ]
    return world(replace(harbor(), connections=tuple(rows)))


def rounds(watcher: Watcher, count: int = 1) -> None:
    """Wait for so many rounds."""
    for _ in range(count):
        watcher.until(" round ")


def told_file(extcal: Extcal) -> Path:
    """Where a watch of Harbor Dental remembers what was told."""
    (file,) = [each for each in extcal.folder.rglob("alerts") if each.is_file()]
    return file


def test_what_breaks_is_told_with_its_address_and_nothing_else_is(extcal: Extcal, hook: Webhook) -> None:
    """The first alert is not held back; a round without news says nothing, nor do stdout and the lines a secret."""
    with watching(extcal, "--notify", "--verbose") as watcher:
        watcher.ready()
        rounds(watcher)
        extcal.on(broken(1))
        watcher.hurry()
        alert = hook.next()
        assert alert.title == "extcal: broke: 1"
        assert alert.text == f"Broke: access was revoked\n- harbor/staff-1: in error, {email(1)}"
        assert alert.kind == "failure"
        rounds(watcher)
        watcher.hurry()
        rounds(watcher)
        assert watcher.sample("extcal_alerts_sent_total") == 1
        assert watcher.sample("extcal_alert_failures_total") == 0
        assert watcher.end() == 0
        assert TOKEN not in "\n".join(watcher.lines)
    assert hook.all() == []
    assert TOKEN not in told_file(extcal).read_text()
    assert told_file(extcal).stat().st_mode & 0o777 == 0o600


def test_a_restart_and_another_error_text_alert_nobody_anew(extcal: Extcal, hook: Webhook) -> None:
    """What happened while it was down is told once: here one recovers, and another breaks."""
    extcal.on(broken(0))
    with watching(extcal, "--notify", "--verbose") as watcher:
        assert "harbor/staff-0: in error" in hook.next().text
        rounds(watcher)
        watcher.end()
    extcal.on(broken(0, reason="ACCOUNT_SUSPENDED"))
    with watching(extcal, "--notify", "--verbose") as watcher:
        rounds(watcher)
        watcher.end()
    assert hook.all() == []
    extcal.on(broken(1))
    with watching(extcal, "--notify", "--verbose"):
        assert hook.next().text.splitlines() == [
            "Broke: access was revoked",
            f"- harbor/staff-1: in error, {email(1)}",
            "Recovered",
            f"- harbor/staff-0: ok, {email(0)}",
        ]


def test_what_is_lost_while_the_watch_is_down_is_told(extcal: Extcal, hook: Webhook) -> None:
    """Though the service lists it no longer: that it stood was written down. What never stood is no alert."""
    extcal.on(world(harbor(0)))
    with watching(extcal, "--notify", "--verbose") as watcher:
        rounds(watcher)
        watcher.end()
    assert hook.all() == []
    extcal.on(world(harbor()))
    with watching(extcal, "--notify"):
        lines = hook.next().text.splitlines()
    assert lines[0].startswith("Broke: was connected and is no longer listed")
    assert lines[1:] == [f"- harbor/staff-0: missing, {email(0)}"]


def test_everything_broken_at_first_is_one_alert_that_is_bounded(extcal: Extcal, hook: Webhook) -> None:
    """It names the first, says how many there are, and fits a chat."""
    count = 60
    live = harbor(schedules=count)
    rows = tuple(replace(connected(n), status=Status.ERROR, error_reason="TOKEN_REVOKED") for n in range(count))
    extcal.on(world(replace(live, connections=rows), accounts=count))
    extcal.write(site(), *(connection(number, more=BUSY) for number in range(count)))
    with watching(extcal, "--notify", "--verbose") as watcher:
        alert = hook.next()
        rounds(watcher)
        watcher.hurry()
        rounds(watcher)
    lines = alert.text.splitlines()
    assert alert.title == "extcal: broke: 60"
    assert lines[0] == "Broke: access was revoked"
    assert lines[1] == f"- harbor/staff-0: in error, {email(0)}"
    assert lines[-1] == "and 40 more; extcal status shows all"
    assert len(lines) == 22
    assert len(alert.text) < 2000
    assert hook.all() == []


def test_drift_and_its_end_are_told(extcal: Extcal, hook: Webhook) -> None:
    """In two runs, so that no pause lies between."""
    extcal.write(site(), connection(0, more=EXPORTING), connection(1, more=BUSY))
    with watching(extcal, "--notify", "--verbose") as watcher:
        alert = hook.next()
        rounds(watcher)
        watcher.end()
    assert alert.text.startswith("Not as declared: sync config differs in ")
    assert alert.text.endswith(f"\n- harbor/staff-0: drifted, {email(0)}")
    extcal.write(site(), connection(0, more=BUSY), connection(1, more=BUSY))
    with watching(extcal, "--notify"):
        after = hook.next()
    assert after.text == f"As declared again\n- harbor/staff-0: ok, {email(0)}"
    assert after.kind == "success"


def test_what_is_applied_in_vain_is_told_once(extcal: Extcal, hook: Webhook) -> None:
    """A new connection whose password is wrong is not as declared, in the words of what was tried."""
    extcal.env["EXTCAL_APP_PASSWORD"] = "another-than-theirs"
    extcal.write(site(), connection(2, more=BUSY))
    with watching(extcal, "--notify", "--verbose", "--apply", "--auto-approve") as watcher:
        alert = hook.next()
        rounds(watcher)
        watcher.hurry()
        rounds(watcher)
    first, *named = alert.text.splitlines()
    assert first.startswith("Not as declared: ")
    assert "password" in first
    assert named == [f"- harbor/staff-2: missing, {email(2)}"]
    assert hook.all() == []


def test_a_receiver_that_fails_gets_it_after_a_later_round(extcal: Extcal, hook: Webhook) -> None:
    """It is told on stderr and counted, without the URL; then the alert comes, once."""
    hook.status = 500
    extcal.on(broken(0))
    with watching(extcal, "--notify", "--verbose") as watcher:
        watcher.ready()
        line = watcher.until("did not arrive")
        assert line.endswith(
            "URL 1 (json, 127.0.0.1): an alert did not arrive: not accepted, or not reached; it is "
            "sent again after a later round"
        )
        assert watcher.sample("extcal_alert_failures_total") == 1
        hook.status = 200
        watcher.hurry()
        assert "harbor/staff-0: in error" in hook.next().text
        assert watcher.end() == 0
        assert TOKEN not in "\n".join(watcher.lines)


def test_a_receiver_that_hangs_holds_up_neither_rounds_nor_the_end(extcal: Extcal, hook: Webhook) -> None:
    """Rounds go on while an alert is under way; what did not arrive is told by the next watch."""
    hook.free.clear()
    extcal.on(broken(0))
    with watching(extcal, "--notify", "--verbose") as watcher:
        rounds(watcher)
        for _ in range(3):
            watcher.hurry()
            rounds(watcher)
        assert watcher.end() == 0
    hook.free.set()
    with watching(extcal, "--notify"):
        assert "harbor/staff-0: in error" in hook.next().text


def test_a_receiver_that_fails_does_not_keep_others_from_theirs(extcal: Extcal, hook: Webhook) -> None:
    """The one gets it at once, the other after a later round of the same watch is due."""
    with webhook() as other:
        other.status = 503
        extcal.env["EXTCAL_NOTIFY_URLS"] = f"{other.url} {hook.url}"
        extcal.on(broken(0))
        with watching(extcal, "--notify", "--verbose") as watcher:
            hook.next()
            watcher.until("URL 1 (json, 127.0.0.1): an alert did not arrive")
            watcher.end()
        assert hook.all() == []
        assert other.all() == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1, "alerts": {"subjects": 1}}', b"\xff\x00" * 9])
def test_a_memory_that_can_not_be_read_is_told_and_floods_nobody(extcal: Extcal, hook: Webhook, content: bytes) -> None:
    """What is wrong comes once more, in one alert, and the file is written anew."""
    extcal.on(broken(0))
    with watching(extcal, "--notify", "--verbose") as watcher:
        first = hook.next()
        rounds(watcher)
        watcher.end()
    told_file(extcal).write_bytes(content)
    with watching(extcal, "--notify", "--verbose") as watcher:
        watcher.until("so it is not known what was told")
        assert hook.next() == first
        watcher.end()
    with watching(extcal, "--notify", "--verbose") as watcher:
        rounds(watcher)
        watcher.end()
    assert hook.all() == []


def test_manifests_that_can_not_be_used_are_told_with_their_end(extcal: Extcal, hook: Webhook) -> None:
    """And no connection is told to have changed meanwhile."""
    good = (extcal.folder / "manifests/all.yaml").read_text()
    extcal.write(good.replace("provider: apple", "provider: [apple]"))
    with watching(extcal, "--notify", "--verbose") as watcher:
        alert = hook.next()
        rounds(watcher)
        watcher.end()
    assert alert.title == "extcal: the manifests can't be used: 1"
    assert alert.text.startswith("The manifests can't be used: manifests/all.yaml:")
    extcal.write(good)
    with watching(extcal, "--notify"):
        assert hook.next().text == "The manifests can be used again\n- extcal watch"


def test_a_guard_that_stops_an_apply_is_told(extcal: Extcal, hook: Webhook) -> None:
    """Where something would be applied; without --apply nothing is stopped."""
    kept = "lifecycle: {preventDisconnect: true}"
    extcal.write(site(), connection(0, more=BUSY), connection(1, more=f"{kept}\nstate: absent"))
    with watching(extcal, "--notify", "--verbose") as watcher:
        rounds(watcher)
        watcher.end()
    before = hook.all()
    with watching(extcal, "--notify", "--apply", "--auto-approve"):
        alert = hook.next()
    assert "guard" not in "".join(each.text for each in before).lower()
    assert alert.text == f"A guard holds changes back: guard prevent-disconnect\n- harbor/staff-1: drifted, {email(1)}"


def test_a_site_is_unreadable_after_three_rounds(extcal: Extcal, hook: Webhook) -> None:
    """Fewer are nothing, and the connections are not said to have changed; then it can be read again."""
    with watching(
        extcal,
        "--notify",
        "--verbose",
    ) as watcher:
        rounds(watcher)
        watcher.end()
    key = extcal.env["EXTCAL_API_KEY"]
    extcal.env["EXTCAL_API_KEY"] = "another-key-93"
    with watching(extcal, "--notify", "--verbose") as watcher:
        rounds(watcher)
        watcher.hurry()
        rounds(watcher)
        assert hook.all() == []
        watcher.hurry()
        alert = hook.next()
        watcher.end()
    assert alert.text.startswith("Can't be read: ")
    assert alert.text.endswith("\n- harbor: not read")
    extcal.env["EXTCAL_API_KEY"] = key
    with watching(extcal, "--notify"):
        assert hook.next().text == "Can be read again\n- harbor: read"


def test_a_consent_is_told_when_it_is_awaited_for_long(extcal: Extcal, hook: Webhook) -> None:
    """With --consent-after 0 at once; by itself, being awaited is no alert."""
    extcal.write(site(), connection(0, provider="google", more=BUSY), connection(1, more=BUSY))
    with watching(extcal, "--notify", "--verbose") as watcher:
        rounds(watcher)
        watcher.end()
    assert [
        line for each in hook.all() for line in each.text.splitlines() if "staff-0" in line and "consent" in line
    ] == []
    with watching(extcal, "--notify", "--consent-after", "0"):
        lines = hook.next().text.splitlines()
    assert lines[0].startswith("Consent is awaited: ")
    assert lines[1] == f"- harbor/staff-0: awaiting consent, {email(0)}"


def test_an_alert_comes_by_mail_as_plain_text(extcal: Extcal, hook: Webhook) -> None:
    """To the mailbox that the URL names, over SMTP."""
    del hook
    with mail_server() as server:
        urls = f"mailto://127.0.0.1:{server.port}?mode=insecure&from=watch@ops.example&to=oncall@ops.example"
        extcal.env["EXTCAL_NOTIFY_URLS"] = urls
        extcal.on(broken(0))
        with watching(extcal, "--notify", "--verbose"):
            until(lambda: server.received)
        (mail,) = server.received
        assert mail.recipients == ("oncall@ops.example",)
        assert mail.message["Subject"] == "extcal: broke: 1"
        assert mail.message.get_content_type() == "text/plain"
        assert f"- harbor/staff-0: in error, {email(0)}" in mail.message.get_content()


def test_no_name_rings_everybody_up_and_no_secret_is_sent(extcal: Extcal, hook: Webhook) -> None:
    """Whatever an account, which the service lists, or an error says."""
    hostile = f"<!channel>@everyone {PASSWORD} [x](http://evil.example)"
    row = replace(connected(0), status=Status.ERROR, error_reason=hostile)
    extcal.on(world(replace(harbor(), connections=(row, connected(1)))))
    with watching(extcal, "--notify", "--verbose") as watcher:
        alert = hook.next()
        watcher.end()
    for found in ("<", "@everyone", PASSWORD, "http://", "]("):
        assert found not in alert.title + alert.text


def test_what_comes_soon_after_an_alert_is_gathered(extcal: Extcal, hook: Webhook) -> None:
    """It is held back for minutes, and not lost by a restart; what came and went meanwhile is not told."""
    extcal.on(broken(0))
    with watching(extcal, "--notify", "--verbose") as watcher:
        watcher.ready()
        hook.next()
        rounds(watcher)
        for world_ in (broken(0, 1), broken(), broken(1)):
            extcal.on(world_)
            watcher.hurry()
            rounds(watcher)
        assert watcher.sample("extcal_alerts_sent_total") == 1
        watcher.end()
    assert hook.all() == []
    with watching(extcal, "--notify"):
        assert hook.next().title == "extcal: broke: 1, and 1 more"
