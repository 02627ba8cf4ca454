"""Telephone numbers, the entry of a contact that is one behind a gateway, and the words of an SMS."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from hostwatch.channels import _segments, base
from hostwatch.configuration.fields import Id
from hostwatch.configuration.mistake import Wrong
from hostwatch.core.budget import Budget
from hostwatch.core.capacity import Lane
from hostwatch.core.proof import RANKS, Proof

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def _check(value: str) -> str:
    number = re.sub(r"[ ()./-]", "", value)
    if _NUMBER.fullmatch(number):
        return number
    raise Wrong("is no telephone number", 'write it with its country, such as "+86 138 0000 0000"')


Number = Annotated[str, AfterValidator(_check)]
"""As E.164 has it: a plus, the country, at most 15 digits."""


class Entry(base.Entry):
    """One telephone of a contact."""

    shorthand: ClassVar[str] = "number"
    says_country: ClassVar[bool] = False

    number: Number
    """The number with its country, such as "+86 138 0000 0000"."""

    gateway: Id | None = None
    """The gateway that it is reached by; absent: the first that the site has."""

    def wrong_with(self, site: object) -> Wrong | None:
        """It names a gateway that the site does not have."""
        gateways = getattr(site, "gateways", {})
        if self.gateway is None or self.gateway in gateways:
            return None
        return Wrong(f"there is no gateway {self.gateway}", f"write one of {', '.join(gateways)}")

    def lane_with(self, kind: str, site: object) -> tuple[str, Lane]:
        """Its gateway."""
        gateways = getattr(site, "gateways", {})
        name = self.gateway or next(iter(gateways), "")
        if name not in gateways:
            return super().lane_with(kind, site)
        gateway = gateways[name]
        budget = Budget(messages=gateway.limit.messages, every=gateway.limit.every)
        return f"{kind}/{name}", Lane(at_once=gateway.at_once, takes=base.TAKES, budget=budget)

    def proves_with(self, site: object) -> Proof:
        """What its gateway says later at best."""
        gateways = getattr(site, "gateways", {})
        gateway = gateways.get(self.gateway or next(iter(gateways), None))
        best: Proof = self.proves
        for callback in () if gateway is None else gateway.callbacks:
            said = [Proof(word) for word, known in callback.means if known and word != "returned"]
            best = max((best, *said), key=RANKS.__getitem__)
        return best


def written(message: base.Message, signature: str = "") -> str:
    """An SMS: what stands first is kept, so that is the reference. A link is not cut, but left out."""
    line = base.printable(message.subject)
    reference = message.named.get("reference", "")
    if reference not in line:
        line = f"{reference}: {line}"
    text = f"{signature}{line}"
    with_link = f"{text} {message.acknowledge_url}"
    if message.acknowledge_url and _segments.segments(with_link) <= _segments.SEGMENTS_MAX:
        return with_link
    return _segments.fitted(text)
