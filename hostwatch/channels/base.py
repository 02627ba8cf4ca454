"""What every channel is: one way to reach a person, told apart by its module's name.

A channel module holds three things: `Settings`, the pydantic model of one entry of a contact's
ladder (an `Entry`); `Site`, the pydantic model of what the whole site sets for this kind (may be
empty); and `build(settings, surroundings)`, which makes the `Channel` or raises `Unusable`. Nothing
else in the house knows a kind.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section
from hostwatch.core.budget import Budget
from hostwatch.core.capacity import Lane
from hostwatch.core.proof import Proof

SAID_MAX_CHARS = 500
"""The longest answer of the other side that is kept as evidence."""

AT_ONCE = 32
"""Sends of one kind that may be under way at one time, unless the kind says otherwise."""

TAKES = timedelta(seconds=2)
"""How long one message is planned to take (`core.capacity`)."""

SECRET_FORMS = ({"file"}, {"env"}, {"credential"})
"""The keys by which a secret is named instead of written."""

SHOWN_SEGMENT_MAX_CHARS = 12
"""A longer part of a URL's path may be a token, and is not shown."""


class Entry(Section):
    """One entry of a contact's ladder: a mapping, or just the one value that most people need."""

    proves: ClassVar[Proof] = Proof.ACCEPTED
    """What is known at best of a message that went this way."""

    def proves_with(self, site: object) -> Proof:
        """The same, with what the site sets for this kind of channel."""
        return self.proves

    def wrong_with(self, site: object) -> Wrong | None:
        """Why it cannot be used with what the site sets for this kind of channel; None if it can."""
        return None

    def wrong_among(self, kind: str, sites: Mapping[str, object]) -> Wrong | None:
        """The same, where it needs what the site sets for other kinds as well."""
        return self.wrong_with(sites.get(kind))

    says_country: ClassVar[bool] = True
    """Whether the entry says which country its data go to: not where the gateway does, or nothing leaves."""

    goes_to: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        None,
        description="The country that its data go to, by two letters (ISO 3166).",
        exclude_if=lambda said: said is None,  # so that what was written before is no other content
    )

    @property
    def country(self) -> str:
        """The country that its data go to, by two letters; empty if nobody has said."""
        return self.goes_to or ""

    at_once: ClassVar[int] = AT_ONCE
    """How many messages of this kind may be under way at one time."""

    def lane_with(self, kind: str, site: object) -> tuple[str, Lane]:
        """What a message is planned to go by, and how much of that there is; needs no secret."""
        return kind, Lane(at_once=self.at_once, takes=TAKES)

    def path_with(self, kind: str, site: object) -> str:
        """By what a message leaves the house: what fails, fails for all that have the same path."""
        return self.lane_with(kind, site)[0]

    shorthand: ClassVar[str]
    """The field that a bare string fills: `- email: ops@acme.example`."""

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        return {cls.shorthand: value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema for editors allows the bare string as well."""
        return {"anyOf": [{"type": "string"}, handler(core)]}


class SiteEntry(Section):
    """What the whole site sets for a kind of channel."""

    aside: ClassVar[frozenset[str]] = frozenset()
    """Settings that do not decide where a message goes or how: what a way is known by does not hold them."""


class Unusable(Wrong):
    """An entry that the site's settings do not allow or cannot serve; said to the operator at start."""


def shown_link(link: Secret) -> str:
    """A URL for an operator's eyes: no login, no query, and no part of the path that may be a token."""
    url = urlsplit(link.reveal())
    path = "/".join(part if len(part) <= SHOWN_SEGMENT_MAX_CHARS else "…" for part in url.path.split("/"))
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{path}"


def _fingerprinted(link: Secret) -> str:
    """What the record of a configuration keeps of a URL: a change of it must be visible, itself not."""
    url = link.reveal()
    return f"{url.partition(':')[0]}://… (sha256 {hashlib.sha256(url.encode()).hexdigest()[:12]})"


Link = Annotated[
    Secret,
    BeforeValidator(lambda value: Secret(value) if isinstance(value, str) else value),
    PlainSerializer(_fingerprinted, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string"}, TypeAdapter(Secret).json_schema()]}),
]
"""A URL, written out or kept elsewhere as any secret. It is treated as one: tokens hide in URLs."""


class LinkEntry(Entry):
    """An entry that is a URL: bare, or named as a secret (`{file: …}`), or under `url:`."""

    shorthand: ClassVar[str] = "url"

    url: Link
    """The address. It is never shown whole."""

    def path_with(self, kind: str, site: object) -> str:
        """The other side's name, unless it is behind a provider; of a secret that was not read nothing."""
        lane, _ = self.lane_with(kind, site)
        try:
            host = urlsplit(self.url.reveal()).hostname
        except ValueError:
            host = None
        return lane if host is None or lane != kind else f"{kind} {host}"

    @model_validator(mode="before")
    @classmethod
    def _from_secret(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, dict) and set(value) in SECRET_FORMS else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notice, worded, on its way to one contact."""

    key: str
    """Stable per notice, whatever the channel or the try: the other side can tell a repeat by it."""

    subject: str
    text: str
    """The whole message as plain text, in the customer's language, lines ended by `\\n`."""

    html: str = ""
    """The same words as a page of HTML (`messages.hypertext`); empty: there is only the text."""

    acknowledge_url: str = ""
    """Where the person says that they have it; empty: there is no such page, or not one alone."""

    payload: Mapping[str, Any]
    """The same as documented data (`docs/notices.md`), JSON types only."""

    repeat: bool
    """True when an earlier try of this notice may have arrived: the text says so as well."""

    named: Mapping[str, str] = field(default_factory=dict)
    """The same as a few short values by fixed names (`messages.named`), for approved templates."""

    spoken: Mapping[str, str] = field(default_factory=dict)
    """The same as it is read aloud: `text`, `press`, and some of the values in words (`messages.aloud`)."""

    page: Mapping[str, Any] = field(default_factory=dict)
    """The same as it stands on a page of paper (`messages.paper`), JSON types only."""

    brief: str = ""
    """All that matters on one line of at most 160 characters of ASCII, in English: what a pager can show."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side took the message. What that proves is *accepted*, unless it says more."""

    said: str
    """What it answered, made printable and at most `SAID_MAX_CHARS` long."""

    proof: Proof = Proof.ACCEPTED
    """What its answer proves, and never more."""

    receipt: str = ""
    """What it calls the message: a later word about it names that. No personal data."""


class Refused(Exception):
    """The other side will never take this message by this channel; the next channel is due at once."""


class Failed(Exception):
    """The try failed and another may succeed."""

    def __init__(
        self,
        said: str,
        *,
        perhaps_arrived: bool = False,
        retry_after: timedelta | None = None,
        receipt: str = "",
    ) -> None:
        super().__init__(said)
        self.receipt = receipt
        """What the other side calls the message if it did arrive, where we gave it that name."""
        self.perhaps_arrived = perhaps_arrived
        """The connection broke after the message had been handed over: a later try is a repeat."""
        self.retry_after = retry_after
        """The other side asked to be left alone for so long."""


class Channel(ABC):
    """One way to reach one person."""

    kind: str
    """The module's name: `email`, `webhook`, …"""

    reads: bool = True
    """Whether a person reads what goes by it: only then can somebody answer what they are asked by it."""

    at_once: int = AT_ONCE
    """How many sends of this kind may be under way at one time, over all customers."""

    budget: Budget | None = None
    """How many messages may be sent by it in a time; None: as many as there are."""

    @property
    def lane(self) -> str:
        """What its budget, and its room, is shared with: all of its kind, or of its gateway."""
        return self.kind

    @property
    @abstractmethod
    def shown(self) -> str:
        """The address for an operator's eyes, without secrets."""

    @abstractmethod
    async def send(self, message: Message) -> Receipt:
        """Hand the message over, within the limits of `docs/limits.md`.

        Raises `Refused` when trying again is useless and `Failed` otherwise. Anything else that
        escapes is a fault of ours and is treated as `Failed`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a channel may need from its house."""

    site: Mapping[str, Any]
    """Each kind's `Site` settings, by kind; absent when the site sets nothing for it."""

    webhook_key: bytes
    """The key that webhooks are signed with."""

    now: Callable[[], datetime]
    """The wall clock, aware UTC: rooms take the time from their house."""


def printable(said: object) -> str:
    """The other side's words as evidence: one printable line, bounded."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= SAID_MAX_CHARS else line[: SAID_MAX_CHARS - 1] + "…"
