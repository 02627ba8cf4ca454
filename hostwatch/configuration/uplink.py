"""Uplinks as they are written: the ways to the carrier, and the reference points by which each is seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import Address, DeviceAddress, Id, Text, once_each
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section
from hostwatch.core.uplink import REFERENCES_MIN, majority

REFERENCES_MAX = 16
UPLINKS_MAX = 64
INTERVAL_DEFAULT = timedelta(minutes=1)
"""Shorter than that of devices: an uplink carries every port, and a cut of 3 min is downtime of them all."""


def _check_reference(value: Address) -> Address:
    if value.is_loopback:
        raise Wrong(
            "is on loopback, which never lies beyond the uplink", "write the address of one of the carrier's"
        )
    if value.is_link_local:
        raise Wrong(
            "is link-local, which never lies beyond the uplink", "write the address of one of the carrier's"
        )
    return value


def _check_references(value: Any) -> Any:
    """Before the single addresses are looked at, so that all that is wrong with the list is said first."""
    if isinstance(value, list | tuple) and len(value) < REFERENCES_MIN:
        raise Wrong(
            f"names {len(value)} reference points, fewer than {REFERENCES_MIN}",
            "add others of the carrier: with fewer, one that is switched off would decide alone",
        )
    return value


ReferenceAddress = Annotated[DeviceAddress, AfterValidator(_check_reference)]


class Uplink(Section):
    """One way from our gateway to the carrier."""

    id: Id
    """Names the uplink in all records; unique over the whole site."""

    name: Text
    """What the carrier, or the line, is called in notices and reports."""

    references: Annotated[
        tuple[ReferenceAddress, ...],
        Field(max_length=REFERENCES_MAX, json_schema_extra={"minItems": REFERENCES_MIN}),
        BeforeValidator(_check_references),
    ]
    """Addresses of the carrier beyond this uplink that answer pings: at least three."""

    quorum: Annotated[int, Field(strict=True)] | None = None
    """How many of them must answer, or the uplink is silent. Default: more than half."""

    interval: Annotated[Duration, between("50ms", "1d")] | None = None
    """Time between two looks. Default: 1m, or the site's interval if shorter."""

    @field_validator("references")
    @classmethod
    def _once_each(cls, value: tuple[Address, ...]) -> tuple[Address, ...]:
        return once_each(value)

    @field_validator("quorum")
    @classmethod
    def _possible(cls, value: int | None, info: ValidationInfo) -> int | None:
        count = len(info.data.get("references", ()))
        if value is not None and count and not 1 <= value <= count:
            raise Wrong(
                f"is {value}, of {count} reference points",
                f"write 1 to {count}, or leave it out for {majority(count)}",
            )
        return value

    @property
    def needed(self) -> int:
        """How many references must answer."""
        return majority(len(self.references)) if self.quorum is None else self.quorum
