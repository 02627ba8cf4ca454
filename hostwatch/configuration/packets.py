"""What packets are like, and how many may leave, as it is written: how we behave in others' networks."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from hostwatch.configuration.fields import DeviceAddress
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section

PAYLOAD_BYTES_MIN, PAYLOAD_BYTES_MAX = 16, 512
"""The nonce must find room; and the receive buffer is counted in replies that are not large."""

PER_SECOND_MAX = 1_000_000
_INTERFACE = re.compile(r"[^\s/:%]{1,15}")


def _check_interface(value: str) -> str:
    if _INTERFACE.fullmatch(value):
        return value
    raise Wrong("is not the name of an interface", "write what `ip link` calls it, such as eth0")


Number = Annotated[int, Field(strict=True)]
PerSecond = Annotated[int, Field(ge=0, le=PER_SECOND_MAX, strict=True)]


class Packets(Section):
    """What each packet is like, where routers or firewalls care."""

    ttl: Annotated[Number, Field(ge=1, le=255)] = 64
    """Time to live, or hop limit."""

    dscp: Annotated[Number, Field(ge=0, le=63)] = 0
    """Differentiated services code point: how routers treat the packet."""

    payload_bytes: Annotated[Number, Field(ge=PAYLOAD_BYTES_MIN, le=PAYLOAD_BYTES_MAX)] = 56
    """Bytes beside the ICMP header; 16 of them are the nonce."""

    source: tuple[DeviceAddress, ...] = Field(default=(), max_length=2)
    """Our own addresses that packets leave from, at most one of each family. Default: the kernel chooses."""

    interface: Annotated[str, AfterValidator(_check_interface)] | None = None
    """The interface that packets leave by. Default: the kernel chooses by its routes."""

    @field_validator("source", mode="before")
    @classmethod
    def _one_or_two(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("source")
    @classmethod
    def _one_of_each_family(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if len({address.version for address in value}) < len(value):
            raise Wrong("names two addresses of one family", "keep one of each")
        return value


class Limits(Section):
    """How many packets may leave in a second, retries too. What is more is held back, never left out."""

    packets_per_second: PerSecond = 20_000
    """In all; 0 is no limit."""

    packets_per_second_and_network: PerSecond = 2_000
    """Towards one /24 of IPv4 or /48 of IPv6; 0 is no limit."""

    packets_per_second_and_uplink: PerSecond = 10_000
    """Towards the devices behind one uplink, and its reference points; 0 is no limit."""

    neighbour_requests_per_second: PerSecond = 200
    """On one link of ours, where every machine hears who is asked for; 0 is no limit."""
