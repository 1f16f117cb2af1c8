"""Endpoint tricks don't help: no private address without the operator's word, no credential at another origin."""

import socket
from collections.abc import Iterator

import pytest

from reconciler.api.endpoint import check_public, parse_endpoint
from reconciler.errors import UsageError
from tests.promises.leak_stage import let_time_fly
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, connection, site
from tests.support.servers.scripted import Reply, Scripted, serving

PRIVATE = (
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "224.0.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "0",
    "10.1",
    "0xa000001",
    "167772161",
    "012.1",
    "2852039166",
    "10.0.0.1.",
    "[::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::10.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[2002:a00:1::1]",
)
PUBLIC = ("8.8.8.8", "134744072", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]", "[2002:808:808::1]")
OURS = ("127.0.0.1", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]")


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Scripted, Scripted]]:
    """A service, and a stranger's."""
    let_time_fly(monkeypatch)
    with serving() as first, serving() as second:
        yield first, second


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let the name service know `api.example` by these addresses; the names that it was asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str, port: int | None, *, type: int, flags: int) -> object:  # noqa: A002 - the system's name
        if flags & socket.AI_NUMERICHOST or host != "api.example":
            return real(host, port, type=type, flags=flags)
        asked.append(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [entry for address in addresses for entry in real(address, port, type=type, flags=flags)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused(bare: Extcal, host: str) -> None:
    """However an address is spelled, and through a proxy too: wrong usage, before a secret is even looked up."""
    for env in ({}, {"HTTPS_PROXY": "http://127.0.0.1:9"}):
        ran = bare("providers", "--site-id", HARBOR, "--endpoint", f"https://{host}", env=env)
        assert ran.code == 64
        (line,) = ran.err.splitlines()
        assert line.startswith("error: endpoint (--endpoint, EXTCAL_ENDPOINT): ")
        if "is not a URL" not in line:
            assert "is no public address" in line
            assert "EXTCAL_PRIVATE_ENDPOINT=1" in line


@pytest.mark.parametrize("host", PUBLIC + OURS)
def test_public_addresses_and_this_machine_are_fine(host: str) -> None:
    """What all the world can reach, and what only this machine can, is no private network."""
    try:
        endpoint = parse_endpoint(f"https://{host}")
    except UsageError as error:
        assert "is not a URL" in str(error)  # noqa: PT017 - httpx knows fewer spellings than the system
        return
    check_public(endpoint, resolve=True)


@pytest.mark.parametrize(
    "addresses", [("10.0.0.1",), ("8.8.8.8", "192.168.1.1"), ("2606:4700::1111", "fe80::1"), ("::ffff:a00:1",)]
)
def test_names_of_private_addresses_are_refused(
    bare: Extcal, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    """A name is asked for once, and any private address among its own is one too many."""
    asked = named(monkeypatch, *addresses)
    ran = bare("providers", "--site-id", HARBOR, "--endpoint", "https://api.example")
    assert ran.code == 64
    assert f"api.example ({addresses[-1]}) is no public address" in ran.err
    assert asked == ["api.example"]


def test_names_are_left_to_the_proxy(bare: Extcal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a proxy looks names up, nobody here does."""
    asked = named(monkeypatch, "10.0.0.1")
    ran = bare(
        "providers", "--site-id", HARBOR, "--endpoint", "https://api.example", env={"HTTPS_PROXY": "http://127.0.0.1:9"}
    )
    assert ran.code == 1
    assert "the environment variable EXTCAL_API_KEY, which holds this secret, is not set" in ran.err
    assert asked == []


def test_a_name_that_is_not_known_is_told_by_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name service that fails is no reason to call an address private."""
    named(monkeypatch)
    check_public("https://api.example", resolve=True)


@pytest.mark.parametrize(("word", "code"), [("1", 1), ("yes", 1), ("TRUE", 1), ("0", 64), ("", 64), ("10.0.0.1", 64)])
def test_the_operator_may_say_so(bare: Extcal, word: str, code: int) -> None:
    """EXTCAL_PRIVATE_ENDPOINT lets a private address pass, and only where it says yes."""
    ran = bare(
        "providers", "--site-id", HARBOR, "--endpoint", "https://10.0.0.1", env={"EXTCAL_PRIVATE_ENDPOINT": word}
    )
    assert ran.code == code
    assert ("EXTCAL_API_KEY, which holds this secret, is not set" in ran.err) == (code == 1)


def test_no_manifest_says_so(bare: Extcal) -> None:
    """Neither the endpoint nor leave to use a private one can stand in a manifest."""
    for field in ("endpoint: https://10.0.0.1", "privateEndpoint: true"):
        bare.write(site(more=field))
        assert "unknown field" in bare("validate", "manifests").err


_TARGETS = ("{stranger}/bookings", "//{host}/bookings", "http://x:y@{host}/", "/elsewhere", "")


# Every status, and every place to be led to; in a soak, all with all.
@pytest.mark.parametrize(
    ("status", "target"),
    [
        pytest.param(status, target, marks=() if status == 307 or target == _TARGETS[0] else pytest.mark.soak)
        for status in (301, 302, 303, 307, 308)
        for target in _TARGETS
    ],
)
def test_no_redirect_takes_a_credential_along(
    bare: Extcal, services: tuple[Scripted, Scripted], status: int, target: str
) -> None:
    """Where an answer leads to, be it there or elsewhere, nothing is asked at all; reads and writes alike."""
    service, stranger = services
    host = stranger.url.removeprefix("http://").replace("127.0.0.1", "localhost")
    location = target.format(stranger=stranger.url, host=host)
    service.otherwise = lambda: Reply(None, status, {"Location": location})
    bare.env |= {"EXTCAL_ENDPOINT": service.url, "EXTCAL_API_KEY": "key-for-the-service-alone"} | PASSWORD_ENV
    bare.write(site(), connection(0))
    for args in (("providers", "manifests"), ("plan", "manifests"), ("apply", "manifests", "--auto-approve")):
        ran = bare(*args)
        assert ran.code == 1
        assert "redirected to " in ran.err
    assert stranger.asked == []
    assert service.asked
    assert all(asked.path.startswith("/bookings/v2/external-calendars") for asked in service.asked)


def test_no_redirect_takes_a_password_along(extcal: Extcal, services: tuple[Scripted, Scripted]) -> None:
    """A write that is redirected has arrived once, where it was meant for, and its password nowhere else."""
    service, stranger = services
    # Sites are read concurrently: one answer must do for both listings.
    service.script(*[Reply({"providers": [_APPLE], "connections": []})] * 3)
    service.otherwise = lambda: Reply(None, 307, {"Location": f"{stranger.url}/stolen"})
    extcal.write(site(), connection(0))
    env = {"EXTCAL_ENDPOINT": service.url, "EXTCAL_STATE_DIR": str(extcal.folder / "state")} | PASSWORD_ENV
    ran = extcal("apply", "manifests", "--auto-approve", env=env)
    assert ran.code == 1
    assert any(asked.path.endswith(":connectByCredentials") for asked in service.asked)
    assert stranger.asked == []


_APPLE = {
    "id": "f8b9a061-f8b3-4eed-af9d-63801dcec25d",
    "name": "Apple",
    "calendarType": "I_CAL",
    "features": {
        "connectMethods": ["CREDENTIALS"],
        "updateSyncConfig": True,
        "listEventFromCalendars": "SPECIFIC_CALENDARS",
        "syncToCalendar": "DEDICATED_CALENDAR",
    },
}
