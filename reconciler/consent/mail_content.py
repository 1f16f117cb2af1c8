"""Puts together what a message to an owner says, in the words of its language: text and HTML show the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from string import Template

from reconciler.consent.mail_request import RequestedConsent, account_name, plain_name
from reconciler.consent.mail_settings import MailSettings
from reconciler.consent.mail_words import MailWords, WordsBySite
from reconciler.model.account import Account
from reconciler.model.sync import Arm, Direction

_MOST_NAMED = 3
_MOST_CALENDARS = 20


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of the operator's, and the names that it is filled with, none of which is trusted."""

    template: str
    names: Mapping[str, str]

    @property
    def text(self) -> str:
        """As plain text."""
        return Template(self.template).substitute(self.names)

    @property
    def html(self) -> str:
        """As HTML; no name changes the direction of what stands around it."""
        names = {key: f"<bdi>{escape(name)}</bdi>" for key, name in self.names.items()}
        return Template(escape(self.template)).substitute(names)


@dataclass(frozen=True, slots=True)
class LinkSection:
    """What is said of one link."""

    heading: Phrase
    open_text: Phrase
    """What stands before the link in plain text."""

    open: Phrase
    """The link's own words in HTML."""

    choose: Phrase
    facts: tuple[tuple[Phrase, Phrase], ...]
    """What is read and written, each with its name."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailContent:
    """All that a message says, from top to bottom."""

    lang: str
    subject: Phrase
    opening: tuple[Phrase, ...]
    sections: tuple[LinkSection, ...]
    copy: Phrase
    """What stands before the link as text in HTML."""

    closing: tuple[Phrase, ...]
    automatic: Phrase


def mail_content(
    owner: Account,
    requests: Sequence[RequestedConsent],
    by_site: WordsBySite,
    settings: MailSettings,
    *,
    reminder: bool,
) -> MailContent:
    """What a message to this owner says."""
    words = by_site.of(each.site for each in requests)
    names = {
        "account": account_name(owner),
        "sites": _together(by_site.name_of(each.site) for each in requests),
        "provider": _together(each.provider for each in requests),
        "contact": settings.reply_to.address,
    }

    def say(phrase: str, **more: str) -> Phrase:
        return Phrase(words.phrases[phrase], {**names, **more})

    opening = ("greeting", "intro", *(("reminder",) if reminder else ()))
    return MailContent(
        lang=words.lang,
        subject=say("reminder_subject" if reminder else "subject"),
        opening=tuple(map(say, opening)),
        sections=tuple(_section(each, by_site.name_of(each.site), names, words) for each in requests),
        copy=say("copy"),
        closing=tuple(map(say, ("keep", "expired", "revoke", "not_expected", "contact"))),
        automatic=say("automatic"),
    )


def _section(request: RequestedConsent, site: str, names: Mapping[str, str], words: MailWords) -> LinkSection:
    here = {
        **names,
        "site": plain_name(site),
        "schedule": plain_name(request.schedule),
        "provider": plain_name(request.provider),
    }
    imports = None if request.sync is None else request.sync.imports
    exports = None if request.sync is None else request.sync.exports

    def say(phrase: str, **more: str) -> Phrase:
        return Phrase(words.phrases[phrase], {**here, **more})

    return LinkSection(
        heading=say("schedule"),
        open_text=say("open_text"),
        open=say("open"),
        choose=say("choose"),
        facts=(
            (say("reads"), say(f"reads_{_way(imports)}", calendars=_calendars(imports))),
            (say("writes"), say(f"writes_{_way(exports)}", calendars=_calendars(exports))),
        ),
        url=request.url,
    )


_ARMS = {Arm.PRIMARY: "primary", Arm.CALENDARS: "calendars", Arm.DEDICATED: "dedicated"}


def _way(direction: Direction | None) -> str:
    """What a direction does, by the end of its phrase's name; what no manifest says is the provider's default."""
    if direction is None or (direction.enabled is None and direction.arm is None):
        return "default"
    if direction.enabled is False:
        return "nothing"
    return "default" if direction.arm is None else _ARMS[direction.arm]


def _calendars(direction: Direction | None) -> str:
    chosen = [] if direction is None else [plain_name(each.name or each.id or "") for each in direction.calendars]
    return _counted(chosen, _MOST_CALENDARS)


def _together(names: Iterable[str]) -> str:
    return _counted([plain_name(name) for name in dict.fromkeys(names)], _MOST_NAMED)


def _counted(names: Sequence[str], most: int) -> str:
    """The names, the first of very many."""
    more = (f"+{len(names) - most}",) if len(names) > most else ()
    return ", ".join((*names[:most], *more))
