"""What a human is to say on the telephone: who calls, what it is about, and what to ask.

One breath, in the language of whoever is called. No more is said than the first line of the notice says.
"""

from __future__ import annotations

from gettext import NullTranslations


def lines(t: NullTranslations, *, site: str, customer: str, contact: str, subject: str) -> tuple[str, ...]:
    """Sentence by sentence."""
    values = {"site": site, "customer": customer, "contact": contact}
    return (
        t.gettext("Good day, this is %(site)s. May I speak to %(contact)s of %(customer)s?") % values,
        subject,
        t.gettext("Have you got that, and do you take care of it? May I note your name?"),
    )
