"""Ways to contacts: channels as they are built, and what each is known by."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hostwatch import channels
from hostwatch.channels.base import Channel, SiteEntry, Surroundings
from hostwatch.configuration.rung import Rung
from hostwatch.configuration.secret import revealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One channel of a contact, and what it is known by: `core.emergency.Attempt.way`."""

    name: str
    channel: Channel
    leads: str = ""
    """What it leads to, whoever relays what we send: `core.verification.Known.way`."""

    kept: str = ""
    """What it is made of, as JSON; empty if a secret is part of it."""

    path: str = ""
    """By what a message leaves the house: what fails, fails for all that have the same path."""

    wait: timedelta | None = None
    """How long it has before the next is tried too, if that is another time than the site's."""


def ladder_of(rungs: Iterable[Rung], surroundings: Surroundings) -> tuple[Way, ...]:
    """The ways of a contact; one that stands there twice is one."""
    named: dict[str, Rung] = {}
    for rung in rungs:
        named.setdefault(_name(rung, surroundings), rung)
    return tuple(
        Way(
            name=name,
            channel=channels.room(rung.kind).build(rung.settings, surroundings),
            leads=_leads(rung, surroundings),
            kept=_kept(rung),
            path=rung.path(surroundings.site),
            wait=rung.wait,
        )
        for name, rung in named.items()
    )


def _decisive(site: SiteEntry | None) -> Any:
    """What the site sets for a kind of channel, without what changes nothing of a message."""
    told = revealed(site)
    if site is None or not site.aside:
        return told
    return {name: value for name, value in told.items() if name not in site.aside} or None


def _leads(rung: Rung, surroundings: Surroundings) -> str:
    """What a way leads to, as a hash under our own key; not how it is relayed."""
    told = json.dumps([rung.kind, revealed(rung.settings)], ensure_ascii=False)
    return hmac.new(surroundings.webhook_key, b"leads " + told.encode(), hashlib.sha256).hexdigest()[:32]


def _kept(rung: Rung) -> str:
    """What a way is made of, for when the configuration has it no more; nothing that holds a secret."""
    written = rung.settings.model_dump(mode="json", exclude_unset=True)
    if written != revealed(rung.settings):
        return ""
    return json.dumps(
        {rung.kind: rung.settings.model_dump(mode="json", by_alias=True, exclude_unset=True)},
        ensure_ascii=False,
    )


def _name(rung: Rung, surroundings: Surroundings) -> str:
    """What a way is known by: all that decides where it leads and how, as a hash under our own key.

    So it is the same in all runs, another when a token or the site's relay is, and tells nobody anything.
    """
    told = json.dumps(
        [rung.kind, revealed(rung.settings), _decisive(surroundings.site.get(rung.kind))], ensure_ascii=False
    )
    return hmac.new(surroundings.webhook_key, b"way " + told.encode(), hashlib.sha256).hexdigest()[:32]
