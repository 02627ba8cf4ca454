"""When a customer was told, as it is written: how many of their people, and what proves it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import BaseModel

from hostwatch.configuration.customer import Customer
from hostwatch.configuration.duration import shown
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.notices import Notices
from hostwatch.configuration.place import Finding
from hostwatch.core.proof import Proof


def mistakes(number: int, customer: Customer) -> Iterator[Finding]:
    """The people who count are the customer's own, or who is on call in a rotation of theirs."""
    own = [*(one.id for one in customer.contacts), *(one.id for one in customer.rotations)]
    for place, name in enumerate(customer.terms.named):
        if name in own:
            continue
        near = difflib.get_close_matches(name, own, 1)
        hint = f"did you mean {near[0]}?" if near else "write the id of a contact, or of a rotation"
        yield (
            ("customers", number, "terms", "told", place),
            Wrong("names no contact and no rotation of the customer", hint),
        )


def unusable(number: int, customer: Customer, sites: Mapping[str, BaseModel]) -> Iterator[Finding]:
    """Channels that do not go with what the site sets."""
    for place, contact in enumerate(customer.contacts):
        for rung, one in enumerate(contact.channels):
            if (wrong := one.wrong(sites)) is not None:
                yield ("customers", number, "contacts", place, "channels", rung, one.kind), wrong


def warnings(
    number: int, customer: Customer, met_by: Proof, sites: Mapping[str, BaseModel]
) -> Iterator[Finding]:
    """Whose every channel proves less than the agreement asks for."""
    for place, contact in enumerate(customer.contacts):
        proves = [rung.proves(sites) for rung in contact.channels]
        if not any(proof.covers(met_by) for proof in proves):
            best = max(proves, key=lambda proof: [*Proof].index(proof))
            yield (
                ("customers", number, "contacts", place, "channels"),
                Wrong(
                    f"none can prove that a notice was {met_by}, as met_by asks for: at best {best}",
                    "add a channel that can, or each notice to them will be late",
                ),
            )


def slow(notices: Notices) -> Iterator[Finding]:
    """Second channels that come late, for want of another word."""
    if notices.next_channel_after > _latest(notices.within):
        yield ("notices", "next_channel_after"), _late(notices.next_channel_after, notices.within)


def slow_of(number: int, customer: Customer, within: timedelta) -> Iterator[Finding]:
    """Whose second channel comes late, since the first has long to wait: after 5 of 15 minutes at most."""
    for place, contact in enumerate(customer.contacts):
        wait = contact.channels[0].wait if len(contact.channels) > 1 else None
        if wait is not None and wait > _latest(within):
            yield ("customers", number, "contacts", place, "channels", 0, "wait"), _late(wait, within)


def _latest(within: timedelta) -> timedelta:
    return within / 3


def _late(wait: timedelta, within: timedelta) -> Wrong:
    return Wrong(
        f"of {shown(within)} to tell, {shown(wait)} are over before the second channel is tried",
        f"write {shown(_latest(within))} or less",
    )
