"""How a notice asks whether somebody has it, and the words of the page where they say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from gettext import NullTranslations
from itertools import islice
from typing import Any, Final

from hostwatch.messages import catalogue
from hostwatch.messages.fit import line
from hostwatch.messages.text import Composed

LINKS_MAX: Final = 10
"""Links in the words of one message; its data have all."""


def asked(composed: Composed, links: Mapping[str, str], language: str) -> Composed:
    """A notice with its links, before its last lines. `links`: by reference."""
    if not links:
        return composed
    t = catalogue.words(catalogue.resolve(language))
    asks = t.gettext("Do you take care of it? Say so here, and the others see it:")
    lines = [
        link if len(links) == 1 else f"{reference}: {link}"
        for reference, link in islice(links.items(), LINKS_MAX)
    ]
    if len(links) > LINKS_MAX:
        lines.append(f"+{len(links) - LINKS_MAX}")
    before, _, closing = composed.text.rpartition("\n\n")
    text = "\n\n".join([before, "\n".join([asks, *lines]), closing])
    sheet = composed.sheet  # one link is a button there
    if len(links) > 1:
        sheet = replace(sheet, asks=asks, links=(*islice(links.items(), LINKS_MAX),))
    return replace(composed, text=text, sheet=sheet)


def only(links: Mapping[str, str]) -> str:
    """The link of a notice, where it has one alone."""
    return next(iter(links.values())) if len(links) == 1 else ""


def told(payload: Mapping[str, Any], links: Mapping[str, str]) -> Mapping[str, Any]:
    """The data of a notice, with the link of each emergency that has one: `acknowledge_url`."""
    if not links:
        return payload
    emergencies = [
        {**one, "acknowledge_url": links[one["reference"]]} if one.get("reference") in links else one
        for one in payload["emergencies"]
    ]
    return {**payload, "emergencies": emergencies}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page says, in plain text."""

    language: str
    title: str
    says: tuple[str, ...] = ()
    """Paragraphs."""

    notes: tuple[str, ...] = ()
    """What it means, less loud."""

    button: str = ""
    """What is on the button; empty: there is none."""

    field: str = ""
    """What the name is asked for with; empty: it is not."""

    name: str = ""
    """What stands there already."""

    back: str = ""
    """What is on the second button, that takes it back; empty: there is none."""


def page(told: Mapping[str, Any], language: str) -> Page:
    """The page that a link leads to. `told`: what the watch says of the link. `language`: of who asks."""
    language = catalogue.resolve(str(told.get("language") or language))
    t = catalogue.words(language)
    if told.get("state") != "open":
        return _closed(t, language, told)
    mine, others = told["mine"], told["others"]
    reference, contact = line(told["reference"]), line(told["contact"])
    says = [line(told["subject"])]
    says += _who(t, [*mine, *others])
    if mine:
        return Page(
            language=language,
            title=t.gettext("You have %s") % reference,
            says=(*says, t.gettext("The others see that. Thank you.")),
            notes=(t.gettext("The outage goes on; we tell you when it is over."),),
            back=t.gettext("I do not have it after all"),
        )
    return Page(
        language=language,
        title=t.gettext("%s: do you take care of it?") % reference,
        says=tuple(says),
        notes=(
            t.gettext("Asked is %(contact)s, %(customer)s, by %(site)s; declared an emergency: %(opened)s.")
            % {
                "contact": contact,
                "customer": line(told["customer"]),
                "site": line(told["site"]),
                "opened": line(told["opened"]),
            },
            t.gettext(
                "To say so means: you know of it and take care of it on your side. You are sent nothing more"
                " about its beginning, and the others see who has it. It does not end the outage, it says"
                " nothing about its cause, and it takes no right from you."
            ),
        ),
        button=t.gettext("I have it"),
        field=t.gettext("Your name"),
        name=contact,
    )


def _who(t: NullTranslations, known: Sequence[Mapping[str, str]]) -> list[str]:
    pattern = t.gettext("%(by)s has it since %(at)s.")
    return [pattern % {"by": line(one["by"]), "at": line(one["at"])} for one in known]


def _closed(t: NullTranslations, language: str, told: Mapping[str, Any]) -> Page:
    """Why there is nothing to be said here."""
    reference = line(str(told.get("reference") or ""))
    match told.get("state"):
        case "over":
            title = t.gettext("%s is over") % reference
            says = t.gettext("Nothing is left to be done here.")
        case "expired":
            title = t.gettext("This link is too old")
            says = t.gettext("Use the one in a later notice, or ring us and name %s.") % reference
        case "refused":
            title = t.gettext("This link is no longer yours to use")
            says = t.gettext("Who it was made for is not told of %s any more.") % reference
        case "unknown":
            title = t.gettext("This link leads nowhere")
            says = t.gettext("Was it copied whole? It ends with 39 letters and digits.")
        case "busy":
            title = t.gettext("Too many requests")
            says = t.gettext("Wait a minute, and try again.")
        case "lost":
            title = t.gettext("There is no such page")
            says = t.gettext("Use the link as it stands in the notice.")
        case "again":
            title = t.gettext("That was not pressed here")
            says = t.gettext("Open the link in the notice again, and press the button there.")
        case _:
            title = t.gettext("We cannot do this just now")
            says = t.gettext("Nothing was noted. Try again in a minute, or ring us.")
    return Page(language=language, title=title, says=(says,))
