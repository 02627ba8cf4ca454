"""A gateway to telephones by HTTP, as it is described: what it is sent, and what its answers mean.

A request is made of fixed fields only: each of number, text, our key, … stands at one place. There is no
language of templates over what comes from outside. What it knows a message by tells it nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import Field, field_validator, model_validator

import hostwatch
from hostwatch.channels import _http, base
from hostwatch.configuration import pointer
from hostwatch.configuration.callback import Callback
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.pointer import Place
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section
from hostwatch.core.budget import Budget
from hostwatch.core.notice import Kind

FIELDS_MAX: Final = 30
TEMPLATES_MAX: Final = 20
KEY_CHARS: Final = 32

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Word = Annotated[str, Field(min_length=1, max_length=pointer.WORD_CHARS_MAX)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Name = Literal["reference", "what", "address", "since", "site", "customer"]


class Fields(Section):
    """Where each thing stands in a request."""

    number: Place
    """The telephone number."""

    text: Place | None = None
    """The words."""

    key: Place | None = None
    """Our key of the notice: the same in every try, and it says nothing to others."""

    template: Place | None = None
    """The provider's name of an approved template."""

    parameters: Place | None = None
    """The values of the template."""

    callback: Place | None = None
    """The web address at which we are told what became of the message."""


class Template(Section):
    """A text that the provider has approved, with values by name."""

    id: Text
    """The provider's name of it."""

    kinds: tuple[Kind, ...] = ()
    """The kinds of notices that it is for; absent: all."""

    language: Literal["en", "zh-Hans"] | None = None
    """The language that it is in; absent: it serves all."""

    parameters: Mapping[Word, Name] = Field(default_factory=dict, max_length=FIELDS_MAX)
    """The provider's name of each value, and what it is: reference, what, address, since, site, customer."""


class Meanings(Section):
    """What the gateway's answer means, where its code does not say it all."""

    word: Place | None = None
    """Where in the JSON of the answer its word stands."""

    accepted: tuple[Word, ...] = Field(default=(), max_length=FIELDS_MAX)
    """Words that mean that it took the message. Any other is tried again, as perhaps arrived."""

    refused: tuple[Word, ...] = Field(default=(), max_length=FIELDS_MAX)
    """Words that mean that it never will: the next channel at once."""

    again: tuple[Word, ...] = Field(default=(), max_length=FIELDS_MAX)
    """Words that mean: not now."""

    id: Place | None = None
    """Where the gateway's own name of the message stands."""

    @model_validator(mode="after")
    def _is_in_itself_right(self) -> Meanings:
        words = (*self.accepted, *self.refused, *self.again)
        if words and self.word is None:
            raise Wrong("words without a place", "write word: with the place where they stand")
        if self.word is not None and not self.accepted:
            raise Wrong("no word means that a message is accepted", "write accepted: with those that do")
        if len({*words}) < len(words):
            raise Wrong("a word means two things", "write each word once")
        return self


class Limit(Section):
    """How many messages a gateway takes: at most so many in any stretch of time."""

    messages: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    """So many messages."""

    every: Annotated[Duration, between("100ms", "1h")] = timedelta(seconds=1)
    """In any stretch of this length."""


