"""Resolves references to secrets at the last moment, and keeps their values out of all text."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from reconciler.api.redaction import SHORTEST, Redactor
from reconciler.errors import SecretError
from reconciler.model.desired import SecretKind, SecretRef
from reconciler.model.text_fields import texts, with_texts
from reconciler.safe_paths import IrregularFileError, read_regular
from reconciler.text import cut, one_line

PREFIX = "EXTCAL_"
"""How variables that manifests may refer to begin; the patterns in schemas/ say so, too."""
SETTINGS = frozenset(
    PREFIX + name
    for name in (
        "ENDPOINT", "PRIVATE_ENDPOINT", "SANDBOX", "SANDBOX_CONFIG", "STATE_DIR", "SECRETS_DIR", "SECRETS_COMMAND",
        "CA_FILE", "SMTP_URL", "MAIL_FROM", "MAIL_REPLY_TO", "MAIL_DOMAINS",
        "MAIL_TEMPLATES", "NOTIFY_URLS",
    )
)  # fmt: skip
"""The variables that are the operator's settings; every other one that begins alike is taken for a secret."""
OWN = frozenset({"EXTCAL_SMTP_PASSWORD", "EXTCAL_WATCH_TOKEN"})
"""The variables that are secrets of the operator's own, which no manifest may refer to either."""
NOTIFY_FILE = "notify-urls"
"""The file among the secrets that holds the operator's URLs for alerts, which no manifest may refer to."""
LARGEST = 64 * 1024
_BATCH = 64 * 1024
_LONGEST_SHOWN = 150
_Value = TypeVar("_Value")


class Secrets:
    """Resolves references to secrets from what it is handed, and remembers values only to redact them.

    `environ` is where environment references are looked up, `directory` the folder that file references lie under
    (None: there is none). Values live in this object's memory for the length of a command and nowhere else.
    """

    def __init__(self, environ: Mapping[str, str], directory: Path | None) -> None:
        self._environ = environ
        self._directory = directory
        self._redactor = Redactor()

    def apart(self) -> "Secrets":
        """Secrets from the same places, which know what these know; what they learn, these don't."""
        other = Secrets(self._environ, self._directory)
        other._redactor = self._redactor.copy()
        return other

    def resolve(self, ref: SecretRef) -> str:
        """The value that `ref` stands for; raises SecretError, which names the reference and never a value."""
        value = self._from_environ(ref) if ref.kind is SecretKind.ENV else self._from_file(ref)
        if not value:
            raise SecretError(f"the secret {_name(ref)} is empty; put the value there")
        if len(value) < SHORTEST:
            raise SecretError(
                f"the secret {_name(ref)} has fewer than {SHORTEST} characters, too few to be kept out of outputs; "
                "use a longer one"
            )
        if any(unicodedata.category(character) == "Cc" for character in value):
            raise SecretError(
                f"the secret {_name(ref)} holds a control character or a line break; store the value alone"
            )
        self.remember(value)
        return value

    def remember(self, value: str) -> None:
        """Redact `value` from now on: a token, say, that a secret was exchanged for."""
        self._redactor.learn(value)

    def remember_environ(self) -> None:
        """Redact what the environment holds for references, whether or not anything refers to it in this run.

        Nothing is refused for it: a value that is no secret, being too short, say, is left alone.
        """
        for name, value in self._environ.items():
            if name.startswith(PREFIX) and name not in SETTINGS and len(value) <= LARGEST and value.isprintable():
                self.remember(value)

    def redact(self, text: str) -> str:
        """`text` with every secret known so far replaced by `[secret]`.

        Plain, percent-encoded, base64, hexadecimal, JSON-escaped and HTML-escaped forms are found.
        """
        return self._redactor.redact(text)

    def redacted(self, value: _Value) -> _Value:
        """A value of any shape with every text in it redacted; one that holds no secret is the same value."""
        found = texts(value)
        changed = {text: shown for some in _batches(found) for text, shown in self._changed(some)}
        return with_texts(value, changed) if changed else value

    def _changed(self, found: Sequence[str]) -> Iterator[tuple[str, str]]:
        # One search through all of them takes a fraction of the time of a search through each.
        together = " ".join(found)
        if self.redact(together) != together:
            yield from ((text, shown) for text in found if (shown := self.redact(text)) != text)

    def _from_environ(self, ref: SecretRef) -> str:
        if not ref.name.startswith(PREFIX):
            raise SecretError(f"the secret {_name(ref)} can't be read: environment names must begin with {PREFIX}")
        if ref.name in SETTINGS | OWN:
            raise SecretError(f"the secret {_name(ref)} can't be read: it is a setting of whoever runs extcal")
        value = self._environ.get(ref.name)
        if value is None:
            raise SecretError(f"the environment variable {_shown(ref.name)}, which holds this secret, is not set")
        if len(value) > LARGEST:
            raise SecretError(
                f"the secret {_name(ref)} is larger than {LARGEST // 1024} KiB; is it the right variable?"
            )
        try:
            value.encode()
        except UnicodeEncodeError:
            # What the environment held was no UTF-8; the cause would show it.
            raise SecretError(f"the secret {_name(ref)} is not UTF-8 text") from None
        return value

    def _from_file(self, ref: SecretRef) -> str:
        path = self._locate(ref)
        try:
            raw = read_regular(path, LARGEST + 1)
        except IrregularFileError as error:
            raise SecretError(f"the secret {_name(ref)} is {error}, not a file; put the file itself there") from None
        except OSError as error:
            raise SecretError(f"the secret {_name(ref)} can't be read: {error.strerror}") from None
        if len(raw) > LARGEST:
            raise SecretError(f"the secret {_name(ref)} is larger than {LARGEST // 1024} KiB; is it the right file?")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            # The cause would show the bytes.
            raise SecretError(f"the secret {_name(ref)} is not UTF-8 text") from None
        return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")

    def _locate(self, ref: SecretRef) -> Path:
        if self._directory is None:
            raise SecretError(
                f"the secret {_name(ref)} is a file: set EXTCAL_SECRETS_DIR to the folder that it lies under"
            )
        name = PurePosixPath(ref.name)
        if name.is_absolute() or ".." in name.parts or "\0" in ref.name or not name.parts:
            raise SecretError(f"the secret {_name(ref)} must be a path below EXTCAL_SECRETS_DIR, without '..'")
        try:
            folder = self._directory.resolve(strict=True)
            path = (folder / name).resolve(strict=True)
        except (OSError, RuntimeError, UnicodeEncodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "the path can't be followed"
            raise SecretError(f"the secret {_name(ref)} can't be read under {self._directory}: {why}") from None
        if path == folder / NOTIFY_FILE:
            raise SecretError(f"the secret {_name(ref)} can't be read: it is a setting of whoever runs extcal")
        if not path.is_relative_to(folder):
            raise SecretError(
                f"the secret {_name(ref)} is a link that leaves EXTCAL_SECRETS_DIR; put the file itself there"
            )
        return path


def _batches(found: Iterable[str]) -> Iterator[list[str]]:
    """Texts in lots of a size that bounds what a search through them takes in memory."""
    some: list[str] = []
    size = 0
    for text in found:
        if size + len(text) > _BATCH and some:
            yield some
            some, size = [], 0
        some.append(text)
        size += len(text)
    if some:
        yield some


def _name(ref: SecretRef) -> str:
    return _shown(str(ref))


def _shown(text: str) -> str:
    return cut(one_line(text), _LONGEST_SHOWN)
