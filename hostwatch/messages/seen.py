"""What was seen of an early warning, in the language of whoever reads it.

The record keeps it in English, as the core says it. Here its sentences are found again, with their values,
and told in another language; what is of none of them is shown as it stands (as findings of checks are).
"""

from __future__ import annotations

import re
from functools import cache
from gettext import NullTranslations
from typing import Final

from hostwatch.messages.spans import ENGLISH

_FORMS: Final = {
    "figure": r"\d{1,16}",
    "state": "able|dead|bypass",
    "channel": "[a-z0-9_-]+",
    "contact": "[^;, ]+",
}
"""What values of a name look like; of any other name anything."""


def worded(t: NullTranslations, said: str) -> str:
    """What was seen, sentence by sentence."""
    return t.gettext("; ").join(_sentence(t, one) for one in said.split("; "))


def _sentence(t: NullTranslations, said: str) -> str:
    """Of one thing, perhaps with its name before it."""
    name, colon, rest = said.partition(": ")
    if (found := _listed(t, said)) is None and colon and (told := _listed(t, rest)) is not None:
        return t.gettext("%(name)s: %(said)s") % {"name": name, "said": told}
    return said if found is None else found


def _listed(t: NullTranslations, said: str) -> str | None:
    """One sentence, or several with commas between."""
    if (found := _told(t, said)) is not None:
        return found
    parts = [_told(t, part) for part in said.split(", ")]
    return t.gettext(", ").join(part for part in parts if part) if None not in parts else None


def _told(t: NullTranslations, said: str) -> str | None:
    """One sentence of ours in the reader's language; None if it is none."""
    states = {"able": t.gettext("able"), "dead": t.gettext("dead"), "bypass": t.gettext("bypass")}
    for english, other in zip(_patterns(ENGLISH), _patterns(t), strict=True):
        found = _matcher(english).fullmatch(said)
        if found is not None:
            values = found.groupdict()
            return other % {name: states.get(value, value) for name, value in values.items()}
    return None


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    """Finds the values in a sentence."""
    parts = re.split(r"(%\([a-z]+\)s)", pattern)
    made = []
    for part in parts:
        name = part[2:-2]
        is_value = part.startswith("%(")
        made.append(
            f"(?P<{name}>{_FORMS.get(name, '[^;]+')})" if is_value else re.escape(part.replace("%%", "%"))
        )
    return re.compile("".join(made))


@cache
def _patterns(t: NullTranslations) -> tuple[str, ...]:
    return (*_of_batteries(t), *_of_wiring(t), *_of_contradictions(t), *_of_duties(t))


def _of_batteries(t: NullTranslations) -> tuple[str, ...]:
    return (
        t.gettext("charge %(figure)s %%"),
        t.gettext("runtime %(figure)s min"),
        t.gettext("load %(figure)s %%"),
        t.gettext("battery low, as the UPS says"),
        t.gettext("last seen on battery with %(figure)s min left: possibly interrupted"),
        t.gettext("last seen on battery: possibly interrupted"),
        t.gettext("last seen with a low battery with %(figure)s min left: possibly interrupted"),
        t.gettext("last seen with a low battery: possibly interrupted"),
        t.gettext("last seen with its output off: possibly interrupted"),
        t.gettext("last seen without power: possibly interrupted"),
    )


def _of_wiring(t: NullTranslations) -> tuple[str, ...]:
    return (
        t.gettext("nothing has power that it hangs on"),
        t.gettext("all its feeds hang on %(names)s"),
        t.gettext("all hangs on %(names)s"),
        t.gettext("those behind it answer"),
        t.gettext("nobody is known to be cut off"),
        t.gettext("%(name)s hangs on it alone"),
    )


def _of_contradictions(t: NullTranslations) -> tuple[str, ...]:
    return (
        t.gettext("some say that the utility is there, others that it is not"),
        t.gettext("some say that the UPS is %(state)s, others %(other)s"),
        t.gettext("some say that nothing comes out, and others say that it does"),
        t.gettext("some say that nothing comes out, and %(name)s has power"),
        t.gettext("some say that there is power, others that there is none"),
        t.gettext("it is said to have no power, and %(name)s has power"),
        t.gettext("a line has power without a utility"),
        t.gettext("there is power, though utility and UPS have none: a contradiction"),
        t.gettext("there is power past the UPS, though the utility is absent: a contradiction"),
    )


def _of_duties(t: NullTranslations) -> tuple[str, ...]:
    """Why nobody was told (`core.breachreason`)."""
    return (
        t.gettext("%(figure)s more"),
        t.gettext("nobody was authorised"),
        t.gettext("recorded %(figure)s min late as the watch did not run or could not write"),
        t.gettext("%(contact)s waited %(figure)s min for the first try"),
        t.gettext("no try to tell %(contact)s in %(figure)s min"),
        t.gettext("no further try to tell %(contact)s in %(figure)s min"),
        t.gettext("nothing more can be tried for %(contact)s"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s not accepted"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s put off by the other side"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s without an answer in time"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s refused"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s came back"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s cut off as the watch stopped"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s taken and not proven enough"),
        t.gettext("%(figure)s × %(channel)s to %(contact)s still under way"),
        t.gettext("%(figure)s × call to %(contact)s not taken by anybody"),
        t.gettext("%(figure)s × call to %(contact)s taken and without an outcome"),
        t.gettext("%(figure)s × call to %(contact)s in vain"),
        t.gettext("%(figure)s × call to %(contact)s to a wrong number"),
    )
