"""Holds the words of the mail to owners: English, or what the operator's files say for each site.

The folder that EXTCAL_MAIL_TEMPLATES names holds `SITE.yaml` for a site, and `default.yaml` for all others. Each is a
mapping of phrases, by the names in ENGLISH; a phrase that it leaves out is English. What a phrase may hold in place of
`$name` is what the English one holds, or less. A phrase is text: it can neither be markup nor take a link's place.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Final

from reconciler.consent.mail_settings import MAIL_TEMPLATES
from reconciler.errors import UsageError
from reconciler.manifests.faults import FileReport, SpoiledError, shown
from reconciler.manifests.values import START, YamlMapping, place
from reconciler.manifests.yaml_reader import RootFault, read_documents
from reconciler.safe_paths import IrregularFileError, read_regular
from reconciler.text import did_you_mean, one_line

ENGLISH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lang": "en",
        "subject": "Calendar connection: $sites",
        "reminder_subject": "Calendar connection: $sites (reminder)",
        "greeting": "Hello,",
        "intro": "$sites asks for your permission to connect your calendar account $account to its bookings.",
        "reminder": "We wrote to you about this before; this mail has a new link, and the old one is not needed.",
        "site_name": "$site",
        "schedule": '"$schedule" at $site',
        "open": "Connect your $provider calendar",
        "open_text": "To connect your $provider calendar, open this link:",
        "copy": "If that does not open, copy this link into your browser:",
        "choose": "When you are asked which account to use, choose $account and no other.",
        "reads": "What is read",
        "reads_primary": "The events of your main calendar, so that nobody can book you while you are busy.",
        "reads_calendars": "The events of these calendars, so that nobody can book you while you are busy: $calendars.",
        "reads_nothing": "Nothing: your events are not read.",
        "reads_default": "What $provider connections read unless set otherwise: usually the events of your calendars.",
        "writes": "What is written",
        "writes_primary": "Your bookings, into your main calendar.",
        "writes_calendars": "Your bookings, into this calendar: $calendars.",
        "writes_dedicated": "Your bookings, into a new calendar in your account that is made for them.",
        "writes_nothing": "Nothing: your calendars are not changed.",
        "writes_default": "What $provider connections write unless set otherwise: usually nothing.",
        "keep": (
            "Please do not pass this mail on. A link connects the calendar of whoever opens it and chooses an account."
        ),
        "revoke": (
            "You can take your permission back at any time: in the security settings of your account ($provider), "
            "under the apps that have access to it, or by writing to $contact."
        ),
        "expired": "If a link does not open any more, ask for a new one.",
        "not_expected": (
            "If you did not expect this mail, you can ignore it: "
            "nothing is connected unless you open the link and agree."
        ),
        "contact": "Questions? Answer this mail, or write to $contact.",
        "automatic": "This mail was sent automatically.",
    }
)
"""Every phrase there is, by its name."""

_LARGEST = 64 * 1024
_DEFAULT = "default"
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ROOT = RootFault("the file must be a mapping of phrases", "write lines such as greeting: Hello,")


@dataclass(frozen=True, slots=True)
class MailWords:
    """The phrases of a message, each of them there."""

    phrases: Mapping[str, str]

    @property
    def lang(self) -> str:
        """The language they are in, as HTML names it."""
        return self.phrases["lang"]


BUILT_IN: Final = MailWords(ENGLISH)
"""The words that come with extcal."""


@dataclass(frozen=True, slots=True)
class WordsBySite:
    """The words for each site of a run, read before any link is made."""

    by_site: Mapping[str, MailWords]
    default: MailWords = BUILT_IN

    def of(self, sites: Iterable[str]) -> MailWords:
        """The words of a message about these sites: theirs where all have the same, else the default ones."""
        first, *others = [self.by_site.get(site, self.default) for site in sites] or [self.default]
        return first if all(each == first for each in others) else self.default

    def name_of(self, site: str) -> str:
        """What a site is called, for its owners: by its own file, or as manifests call it."""
        return Template(self.by_site.get(site, self.default).phrases["site_name"]).substitute(site=site)


def read_words(folder: Path | None, sites: Collection[str]) -> WordsBySite:
    """The words for each of these sites; raises UsageError for whatever is wrong with the files of any of them."""
    if folder is None:
        return WordsBySite({})
    try:
        real = folder.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a path"
        raise UsageError(f"{MAIL_TEMPLATES}: {folder}: {why}") from error
    if not real.is_dir():
        raise UsageError(f"{MAIL_TEMPLATES}: {folder} is not a folder")
    default = _words(folder, real, _DEFAULT) or BUILT_IN
    named = sorted(site for site in set(sites) if _SITE.fullmatch(site))
    return WordsBySite({site: words for site in named if (words := _words(folder, real, site))}, default)


def _words(folder: Path, real: Path, name: str) -> MailWords | None:
    """The words of one file; None where there is none."""
    shown_path = folder / f"{name}.yaml"
    raw = _content(shown_path, real)
    if raw is None:
        return None
    report = FileReport(str(shown_path))
    phrases = dict(ENGLISH)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        report.add(START, "not UTF-8 text")
        text = ""
    try:
        documents = list(read_documents(text, report, _ROOT))
        for document in documents[1:]:
            report.add(place(document.mark), "a second document", hint="write all phrases into the first")
        for document in documents[:1]:
            phrases |= _phrases(document, report)
    except SpoiledError:
        pass
    if report.faults:
        raise UsageError("\n".join(f"{MAIL_TEMPLATES}: {fault}" for fault in report.faults))
    return MailWords(MappingProxyType(phrases))


def _content(path: Path, real: Path) -> bytes | None:
    """What is in a file of the folder; links lead to files in it, or are refused."""
    try:
        target = path.resolve(strict=True)
        if not target.is_relative_to(real):
            raise UsageError(f"{MAIL_TEMPLATES}: {path} is a link that leaves the folder; put the file itself there")
        raw = read_regular(target, _LARGEST + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise UsageError(f"{MAIL_TEMPLATES}: {path} is a link to nothing") from None
        return None
    except IrregularFileError as error:
        raise UsageError(f"{MAIL_TEMPLATES}: {path} is {error}, not a file") from None
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "its links lead nowhere"
        raise UsageError(f"{MAIL_TEMPLATES}: {path} can't be read: {why}") from error
    if len(raw) > _LARGEST:
        raise UsageError(f"{MAIL_TEMPLATES}: {path} is larger than {_LARGEST // 1024} KiB; is it the right file?")
    return raw


def _phrases(document: YamlMapping, report: FileReport) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in document.items():
        at = place(document.mark_of(name, key=name not in ENGLISH))
        if name not in ENGLISH:
            hint = did_you_mean(name, ENGLISH) or f"the phrases are {', '.join(ENGLISH)}"
            report.add(at, f"unknown phrase {shown(name)}", hint=hint)
        elif not isinstance(value, str):
            report.add(at, f"the phrase {shown(name)} must be text", hint="quote it")
        elif (fault := _fault(name, text := one_line(value))) is not None:
            report.add(at, f"{shown(name)}: {fault[0]}", hint=fault[1])
        else:
            found[name] = text
    return found


def _fault(name: str, text: str) -> tuple[str, str] | None:
    """What is wrong with a phrase, and what would be right."""
    if not text:
        return "empty", "leave the phrase out to have it in English"
    if name == "lang":
        return None if _LANG.fullmatch(text) else (f"{shown(text)} is not a language such as en or de-CH", "")
    template = Template(text)
    if not template.is_valid():
        return "a $ that is followed by no name", "write $$ for the sign itself"
    allowed = Template(ENGLISH[name]).get_identifiers()
    for used in template.get_identifiers():
        if used not in allowed:
            known = ", ".join(f"${each}" for each in allowed) or "nothing"
            return f"{shown('$' + used)} is not known here", f"this phrase can hold {known}"
    return None
