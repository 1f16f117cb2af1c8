"""Whether a request means this server: the check that keeps web pages out (DNS rebinding).

Any page in a browser may have the name of its own site point at 127.0.0.1, and could then read what is served there.
Its requests name that site (`Host`), so on loopback only loopback names, and what we were told to listen on, are
answered. Elsewhere any name is: whoever scrapes or probes asks by an address or a service's name that we can't know,
and the port says nothing that is for one reader alone. Sources: RFC 9110, 7.2 and 15.5.20; RFC 9112, 3.2.
"""

import ipaddress
import re
from dataclasses import dataclass
from http import HTTPStatus

_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:@/?#\s]+?)\.?(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)
_HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a host, by name or number, and a port; 0 is a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def refusal(hosts: list[str], version: str, at: Address) -> HTTPStatus | None:
    """The status that refuses a request to a server on the loopback address `at`; None where it means that server.

    `hosts` are its fields `Host`, `version` is what it says of HTTP. Only programs older than HTTP/1.1 send none.
    """
    if not hosts and version in {"HTTP/0.9", "HTTP/1.0"}:
        return None
    said = _AUTHORITY.fullmatch(hosts[0].strip()) if len(hosts) == 1 else None
    if said is None:
        return HTTPStatus.BAD_REQUEST
    name = said["name"].strip("[]").lower()
    if int(said["port"] or _HTTP_PORT) == at.port and (name in {"localhost", at.host.lower()} or is_loopback(name)):
        return None
    return HTTPStatus.MISDIRECTED_REQUEST


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own; a name is not."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
