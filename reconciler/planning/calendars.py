"""Which calendars of an account a manifest means."""

from collections.abc import Iterable, Sequence

from reconciler.model.sync import Arm, CalendarRef, Direction
from reconciler.text import did_you_mean, listed


def named(direction: Direction | None, have: Direction | None = None) -> tuple[CalendarRef, ...]:
    """The calendars that a direction names and that matter; one that is or stays switched off names none.

    `have` is the live direction, which decides where the manifest does not say whether it is on; without one it
    counts as on.
    """
    if direction is None or direction.arm is not Arm.CALENDARS:
        return ()
    works = (have is None or bool(have.enabled)) if direction.enabled is None else direction.enabled
    return direction.calendars if works else ()


def unresolved(wanted: Iterable[CalendarRef], known: Sequence[CalendarRef]) -> bool:
    """Whether `known` leaves open which calendars are wanted, so that the account's list must be asked for."""
    return any(len(_candidates(ref, known)) != 1 for ref in wanted)


class UnresolvedCalendarError(Exception):
    """A calendar is not there, or its name is not unique; the text says which and what to write instead."""


def resolve(wanted: Iterable[CalendarRef], known: Sequence[CalendarRef]) -> tuple[CalendarRef, ...]:
    """The wanted calendars with their ids, ordered by id, each once.

    Raises UnresolvedCalendarError for the first one that `known` does not settle.
    """
    found: dict[str, CalendarRef] = {}
    for ref in wanted:
        candidates = _candidates(ref, known)
        if len(candidates) == 1:
            found[candidates[0].id or ""] = candidates[0]
            continue
        if candidates:
            choices = ", ".join(f"{{id: {candidate.id}}}" for candidate in candidates)
            message = f"the account has {len(candidates)} calendars named {ref.name}; name one by id: {choices}"
            raise UnresolvedCalendarError(message)
        names = [candidate.name for candidate in known if candidate.name]
        hint = did_you_mean(ref.name or ref.id or "", names) or f"it has: {listed(names)}"
        raise UnresolvedCalendarError(f"the account has no calendar {ref}; {hint}")
    return tuple(found[key] for key in sorted(found))


def _candidates(ref: CalendarRef, known: Sequence[CalendarRef]) -> list[CalendarRef]:
    if ref.id is not None:
        same = [candidate for candidate in known if candidate.id == ref.id]
    else:
        same = [candidate for candidate in known if candidate.name == ref.name]
    return list({candidate.id: candidate for candidate in same}.values())
