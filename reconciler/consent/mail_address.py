"""Decides which texts are one mailbox of one person, spelt so that every mail server takes them for the same.

The grammar of RFC 5322 knows comments, quotes, groups, routes and lists, and old servers know `%` and `!`. Nothing of
that is an account's address, so nothing of that is taken: what is left is words and dots before an `@`, and a domain.
"""

import re
from dataclasses import dataclass
from email.headerregistry import Address

from reconciler.model.account import Account
from reconciler.text import one_line

# Source: RFC 5321, section 4.5.3.1.
_LONGEST_LOCAL = 64
_LONGEST = 254
_WORD = r"[A-Za-z0-9_+'&=~#^-]+"
_LOCAL = re.compile(rf"{_WORD}(?:\.{_WORD})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NAMED = re.compile(r"(?P<name>[^<>@]*?)\s*<(?P<address>[^<>]*)>")


class NoMailboxError(ValueError):
    """A text is not one mailbox; its own text says why, without repeating it."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address that mail goes to, its domain as it is looked up, and the name that is shown with it, or none."""

    local: str
    domain: str
    name: str = ""

    @property
    def address(self) -> str:
        """As an envelope has it."""
        return f"{self.local}@{self.domain}"

    @property
    def header(self) -> Address:
        """As a header has it, quoted and encoded as needed."""
        return Address(self.name, self.local, self.domain)


def domain_of(given: str) -> str | None:
    """A domain as it is looked up (`xn--…`), compared as accounts' domains are; None where it is none."""
    if "@" in given or given != given.strip():
        return None
    domain = Account(f"x@{given}").normal.rpartition("@")[2]
    return domain if _DOMAIN.fullmatch(domain) else None


def owner_mailbox(account: Account) -> Mailbox:
    """The mailbox of an account, and of nobody else; raises NoMailboxError."""
    return _mailbox(account.given)


def read_mailbox(given: str) -> Mailbox:
    """A mailbox as an operator writes it: `a@b.example`, or `Name <a@b.example>`; raises NoMailboxError."""
    given = given.strip()
    named = _NAMED.fullmatch(given)
    if named is None:
        return _mailbox(given)
    name = named["name"].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    if name != one_line(name) or '"' in name or "\\" in name:
        raise NoMailboxError("the name before the address holds quotes, or characters that nobody sees")
    mailbox = _mailbox(named["address"])
    return Mailbox(mailbox.local, mailbox.domain, name)


def _mailbox(given: str) -> Mailbox:
    local, at, domain = given.rpartition("@")
    if not at or "@" in local:
        raise NoMailboxError("it is not one address with one @")
    if not local.isascii():
        raise NoMailboxError("what stands before the @ is not ASCII, which few mail servers take")
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL:
        raise NoMailboxError("what stands before the @ is more than letters, digits, dots and _ + - ' & = ~ # ^")
    looked_up = domain_of(domain)
    if looked_up is None:
        raise NoMailboxError("what stands after the @ is not a domain")
    if len(local) + 1 + len(looked_up) > _LONGEST:
        raise NoMailboxError(f"it has more than {_LONGEST} characters")
    return Mailbox(local, looked_up)
