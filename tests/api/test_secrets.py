"""References to secrets: what may be read, and what is said where it may not."""

import base64
import json
import os
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.secrets import NOTIFY_FILE, OWN, SETTINGS, Secrets
from reconciler.errors import SecretError
from reconciler.model.desired import SecretKind, SecretRef
from tests.support.profiles import examples

VALUE = "sw0rdfish-of-the-site"


def env(name: str) -> SecretRef:
    """A reference to an environment variable."""
    return SecretRef(SecretKind.ENV, name)


def file(name: str) -> SecretRef:
    """A reference to a file."""
    return SecretRef(SecretKind.FILE, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of secrets, with one beside it that must stay out of reach."""
    (tmp_path / "outside").write_text(VALUE)
    inside = tmp_path / "secrets"
    inside.mkdir()
    return inside


@pytest.mark.parametrize("name", sorted(SETTINGS | OWN))
def test_no_manifest_refers_to_what_is_the_operators(name: str) -> None:
    """Who can change a manifest could else have it sent to a service as a password."""
    with pytest.raises(SecretError, match="a setting of whoever runs extcal") as caught:
        Secrets({name: VALUE}, None).resolve(env(name))
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("name", [NOTIFY_FILE, f"./{NOTIFY_FILE}", f"sub/{NOTIFY_FILE}"])
def test_no_manifest_refers_to_the_file_of_receivers(folder: Path, name: str) -> None:
    """Neither by its name nor by a link to it; a file of that name elsewhere is one like any other."""
    (folder / NOTIFY_FILE).write_text(VALUE)
    (folder / "sub").mkdir()
    (folder / "sub" / NOTIFY_FILE).symlink_to(folder / NOTIFY_FILE)
    with pytest.raises(SecretError, match="a setting of whoever runs extcal"):
        Secrets({}, folder).resolve(file(name))


def test_environment_names_resolve() -> None:
    """A variable that begins with EXTCAL_ is read as it is."""
    assert Secrets({"EXTCAL_KEY": VALUE}, None).resolve(env("EXTCAL_KEY")) == VALUE


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("HOME", "must begin with EXTCAL_"),
        ("extcal_KEY", "must begin with EXTCAL_"),
        ("EXTCAL_UNSET", "the environment variable EXTCAL_UNSET, which holds this secret, is not set"),
        ("EXTCAL_EMPTY", "is empty"),
        ("EXTCAL_LINES", "control character or a line break"),
        ("EXTCAL_BYTES", "is not UTF-8 text"),
        ("EXTCAL_HUGE", "larger than 64 KiB"),
        ("EXTCAL_SHORT", "has fewer than 6 characters"),
    ],
)
def test_environment_names_that_do_not_resolve(name: str, message: str) -> None:
    """Each fault names the reference and what to do, and shows no value."""
    environ = {
        "HOME": VALUE,
        "extcal_KEY": VALUE,
        "EXTCAL_EMPTY": "",
        "EXTCAL_LINES": f"{VALUE}\nX-Evil: 1",
        "EXTCAL_BYTES": f"{VALUE}\udcff",
        "EXTCAL_HUGE": VALUE * 9999,
        "EXTCAL_SHORT": VALUE[:5],
    }
    with pytest.raises(SecretError, match=message) as caught:
        Secrets(environ, None).resolve(env(name))
    assert name in str(caught.value)
    assert VALUE not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "value"), [(VALUE, VALUE), (f"{VALUE}\n", VALUE), (f"{VALUE}\r\n", VALUE), (f" {VALUE} ", f" {VALUE} ")]
)
def test_files_resolve_without_their_last_newline(folder: Path, text: str, value: str) -> None:
    """A file is read as it is, but for one newline at its end."""
    (folder / "staff").mkdir()
    (folder / "staff" / "lee").write_bytes(text.encode())
    assert Secrets({}, folder).resolve(file("staff/lee")) == value


def test_links_inside_the_folder_resolve(folder: Path) -> None:
    """Links that stay inside are followed: mounted secrets are made of them."""
    (folder / "..data").mkdir()
    (folder / "..data" / "lee").write_text(VALUE)
    (folder / "lee").symlink_to(Path("..data") / "lee")
    assert Secrets({}, folder).resolve(file("lee")) == VALUE


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../outside", "without '..'"),
        ("a/../../outside", "without '..'"),
        ("/etc/hostname", "without '..'"),
        ("", "without '..'"),
        ("a\0b", "without '..'"),
        ("missing", "No such file or directory"),
        ("x" * 5000, "can't be read"),
        ("\udcff", "can't be read"),
        ("link", "a link that leaves"),
        ("linked-folder/outside", "a link that leaves"),
        ("loop", "can't be read"),
        ("dir", "is a folder, not a file"),
        ("pipe", "is a pipe, not a file"),
        ("empty", "is empty"),
        ("newline", "is empty"),
        ("two-lines", "control character or a line break"),
        ("latin", "is not UTF-8 text"),
        ("huge", "larger than 64 KiB"),
        ("short", "has fewer than 6 characters"),
    ],
)
def test_files_that_do_not_resolve(folder: Path, name: str, message: str) -> None:
    """Paths that leave the folder, and what is no small text file, are refused without waiting or reading on."""
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "linked-folder").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "dir").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "empty").write_bytes(b"")
    (folder / "newline").write_bytes(b"\n")
    (folder / "two-lines").write_text(f"{VALUE}\n\n")
    (folder / "latin").write_bytes(f"{VALUE}é".encode("latin-1"))
    (folder / "huge").write_text(VALUE * 9999)
    (folder / "short").write_text(f"{VALUE[:5]}\n")
    with pytest.raises(SecretError, match=message) as caught:
        Secrets({}, folder).resolve(file(name))
    assert "the secret file:" in str(caught.value)
    assert VALUE not in str(caught.value)
    assert caught.value.__cause__ is None


def test_files_need_a_folder(tmp_path: Path) -> None:
    """Without a folder, or with one that is not there, the error says which variable names it."""
    with pytest.raises(SecretError, match="set EXTCAL_SECRETS_DIR"):
        Secrets({}, None).resolve(file("lee"))
    with pytest.raises(SecretError, match="No such file"):
        Secrets({}, tmp_path / "missing").resolve(file("lee"))


def test_unreadable_files_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the system does not let us read is an error that says so."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (folder / "lee").write_text(VALUE)
    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SecretError, match="file:lee can't be read: Permission denied"):
        Secrets({}, folder).resolve(file("lee"))


def test_references_are_shown_harmlessly() -> None:
    """A reference's name comes from a manifest: it can't write to the terminal."""
    with pytest.raises(SecretError) as caught:
        Secrets({}, None).resolve(env("EXTCAL_\x1b[2J\u202e" + "x" * 999))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


secret_values = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=6, max_size=30).filter(
    lambda value: value not in "[secret]"
)


@examples(40, profile="tests")
@given(secret_values, st.text(max_size=10))
def test_every_form_of_a_secret_is_redacted(value: str, around: str) -> None:
    """Plain, percent-encoded, base64 and JSON-escaped echoes disappear; what is around them stays readable."""
    secrets = Secrets({"EXTCAL_KEY": value}, None)
    secrets.resolve(env("EXTCAL_KEY"))
    raw = value.encode()
    for form in (
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        quote(value, safe="").lower() if value.isascii() and value.islower() else value,
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode(),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    ):
        assert form not in secrets.redact(f"{around}<{form}>{around}").replace("[secret]", "")


def test_only_resolved_secrets_are_redacted() -> None:
    """Nothing is replaced before it was resolved, and no secret bites into the mask of another."""
    secrets = Secrets({"EXTCAL_A": VALUE, "EXTCAL_B": "secret"}, None)
    assert secrets.redact(f"key {VALUE}") == f"key {VALUE}"
    secrets.resolve(env("EXTCAL_A"))
    secrets.resolve(env("EXTCAL_B"))
    assert secrets.redact(f"a secret: {VALUE}") == "a [secret]: [secret]"


def test_secrets_show_nothing_of_themselves() -> None:
    """The object's repr holds no value."""
    secrets = Secrets({"EXTCAL_A": VALUE}, None)
    secrets.resolve(env("EXTCAL_A"))
    assert VALUE not in repr(secrets)
