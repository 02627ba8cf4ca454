"""What a notice says: one message to one contact about one or more emergencies.

A story is the plain data of one emergency, frozen when the notice came to be. Words are put to it
only when it is sent, in the language of the customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal[
    "emergency",
    "update",
    "recovery",
    "withdrawn",
    "correction",
    "reminder",
    "running",
    "warning",
    "cleared",
    "verification",
    "contact-changed",
    "contact-failing",
    "exercise",
]
Gone = Literal["", "customer"]
"""Why an emergency is withdrawn: it is no longer watched; or it is another customer's from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of an emergency that many share: what was lost at one time, and the reader's devices on it."""

    on: str
    """The supply, or the switches on the way: `any(sw-1,sw-2)`."""

    last_answer: datetime
    first_miss: datetime
    last_miss: datetime | None = None
    """Once it is over: the inner bound of the end. Without a `first_answer` it is no longer watched."""

    first_answer: datetime | None = None
    behind: int = 0
    """How many of the reader's devices are on it; for the operator, of all."""

    devices: tuple[str, ...] = ()
    """The first of the reader's own."""

    missed: tuple[datetime | None, ...] = ()
    """Behind switches: when each of these devices itself missed first, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactData:
    """What a notice about contact data tells of (`core.verifying`). It is of no emergency."""

    whose: str
    """The contact whose data they are."""

    at: datetime
    way: str = ""
    """The way that is asked, or that fails; of a change the one by which it is told, empty for any."""

    channel: str = ""
    until: datetime | None = None
    """Until when a code is good."""

    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    """Ways that are not used any more, and that are used from then on."""

    why: str = ""
    """What the verification of the way came to."""

    asks: bool = False
    """Whether a code goes with it."""

    code: str = ""
    person: str = ""
    site: str = ""
    address: str = ""
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    """What is filled in when it is sent, and is kept nowhere: the code, names, and addresses with most of
    their signs left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How our own probes see a device, or a service on it, of which a person reported something."""

    device: str
    how: str
    """`answering`, `silent` or `unknown`."""

    since: datetime | None = None
    """Since when it is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaps:
    """What goes up and down, and is told of by a running notice."""

    since: datetime
    """When it first went down of those that were counted."""

    times: int
    within: timedelta
    """The time in which it went down so often that a running notice began."""

    every: timedelta
    calm_after: timedelta
    down_s: int = 0
    """For how long it was down in all."""

    down_since: datetime | None = None
    """Since when it is down now."""

    calm_since: datetime | None = None
    """In the last word of it: since when it is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One emergency as a notice tells it. All instants are aware UTC."""

    reference: str
    """What people quote on the telephone, such as `E-000042`."""

    customer: str
    """The customer's identifier; the name comes from the configuration when the notice is sent."""

    device: str
    """Empty, as is the address, where the story is of an uplink."""

    address: str
    interval: timedelta
    """Time between two scheduled pings of the device, or looks at the uplink."""

    misses: int
    """Consecutive scheduled misses that led to the verdict (`colocation C5`)."""

    last_answer: datetime
    """The last answer before the silence: the device was still there. Outer bound of the start."""

    first_miss: datetime
    """The first miss of the silence: the outage is counted from here."""

    verdict: datetime
    """When the second miss became known: the 15 minutes run from here (`colocation C5`)."""

    why: str
    """How the look missed: `no answer`, `host unreachable`, …; of a service, what its checks found."""

    last_miss: datetime | None = None
    """In a recovery: the last miss, the inner bound of the end."""

    first_answer: datetime | None = None
    """In a recovery: the first answer after the silence, the outer bound of the end."""

    uplink: str = ""
    """The name of the uplink that fell silent; empty where the story is of a device."""

    references: int = 0
    """How many reference points the uplink has."""

    quorum: int = 0
    """How many of them must answer."""

    members: tuple[str, ...] = ()
    """Of a redundancy group: the names of the uplinks that it joins."""

    spared: int = 0
    """For the operator: how many devices still reach the carrier by others of its redundancy groups."""

    spared_customers: int = 0
    """Of how many customers these are."""

    supplies: tuple[str, ...] = ()
    """The supplies of power that are interrupted, as expressions over elements of the power model."""

    measured_at: str = ""
    """Of supplies: where by the agreement, `source` or `outlet`."""

    switches: tuple[str, ...] = ()
    """The names of the switches that are dead."""

    warning: str = ""
    """What operators are warned of (`core.warned.What`); empty where the story is of an emergency."""

    about: str = ""
    """Of a warning: the source, the element, the supply or the switch."""

    elements: tuple[str, ...] = ()
    """Of a warning about a source: the first of the elements of the power model that it witnesses."""

    behind: int = 0
    """How many devices are behind the uplink or the switches, or on the supplies.

    The reader's own, or all of them for the operator.
    """

    devices: tuple[str, ...] = ()
    """The first of the reader's own."""

    parts: tuple[Part, ...] = ()
    """Of what is shared: what was lost when, each with its own bounds, in the order in which it was lost."""

    customers: int = 0
    """For the operator: how many customers that concerns; else 0."""

    method: str = ""
    """How the device is looked at, such as `tcp port=443`; empty where it is pinged."""

    service: str = ""
    """The service that does not do what it should; empty where the story is of a device itself."""

    itself: str = ""
    """Of a service: how its device stands (`core.together.Stand`)."""

    failing: tuple[str, ...] = ()
    """Other services of the device that do not do what they should either."""

    answering: tuple[str, ...] = ()
    """Of a device: its services that answer though it does not. It may only drop our pings."""

    gone: Gone = ""
    """Of what is withdrawn: why."""

    contact: ContactData | None = None
    """Where it is about contact data, and of no emergency."""

    under: str = ""
    """Of what is withdrawn: the reference under which the same is told of from now on; empty if none."""

    reported: str = ""
    """Of what a person reported: what is seen, in their words. Then `first_miss` is since when, as they say,
    and `last_answer` at the earliest."""

    latest: datetime | None = None
    """Of that: since when at the latest; None where nobody said."""

    seen: tuple[Seen, ...] = ()
    """Of that: how our own probes see each of the reader's devices that are named."""

    corrected_at: datetime | None = None
    """When a person said that it was a false alarm; None: nobody did."""

    correction: str = ""
    """Why it was one, in that person's words."""

    still_at: datetime | None = None
    """In a reminder: it was not over then."""

    further: int = 0
    """In a reminder, of its first story: how many more emergencies last of which it does not tell."""

    had_by: str = ""
    """In a reminder: which of the reader's people has it; empty if nobody does, or none of the contacts."""

    had_at: datetime | None = None
    """Since when."""

    flaps: Flaps | None = None
    """Where a running notice begins with it, or sums up."""

    @property
    def is_shared(self) -> bool:
        """Whether it is of what several customers hang on: each reader has a story of their own."""
        return bool(self.uplink or self.supplies or self.switches or self.reported)
