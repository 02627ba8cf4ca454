"""How people are told, as it is written for the whole site."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from hostwatch.configuration.customer import WITHIN, ProofTerm, Reminding
from hostwatch.configuration.duration import Duration, between, shown
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section
from hostwatch.core.terms import Told

WITHIN_DEFAULT = timedelta(minutes=15)


def _third_of_within(longest: timedelta) -> Any:
    """As long as given, or a third of the time for notice if that is shorter."""
    return lambda data: min(longest, data.get("within", WITHIN_DEFAULT) / 3)


GATHER_PART, FURTHER_PART, FURTHER_DEFAULT_PART = 1 / 5, 1 / 3, 3 / 10
"""Of the time for notice: the longest that first notices wait for each other."""


def _part_of_within(longest: timedelta, part: float) -> Any:
    return lambda data: min(longest, data.get("within", WITHIN_DEFAULT) * part)


class Notices(Section):
    """How people are told, unless a customer's terms say otherwise."""

    within: Annotated[Duration, WITHIN] = WITHIN_DEFAULT
    """From the verdict to the latest moment at which the customer must have been told."""

    next_channel_after: Annotated[Duration, between("100ms", "12h")] = Field(
        default_factory=_third_of_within(timedelta(minutes=5))
    )
    """How long a channel may fail before the next is tried too. Default: 5m, or a third of within if less."""

    first_retry: Annotated[Duration, between("10ms", "1h")] = Field(
        default_factory=_third_of_within(timedelta(seconds=15))
    )
    """The pause before the second attempt; later ones double. Default: 15s, or a third of within if less."""

    give_up_after: Annotated[Duration, between("1s", "30d")] = timedelta(hours=24)
    """When a notice that nobody accepted is given up."""

    told: Told = Told.ANY
    """How many of a customer's people must be told, that the customer was: any, or all."""

    met_by: ProofTerm = "accepted"
    """What proves that a person was told: attempted, accepted, delivered, answered or acknowledged."""

    exercises: Literal["allowed", "refused"] = "allowed"
    """Whether exercises may be sent to customers' people, unless a customer's terms say otherwise."""

    untaken_after: Annotated[Duration, between("10s", "1h")] = timedelta(minutes=2)
    """How long a call on the call sheet may wait for somebody who takes it, until operators are warned."""

    remind_every: Reminding = timedelta(hours=4)
    """How long after the last word of an emergency that lasts people are reminded of it; 0s: never."""

    remind_acknowledged: bool = False
    """Whether they are reminded also of what one of the customer's people has."""

    attempt_timeout: Annotated[Duration, between("100ms", "10m")] = Field(
        default_factory=_third_of_within(timedelta(seconds=30))
    )
    """How long one attempt may take. Default: 30s, or a third of within if less."""

    gather: Annotated[Duration, between("0s", "10m")] = Field(
        default_factory=_part_of_within(timedelta(seconds=30), GATHER_PART)
    )
    """How long a first notice waits for those of other devices of the customer that are silent. 0: never."""

    gather_further: Annotated[Duration, between("0s", "1h")] = Field(
        default_factory=_part_of_within(timedelta(minutes=4, seconds=30), FURTHER_DEFAULT_PART)
    )
    """The same when a message has left already."""

    @field_validator("gather", "gather_further")
    @classmethod
    def _leaves_time(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        within, part = info.data.get("within"), GATHER_PART if info.field_name == "gather" else FURTHER_PART
        if within is not None and value > within * part:
            share = "a fifth" if part is GATHER_PART else "a third"
            raise Wrong(f"is more than {share} of within ({shown(within)})", "write less: telling takes time")
        return value

    @field_validator("next_channel_after", "first_retry", "attempt_timeout")
    @classmethod
    def _before_the_deadline(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        within = info.data.get("within")
        if within is not None and value >= within:
            raise Wrong(
                f"is not less than within ({shown(within)})", "write less: another try must be possible"
            )
        return value

    @field_validator("give_up_after")
    @classmethod
    def _after_the_deadline(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        within = info.data.get("within")
        if within is not None and value < within:
            raise Wrong(f"is less than within ({shown(within)})", "write more: late is better than never")
        return value
