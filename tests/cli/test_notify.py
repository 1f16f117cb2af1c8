"""`extcal notify --test`, and the URLs that it shares with `watch --notify`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import connection, site
from tests.support.servers.webhook import webhook

TOKEN = "b8token7of2the9hook"


def test_a_sample_goes_to_each_url(extcal: Extcal) -> None:
    """Each is told by position, scheme and host; 1 where one failed. No token is shown."""
    with webhook(TOKEN) as good, webhook(TOKEN) as bad:
        bad.status = 403
        ran = extcal.process("notify", "--test", env={"EXTCAL_NOTIFY_URLS": f"{good.url}\n{bad.url}"})
        assert (ran.code, ran.err) == (1, "")
        assert ran.out.splitlines() == [
            "URL 1 (json, 127.0.0.1): sent",
            "URL 2 (json, 127.0.0.1): not accepted, or not reached",
        ]
        sample = good.next()
        assert sample.title == "extcal: a test"
        assert "example-site/example-connection: in error" in sample.text
        assert extcal.process("notify", "--test", env={"EXTCAL_NOTIFY_URLS": good.url}).code == 0


def test_urls_come_from_a_file_among_the_secrets(extcal: Extcal, tmp_path: Path) -> None:
    """One a line; comments and blank lines are nothing. The environment goes first."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    with webhook(TOKEN) as hook:
        (folder / "notify-urls").write_text(f"# who is on call\n\n{hook.url}\n")
        ran = extcal.process("notify", "--test", env={"EXTCAL_SECRETS_DIR": str(folder)})
        assert (ran.code, ran.out) == (0, "URL 1 (json, 127.0.0.1): sent\n")


@pytest.mark.parametrize(
    "url",
    [
        f"nonsense://{TOKEN}",
        f"slack://{TOKEN}",
        f"{TOKEN}",
        f"file:///etc/{TOKEN}",
        f"syslog://{TOKEN}",
        f"dbus://{TOKEN}",
        f"vapid://{TOKEN}@example.com",
        f"fcm://{TOKEN}/project?keyfile=/etc/passwd",
        f"mailto://a:{TOKEN}@example.com?pgpkey=/etc/passwd",
        f"slack://{TOKEN}?template=/etc/passwd",
        f"json://[{TOKEN}",
    ],
)
def test_a_wrong_url_is_named_by_its_position_and_not_shown(extcal: Extcal, url: str) -> None:
    """What Apprise does not know, what stays on this machine, and what reads its files."""
    with webhook() as hook:
        ran = extcal.process("notify", "--test", env={"EXTCAL_NOTIFY_URLS": f"{hook.url} {url}"})
        assert ran.code == 64, ran
        assert ran.err.startswith("error: URL 2 for alerts ") or ran.err.startswith("error: URL 2 for alerts: ")
        assert TOKEN not in ran.out + ran.err
        assert hook.asked == 0


@pytest.mark.parametrize("args", [("notify", "--test"), ("watch", "manifests", "--notify")])
def test_without_a_url_it_says_where_to_put_one(extcal: Extcal, args: tuple[str, ...]) -> None:
    """A wrong usage, before anything is asked."""
    extcal.write()
    ran = extcal(*args)
    assert ran.code == 64
    assert "no URL for alerts. Set EXTCAL_NOTIFY_URLS" in ran.err
    assert extcal("notify").code == 64


def test_a_webhook_that_leads_elsewhere_is_not_followed(extcal: Extcal) -> None:
    """What an alert names goes to whom the operator named."""
    with webhook() as hook:
        hook.status = 307
        ran = extcal.process("notify", "--test", env={"EXTCAL_NOTIFY_URLS": hook.url})
        assert ran.code == 1
        assert hook.asked == 1


def test_apprise_is_missed_only_by_who_wants_alerts(extcal: Extcal) -> None:
    """It says what to install."""
    program = (
        "import sys; sys.modules['apprise'] = None\n"
        "from reconciler.cli.main import main\n"
        "sys.argv = ['extcal', 'notify', '--test']\n"
        "main()"
    )
    env = extcal.environment({"EXTCAL_NOTIFY_URLS": "json://127.0.0.1"})
    ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "error: alerts need apprise. Install it: pip install 'extcal[notify]'\n"


@pytest.mark.parametrize("secret", ["env: EXTCAL_NOTIFY_URLS", "file: notify-urls", "file: ./x/../notify-urls"])
def test_no_manifest_may_refer_to_the_urls(extcal: Extcal, tmp_path: Path, secret: str) -> None:
    """Else it could have them sent to a provider, as a password."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/notify-urls").write_text(f"json://127.0.0.1/{TOKEN}")
    env = {"EXTCAL_NOTIFY_URLS": f"json://127.0.0.1/{TOKEN}", "EXTCAL_SECRETS_DIR": str(tmp_path / "secrets")}
    extcal.write(site(), connection(0).replace("env: EXTCAL_APP_PASSWORD", secret))
    ran = extcal("apply", "manifests", "--auto-approve", env=env)
    assert ran.code == 1
    assert TOKEN not in ran.out + ran.err
    assert extcal.writes == []
