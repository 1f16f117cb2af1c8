"""Writes the text of new documents, and quotes text from the service so that it means itself."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from reconciler.manifests.convert import DEFAULT_AUTH, DEFAULT_MAX_DISCONNECTS
from reconciler.manifests.schema import API_VERSION
from reconciler.manifests.values import GUID
from reconciler.manifests.yaml_reader import resolve
from reconciler.model.desired import (
    BOOKINGS_APP_ID,
    ApiKeyAuth,
    AppAuth,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    Scope,
    SecretRef,
    Site,
)
from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, SyncConfig
from reconciler.pull.values import Addition
from reconciler.text import cut, inert, one_line

_AUTH = "  # How to authenticate; by the API key in this variable by default."
_SCOPE = """\
  # Which live connections these manifests manage: those on schedules that a manifest names (schedules, the
  # default), or all on the site (site)."""
_PRUNE = """\
  # Whether a live connection in scope that no manifest declares is disconnected (true), or shown as unmanaged and
  # left alone (false, the default)."""
_GUARDS = "  # The largest share of the live connections in scope that one plan may disconnect; one is always allowed."
_OAUTH = "  # Where the account owner's browser goes after consent; apply --consent poll and link need it."
_SCHEDULES = "  # The app whose schedules a name or an external id means; the bookings app's by default."
_CREDENTIALS = "  # Set this variable to the account's password; it is needed only to connect the account again."


def site_text(site: Site, notes: Sequence[str]) -> str:
    """A Site with all its settings; those that are as they are by default are comments."""
    head = _head("Site", site.name, notes)
    return "\n".join([*head, f"  siteId: {site.site_id}", *_settings(site), ""])


def _settings(site: Site) -> Iterator[str]:
    yield from _setting(_AUTH, f"auth: {_auth(site.auth)}", default=site.auth == DEFAULT_AUTH)
    guard, redirect = f"{site.max_disconnects}%", site.redirect_url
    yield from _setting(_SCOPE, f"scope: {site.scope}", default=site.scope is Scope.SCHEDULES)
    yield from _setting(_PRUNE, f"prune: {truth(site.prune)}", default=not site.prune)
    yield from _setting(_GUARDS, f"guards: {{maxDisconnects: {guard}}}", default=guard == DEFAULT_MAX_DISCONNECTS)
    url = "https://…" if redirect is None else scalar(redirect)
    yield from _setting(_OAUTH, f"oauth: {{redirectUrl: {url}}}", default=redirect is None)
    app = site.schedules_app_id
    yield from _setting(_SCHEDULES, f"schedules: {{appId: {app}}}", default=app == BOOKINGS_APP_ID)


def _auth(auth: ApiKeyAuth | AppAuth) -> str:
    if isinstance(auth, ApiKeyAuth):
        return f"{{apiKey: {_secret(auth.api_key)}}}"
    secret = _secret(auth.app_secret)
    return f"{{app: {{appId: {auth.app_id}, appSecret: {secret}, instanceId: {auth.instance_id}}}}}"


def _setting(explained: str, setting: str, *, default: bool) -> tuple[str, str]:
    return explained, f"  # {setting}" if default else f"  {setting}"


def policy_text(name: str, sync: SyncConfig, notes: Sequence[str]) -> str:
    """A SyncPolicy."""
    return "\n".join([*_head("SyncPolicy", name, notes), "  syncConfig:", *sync_lines(sync, "    "), ""])


def connection_text(addition: Addition) -> str:
    """A Connection."""
    declared = addition.declared
    lines = _head("Connection", declared.name, addition.notes)
    lines.append(f"  site: {scalar(declared.site)}")
    if declared.schedule.name is not None:
        lines.append(f"  schedule: {{id: {declared.schedule.value}, name: {scalar(declared.schedule.name)}}}")
    else:
        # A name that no manifest can hold may still be read.
        named = f"  # {comment(addition.schedule_name)}" if addition.schedule_name else ""
        lines.append(f"  schedule: {{id: {declared.schedule.value}}}{named}")
    lines.append(f"  provider: {_provider(declared.provider)}")
    lines.append(f"  account: {scalar(declared.account.given)}")
    if declared.password is not None:
        lines += [_CREDENTIALS, f"  credentials: {{password: {_secret(declared.password)}}}"]
    if addition.policy is not None:
        lines.append(f"  syncPolicy: {scalar(addition.policy)}")
    elif declared.sync != SyncConfig():
        lines += ["  syncConfig:", *sync_lines(declared.sync, "    ")]
    if declared.lifecycle != Lifecycle():
        lines.append(f"  lifecycle: {_lifecycle(declared.lifecycle)}")
    return "\n".join([*lines, ""])


def _lifecycle(lifecycle: Lifecycle) -> str:
    prevent = ["preventDisconnect: true"] if lifecycle.prevent_disconnect else []
    ignored = ", ".join(map(scalar, lifecycle.ignore_changes))
    return f"{{{', '.join([*prevent, *([f'ignoreChanges: [{ignored}]'] if ignored else [])])}}}"


