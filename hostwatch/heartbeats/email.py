"""A heartbeat by email: a mail every so often to a box that raises an alarm when none comes.

It goes by the site's own relay, as notices by email do. A mail says that the watch was well when it left.
That it is not well any more is said by the next one not coming. Nobody asks what became of one: a report
of it would be about no notice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hostwatch.channels import email
from hostwatch.channels.base import Message
from hostwatch.heartbeats import base

EVERY: Final = timedelta(hours=24)


class Settings(email.Settings):
    """The box that expects the mails."""


def build(settings: Settings, surroundings: base.Surroundings) -> Mail:
    """The way; without a relay there is none."""
    return Mail(email.build(settings, surroundings, followed=False))


class Mail(base.Way):
    """One box behind the site's relay."""

    def __init__(self, channel: email.Email) -> None:
        self._channel = channel

    async def beat(self, beat: base.Beat) -> str:
        message = Message(
            key=f"heartbeat.{beat.at:%Y%m%dT%H%M%S}Z",
            subject=f"hostwatch at {beat.site} is well",
            text=beat.text,
            payload={"language": "en"},
            repeat=False,
        )
        return (await self._channel.send(message)).said
