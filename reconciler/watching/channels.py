"""Sends alerts through Apprise, to whom the operator's URLs say.

A URL is a secret: nothing here shows one, or lets Apprise or what it uses write a line. What Apprise could do beside
sending is switched off: it reads no file, writes none, follows no redirect and loads no code but its own.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from reconciler.errors import ExtcalError, UsageError
from reconciler.text import clipped
from reconciler.watching.alert_digest import Digest

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

MOST_URLS = 20
"""How many URLs there may be."""

_HERE = frozenset(
    "blink1 dbus gio glib gnome kde macosx qt syslog windows".split()  # noqa: SIM905 - words read best so
)
_FILES = frozenset({"fcm", "vapid"})
_NAMES_FILE = frozenset({"keyfile", "pgpkey", "subfile", "template", "image_path", "attach", "attach-as"})
_TALKERS = ("apprise", "urllib3", "requests", "requests_oauthlib", "paho", "slixmpp", "gntp")
_LONGEST_NAME = 60
_TOKEN = 8
_SHORTEST = 6


class Channel:
    """One receiver, known by the place of its URL among the others, from 1 on."""

    def __init__(self, position: int, plugin: "NotifyBase", scheme: str, host: str | None) -> None:
        self.position = position
        self.host = host
        self.name = clipped(scheme if host is None else f"{scheme}, {host}", _LONGEST_NAME)
        self._plugin = plugin
        self._thread: threading.Thread | None = None

    async def send(self, digest: Digest, seconds: float) -> str | None:
        """Send a digest; why it did not arrive, None where it did.

        One that takes longer than `seconds` is left to itself, and nothing else is sent there until it has ended.
        """
        if self._thread is not None and self._thread.is_alive():
            return "the one before has not ended"
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[bool] = loop.create_future()

        def tell(sent: bool) -> None:  # noqa: FBT001 - handed over by the loop
            if not ended.done():
                ended.set_result(sent)

        def work() -> None:
            sent = self._send(digest)
            try:
                loop.call_soon_threadsafe(tell, sent)
            except RuntimeError:
                # The watch has ended meanwhile.
                return

        # A daemon: whoever ends the watch does not wait for it.
        self._thread = threading.Thread(target=work, name=f"alert-{self.position}", daemon=True)
        self._thread.start()
        try:
            return None if await asyncio.wait_for(ended, seconds) else "not accepted, or not reached"
        except TimeoutError:
            return f"no answer within {seconds:g} s"

    def _send(self, digest: Digest) -> bool:
        from apprise import NotifyFormat, NotifyType  # noqa: PLC0415 - an extra

        kind = NotifyType.FAILURE if digest.bad else NotifyType.SUCCESS
        try:
            return bool(
                self._plugin.notify(
                    body=digest.text, title=digest.title, notify_type=kind, body_format=NotifyFormat.TEXT
                )
            )
        except Exception:  # noqa: BLE001 - plugins of a hundred services, whose texts may hold the URL
            return False

    def __str__(self) -> str:
        return f"URL {self.position} ({self.name})"


def open_channels(urls: Sequence[str], remember: Callable[[str], None]) -> tuple[Channel, ...]:
    """The receivers; `remember` is told what must never be shown.

    Raises UsageError, which names a wrong URL by its position, and ExtcalError where Apprise is missing.
    """
    for url in urls:
        for secret in _secrets(url):
            remember(secret)
    if len(urls) > MOST_URLS:
        raise UsageError(f"there are {len(urls)} URLs for alerts, and may be {MOST_URLS}. Let fewer get them.")
    try:
        import apprise  # noqa: F401, PLC0415 - whether it is there; an extra
    except ModuleNotFoundError as error:
        raise ExtcalError(f"alerts need {error.name}. Install it: pip install 'extcal[notify]'") from error
    _silence()
    asset = _asset()
    channels = tuple(_channel(position, url, asset) for position, url in enumerate(urls, 1))
    for url, channel in zip(urls, channels, strict=True):
        if channel.host is None:
            # What stands where others have a host is a key.
            remember(urlsplit(url).netloc.rpartition("@")[2])
    return channels


def _silence() -> None:
    """Let nobody log: their lines hold addresses and answers."""
    for name in _TALKERS:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False


def _asset() -> "AppriseAsset":
    from apprise import AppriseAsset, PersistentStoreMode  # noqa: PLC0415 - an extra

    return AppriseAsset(
        app_id="extcal",
        app_desc="extcal",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        plugin_paths=[],
        storage_mode=PersistentStoreMode.MEMORY,
        allow_templates=False,
        pgp_autogen=False,
        pem_autogen=False,
        http_redirects=False,
        async_mode=False,
        interpret_emojis=False,
    )


def _channel(position: int, url: str, asset: "AppriseAsset") -> Channel:
    from apprise import Apprise, NotifyFormat, OverflowMode  # noqa: PLC0415 - an extra

    scheme, fields = _parts(url)
    where = f"URL {position} for alerts"
    if scheme in _HERE:
        raise UsageError(f"{where}: {scheme} stays on this machine, where stderr is. Name who should hear of it.")
    if scheme in _FILES or fields & _NAMES_FILE:
        raise UsageError(f"{where} has Apprise read a file on this machine. Use one that holds all it needs.")
    try:
        plugin = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - plugins of a hundred services, whose texts may hold the URL
        plugin = None
    if plugin is None:
        raise UsageError(f"{where} is not one that Apprise takes. See its list of services for how to write it.")
    plugin.notify_format = NotifyFormat.TEXT
    plugin.overflow_mode = OverflowMode.TRUNCATE
    return Channel(position, plugin, scheme, _host(url, plugin))


def _parts(url: str) -> tuple[str, set[str]]:
    """The scheme, and the names of its settings."""
    scheme = url.partition("://")[0].lower()
    query = url.partition("?")[2]
    return scheme, {name.strip(":+- ").lower() for name, _ in parse_qsl(query, keep_blank_values=True)}


def _host(url: str, plugin: "NotifyBase") -> str | None:
    """The host of a URL, where that is one and not a part of a key; None where it isn't."""
    token = getattr(plugin, "template_tokens", {}).get("host")
    native = url.lower().startswith(("http://", "https://"))
    return None if token is None or token.get("private") or native else str(plugin.host)


def _secrets(url: str) -> set[str]:
    """What of a URL must never be shown: all of it, its password, and what looks like a key."""
    found = {url, url.partition("://")[2]}
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return found
    if password:
        found.add(password)
    user = parts.netloc.rpartition("@")[0]
    pieces = [user, *parts.path.split("/"), *(value for _, value in parse_qsl(parts.query) if "@" not in value)]
    # A word like `services` is in many texts that are no secret.
    found |= {piece for piece in pieces if len(piece) >= _TOKEN and any(map(str.isdigit, piece))}
    return {form for each in found for form in (each, unquote(each)) if len(form) >= _SHORTEST}