def sync_lines(sync: SyncConfig, margin: str) -> Iterator[str]:
    """A sync config as lines of a block mapping."""
    for path, direction in ((IMPORTS, sync.imports), (EXPORTS, sync.exports)):
        if direction is None:
            continue
        name = path.rpartition(".")[2]
        if direction.arm is not Arm.CALENDARS:
            yield f"{margin}{name}: {{{', '.join(f'{key}: {value}' for key, value in direction_pairs(direction))}}}"
            continue
        # A calendar a line, so that a review shows which of them comes or goes.
        yield f"{margin}{name}:"
        if direction.enabled is not None:
            yield f"{margin}  enabled: {truth(direction.enabled)}"
        yield f"{margin}  {direction.arm}:"
        yield from (f"{margin}    - {calendar_item(ref)}" for ref in direction.calendars)


def direction_pairs(direction: Direction) -> list[tuple[str, str]]:
    """The fields of a direction, each with its value on one line."""
    pairs = [] if direction.enabled is None else [("enabled", truth(direction.enabled))]
    if direction.arm is not None:
        pairs.append((direction.arm.value, arm_value(direction)))
    return pairs


def arm_value(direction: Direction) -> str:
    """What stands after `primaryCalendar:`, `calendars:` or `dedicatedCalendar:`."""
    if direction.arm is not Arm.CALENDARS:
        return "{}"
    return f"[{', '.join(map(calendar_item, direction.calendars))}]"


def calendar_item(ref: CalendarRef, written: Callable[[str], str] | None = None) -> str:
    """One calendar, by its id and its name, each as `written`, as a scalar by default."""
    written = written or scalar
    if ref.id is None:
        return written(ref.name or "")
    name = "" if ref.name is None else f", name: {written(ref.name)}"
    return f"{{id: {written(ref.id)}{name}}}"


def copied_item(ref: CalendarRef, longest: int) -> str:
    """One calendar as an item that means itself when it is copied off a terminal, where text is made inert.

    It has at most `longest` characters; a name that no manifest can hold, or that is too long, is left out. Empty where
    the id can't be written so either.
    """
    named = ref.name is not None and is_declarable(ref.name, LONGEST_CALENDAR)
    for each in (ref, CalendarRef(id=ref.id)) if named else (CalendarRef(id=ref.id),):
        for written in (scalar, _ascii_scalar):
            item = calendar_item(each, written)
            if len(item) <= longest and inert(item) == item and is_declarable(ref.id or "", LONGEST_CALENDAR):
                return item
    return ""


def truth(value: bool) -> str:  # noqa: FBT001 - a value to write, no switch
    """A boolean as YAML."""
    return "true" if value else "false"


def _head(kind: str, name: str, notes: Sequence[str]) -> list[str]:
    lines = [f"# {note}" for note in notes]
    return [*lines, f"apiVersion: {API_VERSION}", f"kind: {kind}", f"metadata: {{name: {scalar(name)}}}", "spec:"]


def _provider(reference: ProviderRef) -> str:
    if reference.by is ProviderKey.TYPE:
        return reference.value
    return f"{{{reference.by}: {scalar(reference.value)}}}"


def _secret(reference: SecretRef) -> str:
    return f"{{{reference.kind}: {scalar(reference.name)}}}"


LONGEST_NAME: Final = 500
LONGEST_CALENDAR: Final = 1024
"""How many characters of a name, and of a calendar's id or name, a manifest holds (source: connection.schema.json)."""

NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")

_PLAIN = re.compile(r"[^\W\d_]([\w .@+/-]*[\w.@+/-])?")
_PLAIN_COMMENT = re.compile(r"[\w .,'&()@+-]+")
# Words that YAML 1.1 takes for booleans; other tools that read the files may.
_BOOLEANS = frozenset({"y", "n", "yes", "no", "on", "off"})
# What no manifest may hold, not even escaped.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\"}
_IN_A_BYTE, _IN_TWO = 0xFF, 0xFFFF
_LONGEST_COMMENT = 80


def is_declarable(text: str, longest: int) -> bool:
    """Whether a manifest can hold the text: it isn't empty nor too long, and without control characters."""
    return 0 < len(text) <= longest and not _REFUSED.search(text)


def scalar(text: str) -> str:
    """A text as a YAML scalar for any place: plain where that is safe, else in double quotes.

    Where nobody sees all of a text, or a terminal or a log would act on it, its characters are in escapes.
    """
    if GUID.fullmatch(text):
        return text
    if inert(text) != text:
        return _ascii_scalar(text)
    plain = _PLAIN.fullmatch(text) and text.isprintable() and text.casefold() not in _BOOLEANS
    if plain and resolve(text) == text:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _ascii_scalar(text: str) -> str:
    """A text in double quotes, all but ASCII letters, digits and blanks in escapes."""
    plain = (char if char.isascii() and (char.isalnum() or char in " -_.@") else _code(char) for char in text)
    return f'"{"".join(plain)}"'


def comment(text: str) -> str:
    """A text as it can stand in a comment: one line, nothing invisible, and in quotes if a tool could act on it."""
    words = cut(one_line(text), _LONGEST_COMMENT)
    return words if _PLAIN_COMMENT.fullmatch(words) else scalar(words)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else _code(character)


def _code(character: str) -> str:
    code = ord(character)
    if code <= _IN_A_BYTE:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= _IN_TWO else f"\\U{code:08X}"