class Gateway(Section):
    """A provider, or a gateway of your own, that is asked by HTTP."""

    country: Country
    """The country that numbers and words go to, by its two letters (ISO 3166)."""

    url: base.Link
    """Where requests go to. It is never shown whole."""

    method: Literal["POST", "PUT", "GET"] = "POST"
    """How it is asked."""

    body: Literal["json", "form", "query"] = "json"
    """How the fields are sent: as JSON, as a form, or in the address."""

    fields: Fields
    """Where each thing stands."""

    constant: Mapping[Place, str | int | bool] = Field(default_factory=dict, max_length=FIELDS_MAX)
    """What stands in every request, by its place."""

    secret: Mapping[Place, Secret] = Field(default_factory=dict, max_length=FIELDS_MAX)
    """The same, of what must not be seen."""

    headers: Mapping[HeaderName, Text] = Field(default_factory=dict, max_length=FIELDS_MAX)
    """Headers of every request."""

    secret_headers: Mapping[HeaderName, Secret] = Field(default_factory=dict, max_length=FIELDS_MAX)
    """The same, of what must not be seen."""

    bearer: Secret | None = None
    """A token that is sent as `Authorization: Bearer`."""

    username: Text | None = None
    """A login, sent as `Authorization: Basic`."""

    password: Secret | None = None
    """Its password."""

    unprotected: bool = False
    """Allows http:// to another address than one of loopback: numbers, words and secrets can be read then."""

    numbers: Literal["plus", "digits"] = "plus"
    """How a number is written: +8613…, or without the plus."""

    signature: Annotated[Text, Field(max_length=30)] | None = None
    """What stands before each text, such as 【Chengdu 1】 where senders must say so."""

    templates: tuple[Template, ...] = Field(default=(), max_length=TEMPLATES_MAX)
    """Approved templates; the first that fits a notice is sent, and the words where none does."""

    parameters_as: Literal["object", "text", "list"] = "object"
    """How the values of a template are sent: as JSON, as JSON in a text, or as a list in their order."""

    answer: Meanings = Meanings()
    """What an answer means. Without it: 2xx accepted, 408, 425, 429 and 5xx not now, all else refused."""

    callbacks: tuple[Callback, ...] = Field(default=(), max_length=5)
    """How it says later what became of a message."""

    limit: Limit = Limit(messages=10)
    """How many messages it takes in a time."""

    at_once: Annotated[int, Field(ge=1, le=64, strict=True)] = 16
    """How many requests may be under way at one time."""

    timeout: Annotated[Duration, between("10ms", "4m")] = timedelta(seconds=20)
    """For one try."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, link: Secret) -> Secret:
        return _http.check_url(link, "use username: and password:")

    @model_validator(mode="after")
    def _is_in_itself_right(self) -> Gateway:
        for wrong in self._wrongs():
            raise wrong
        return self

    def _wrongs(self) -> tuple[Wrong, ...]:
        found = []
        url = urlsplit(self.url.reveal())
        if url.scheme == "http" and not self.unprotected and not _is_loopback(url.hostname or ""):
            found.append(Wrong("would be asked in plain text", "write https://, or unprotected: true"))
        if (self.username is None) != (self.password is None):
            found.append(Wrong("half a login", "give both username: and password:, or neither"))
        if self.username is not None and self.bearer is not None:
            found.append(Wrong("two logins", "give either bearer: or username: and password:"))
        if self.fields.text is None and not self.templates:
            found.append(Wrong("sends no words", "write fields.text, or templates"))
        if self.templates and self.fields.template is None:
            found.append(Wrong("has templates and no field for them", "write fields.template"))
        if self.fields.callback is not None and not self.callback_for("key"):
            found.append(Wrong("has a field for a callback and no address", "write callbacks[].address"))
        if self.method == "GET" and self.body != "query":
            found.append(Wrong("GET has no body", "write body: query, or method: POST"))
        places = [*self._own_places(), *self.constant, *self.secret]
        if len({*places}) < len(places):
            found.append(Wrong("two fields stand at one place", "give each a place of its own"))
        return tuple(found)

    def _own_places(self) -> list[str]:
        return [place for _, place in self.fields if place is not None]

    def template_for(self, message: base.Message) -> Template | None:
        """The first approved template that fits a notice."""
        kind, language = message.payload.get("kind"), message.payload.get("language")
        for one in self.templates:
            if (not one.kinds or kind in one.kinds) and one.language in (None, language):
                return one
        return None

    def callback_for(self, key: str) -> str:
        """Where it is to say more of a message: the first callback with an address."""
        return next((one.address_for(key) for one in self.callbacks if one.address is not None), "")

    def authorization(self) -> str:
        """The header of the login; empty without one."""
        if self.bearer is not None:
            return f"Bearer {self.bearer.reveal()}"
        if self.username is None or self.password is None:
            return ""
        login = f"{self.username}:{self.password.reveal()}".encode()
        return "Basic " + base64.b64encode(login).decode("ascii")


def chosen(gateways: Mapping[str, Gateway], name: str | None, kind: str) -> tuple[str, Gateway]:
    """The gateway of an entry: the one that it names, or the first. Raises `base.Unusable`."""
    if not gateways:
        raise base.Unusable(f"there is no gateway for {kind}", f"write one under channels: {kind}: gateways:")
    found = next(iter(gateways)) if name is None else name
    if found not in gateways:
        raise base.Unusable(f"there is no gateway {found} for {kind}", f"write one of {', '.join(gateways)}")
    return found, gateways[found]


def key_of(message: base.Message, key: bytes) -> str:
    """What a gateway knows a notice by: a hash under our own key, since notices name customers and people."""
    return hmac.new(key, b"gateway " + message.key.encode(), hashlib.sha256).hexdigest()[:KEY_CHARS]


class Telephone(base.Channel):
    """One telephone behind a gateway."""

    def __init__(self, number: str, name: str, gateway: Gateway, surroundings: base.Surroundings) -> None:
        self.number = number
        self.gateway = gateway
        self.surroundings = surroundings
        self.at_once = gateway.at_once
        self.budget = Budget(messages=gateway.limit.messages, every=gateway.limit.every)
        self._lane = f"{self.kind}/{name}"

    @property
    def shown(self) -> str:
        return self.number

    @property
    def lane(self) -> str:
        return self._lane

    async def ask(self, words: str, message: base.Message) -> base.Receipt:
        """Hand a message over."""
        return await send(self.gateway, self.lane, self.number, words, message, self.surroundings)


async def send(
    gateway: Gateway,
    called: str,
    number: str,
    words: str,
    message: base.Message,
    surroundings: base.Surroundings,
) -> base.Receipt:
    """Hand a message over; `called` is the kind of channel and the gateway. Raises `Refused` or `Failed`.

    Where the line broke after it had left, the gateway may still say more of it, by our key.
    """
    key = key_of(message, surroundings.webhook_key)
    url, body, headers = request(gateway, number, words, message, key)
    within_s = gateway.timeout.total_seconds()
    try:
        answer = await _http.ask(
            gateway.method, url, body, headers, timeout_s=within_s, now=surroundings.now()
        )
        known_as = judged(answer, gateway.answer) or key
    except base.Failed as failed:
        failed.receipt = f"{called}/{key}" if failed.perhaps_arrived else ""
        raise
    return base.Receipt(answer.said, receipt=f"{called}/{known_as}")


def request(
    gateway: Gateway, number: str, words: str, message: base.Message, key: str
) -> tuple[str, bytes | None, dict[str, str]]:
    """Address, body and headers of a request. Raises `Refused` if the gateway has no way to say it."""
    fields, template = gateway.fields, gateway.template_for(message)
    values: dict[str, Any] = {**gateway.constant}
    values |= {place: secret.reveal() for place, secret in gateway.secret.items()}
    values[fields.number] = number if gateway.numbers == "plus" else number.removeprefix("+")
    if fields.key is not None:
        values[fields.key] = key
    if fields.callback is not None:
        values[fields.callback] = gateway.callback_for(key)
    if template is not None and fields.template is not None:
        values[fields.template] = template.id
        if fields.parameters is not None:
            values[fields.parameters] = _parameters(gateway, template, message)
    elif fields.text is None:
        raise base.Refused("none of the gateway's templates is for such a notice in this language")
    else:
        values[fields.text] = words
    return _written(gateway, values)


def _parameters(gateway: Gateway, template: Template, message: base.Message) -> Any:
    found = {name: message.named.get(source, "") for name, source in template.parameters.items()}
    match gateway.parameters_as:
        case "list":
            return [*found.values()]
        case "text":
            return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return found


def _written(gateway: Gateway, values: dict[str, Any]) -> tuple[str, bytes | None, dict[str, str]]:
    headers = {"User-Agent": f"hostwatch/{hostwatch.__version__}", "Accept-Encoding": "identity"}
    headers |= gateway.headers
    headers |= {name: secret.reveal() for name, secret in gateway.secret_headers.items()}
    if (login := gateway.authorization()) != "":
        headers["Authorization"] = login
    url = gateway.url.reveal()
    if gateway.body == "json":
        body = json.dumps(pointer.put(values), ensure_ascii=False, separators=(",", ":")).encode()
        return url, body, {"Content-Type": "application/json; charset=utf-8", **headers}
    pairs = urlencode([(name.lstrip("/"), _plain(value)) for name, value in values.items()])
    if gateway.body == "form":
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return url, pairs.encode(), {"Content-Type": kind, **headers}
    return f"{url}{'&' if urlsplit(url).query else '?'}{pairs}", None, headers


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def judged(answer: _http.Answer, means: Meanings) -> str:
    """The gateway's own name of a message that it took; empty if it gave none. Raises what follows else."""
    data = pointer.read(answer.body) if means.word or means.id else None
    word = pointer.word(data, means.word) if means.word else ""
    if word in means.again:
        raise base.Failed(answer.said, retry_after=answer.retry_after)
    if word in means.refused:
        raise base.Refused(answer.said)
    if (refusal := answer.refusal()) is not None:
        raise refusal
    if means.word and word not in means.accepted:
        raise base.Failed(answer.said, perhaps_arrived=True, retry_after=answer.retry_after)
    return pointer.word(data, means.id) if means.id else ""


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name in ("", "localhost")
