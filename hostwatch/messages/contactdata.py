"""The words about contact data: a code that is to be told back, a change, and a way that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from gettext import NullTranslations

from hostwatch.core.notice import ContactData, Kind

Line = Callable[[str], str]
Time = Callable[[datetime], str]


def first_line(t: NullTranslations, care: ContactData, kind: Kind, line: Line) -> str:
    """What a pager must show."""
    values = {
        "code": care.code,
        "site": line(care.site),
        "person": line(care.person),
        "address": line(care.address),
    }
    match kind:
        case "verification":
            return t.gettext("Code %(code)s: tell it to %(site)s if this still reaches %(person)s") % values
        case "contact-changed":
            return t.gettext("How %(site)s reaches %(person)s was changed") % values
        case _:
            return t.gettext("%(site)s does not reach %(person)s by %(address)s") % values


def block(t: NullTranslations, care: ContactData, kind: Kind, line: Line, time: Time) -> Iterator[str]:
    """What is known, a line for each thing."""
    if kind == "verification":
        yield t.gettext("Code: %(code)s (good until %(until)s)") % {
            "code": care.code,
            "until": time(care.until or care.at),
        }
        yield t.gettext("It is about: %s") % line(care.address)
        return
    yield t.gettext("Contact: %s") % line(care.person)
    if kind == "contact-changed":
        yield t.gettext("Changed: %s") % time(care.at)
        if care.old:
            yield t.gettext("Not used any more: %s") % ", ".join(map(line, care.old))
        if care.new:
            yield t.gettext("Used from now on: %s") % ", ".join(map(line, care.new))
        if care.code:
            yield t.gettext("Code: %(code)s (good until %(until)s)") % {
                "code": care.code,
                "until": time(care.until or care.at),
            }
        return
    yield t.gettext("Address: %s") % line(care.address)
    yield t.gettext("What happened: %s") % _why(t, care.why)
    yield t.gettext("Since: %s") % time(care.at)


def _why(t: NullTranslations, why: str) -> str:
    known = {
        "refused": t.gettext("what we sent was refused"),
        "returned": t.gettext("what we sent came back"),
        "not taken": t.gettext("nobody took what we sent"),
        "not answered": t.gettext("nobody answered, though we asked several times"),
    }
    return known.get(why, why)


def next_steps(t: NullTranslations, care: ContactData, kind: Kind) -> str:
    """What the reader is to do."""
    if kind == "verification":
        return t.gettext(
            "What to do: tell us this code and your name. Then we know that our notices reach you this way."
            " If you do not know what this is about, tell us that: the address is wrong then."
        )
    if kind == "contact-changed" and care.code:
        return t.gettext(
            "What to do: if the change was meant, tell us this code. If it was not, tell us at once:"
            " our notices would go to somebody else."
        )
    if kind == "contact-changed":
        return t.gettext(
            "What to do: if the change was meant, nothing. If it was not, tell us at once:"
            " our notices would go to somebody else."
        )
    return t.gettext(
        "What to do: tell us the right address, or that this one is right. Until then notices of emergencies"
        " may not arrive by it. That you were told this is on record."
    )
