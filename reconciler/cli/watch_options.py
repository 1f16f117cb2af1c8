"""Values on the command line of `extcal watch`."""

import re

import click

from reconciler.watching.host import Address

_UNITS = {"s": 1, "m": 60, "h": 3600}
_SPAN = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smh])")
_LONGEST = 24 * 3600
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:/\[\]]+)):(?P<port>[0-9]{1,5})")
_LAST_PORT = 65535


def seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """Seconds, from `30s`, `5m` or `2h`: one second at least and a day at most; raises BadParameter."""
    said = _SPAN.fullmatch(value)
    found = int(said["count"]) * _UNITS[said["unit"]] if said else 0
    if not 1 <= found <= _LONGEST:
        raise click.BadParameter(f"{value!r} is no span from 1s to 24h; write it as 30s, 5m or 2h")
    return float(found)


def address(_context: click.Context, _parameter: click.Parameter, value: str) -> Address:
    """A host and a port, from `127.0.0.1:9464`, `[::1]:9464` or `localhost:9464`; raises BadParameter."""
    said = _ADDRESS.fullmatch(value)
    if said is None or int(said["port"]) > _LAST_PORT:
        raise click.BadParameter(f"{value!r} is no HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464")
    return Address(said["six"] or said["host"], int(said["port"]))
