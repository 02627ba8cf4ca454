"""What one message tells: a notice that leads it, what stands behind that, and others beside it.

*Behind* a first notice stand the updates and the end of its emergency. What is known of them when the message
is claimed is told with it: nobody hears of a beginning alone whose end is known, not even again. *Beside* it
stand other notices to the same person that would be told by the same way now. Each notice keeps its own duty,
its own attempts and its own proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hostwatch.core import acknowledging, delivery
from hostwatch.core.acknowledgement import END
from hostwatch.core.emergency import Notice, NoticeState
from hostwatch.core.notice import Kind, Story
from hostwatch.core.notices import REMINDER
from hostwatch.core.world import Decision, World

STORIES_MAX: Final = 200
"""Emergencies that one message tells of."""

FOLDED: Final = frozenset({"update", "recovery", "withdrawn"})
"""What stands behind a first notice and is told with it."""

BESIDE: Final = frozenset({"emergency", "recovery", "withdrawn"})
"""Kinds of notices of which many stand in one message."""

Shape = tuple[Kind, bool, bool]
"""How a notice would be told now, whether with its beginning, and whether of a service: only such as are
alike stand together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that one message tells."""

    kind: Kind
    stories: tuple[Story, ...]
    names: tuple[str, ...]
    """Of all notices that it tells."""

    since: datetime
    """When the first of these by name was owed."""

    both: bool = False
    """Whether it tells of the beginning and of the end."""

    @property
    def mark(self) -> str:
        """What is added to the name of the first notice in the message's key, if it tells several.

        The same notices have the same mark, whoever leads them and however often they are told; others have
        another. So whoever drops what they had already under a key never drops what is new to them.
        """
        if len(self.names) == 1:
            return ""
        told = hashlib.sha256("\n".join(sorted(self.names)).encode()).hexdigest()[:12]
        return f"and-{len(self.names) - 1}-{told}"

    @property
    def first(self) -> str:
        """The notice that the key is named after."""
        return min(self.names)


def alone(notice: Notice) -> Contents:
    """A message that tells one notice as it is."""
    return Contents(kind=notice.kind, stories=notice.stories, names=(notice.id,), since=notice.created_at)


def claim(
    world: World,
    notice: Notice,
    beside: Iterable[str],
    *,
    rung: int,
    channel: str,
    address: str,
    way: str,
    now: datetime,
) -> Decision:
    """Claim the next attempt of a notice, and of all that its message tells; what is `beside` is proposed."""
    heads = [notice]
    for name in beside:
        other = world.notices.pending.get(name)
        if other is not None and len(heads) < STORIES_MAX and stands_beside(world, notice, other):
            heads.append(other)
    others = [*heads[1:], *(one for head in heads for one in _behind(world, head) if _is_free(one))]
    return delivery.begin(
        notice, rung=rung, channel=channel, address=address, way=way, now=now, others=others
    )


def contents(world: World, notice: Notice, number: int = 0) -> Contents:
    """What the message of an attempt tells: of the latest, if no number is given."""
    if notice.kind == REMINDER:
        return alone(_still(notice, number or len(notice.attempts)))
    mine = {one.id: one for one in world.notices.in_message(notice, number or len(notice.attempts))}
    mine.setdefault(notice.id, notice)
    told = [
        [head, *(one for one in _behind(world, head) if one.id in mine or not _is_free(one))]
        for head in sorted(mine.values(), key=lambda one: one.id)  # the same in every try, whoever leads it
        if head.after not in mine
    ]  # by emergency, the newest last; what could be told and was not claimed came later
    kind = told[0][-1].kind
    notices = [one for chain in told for one in chain]
    return Contents(
        kind=kind,
        stories=tuple(_newest(chain[0], chain[-1]) for chain in told),
        names=tuple(one.id for one in notices),
        since=min(notices, key=lambda one: one.id).created_at,
        both=kind in END and any(chain[0].kind == "emergency" for chain in told),
    )


def _still(notice: Notice, number: int) -> Notice:
    """A reminder that says what is so when it is claimed: it may have waited."""
    at = notice.attempts[number - 1].began_at
    return replace(notice, stories=tuple(replace(story, still_at=at) for story in notice.stories))


def _newest(head: Notice, last: Notice) -> Story:
    """What there is to tell of the emergency of a notice."""
    return next((one for one in last.stories if one.reference in head.emergencies), head.stories[0])


def stands_beside(world: World, notice: Notice, other: Notice) -> bool:
    """Whether another notice may be told in the message of a notice."""
    mine = shape(world, notice)
    return (
        mine is not None
        and other.id != notice.id
        and (other.customer, other.contact, other.kind) == (notice.customer, notice.contact, notice.kind)
        and other.perhaps_told is notice.perhaps_told
        and _is_free(other)
        and not acknowledging.waits(world, other)
        and shape(world, other) == mine
    )


def shape(world: World, notice: Notice) -> Shape | None:
    """How it would be told now; None of what is told alone: it has a story of its own shape."""
    if notice.kind not in BESIDE or len(notice.stories) != 1:
        return None
    last = [notice, *_behind(world, notice)][-1]
    story = _newest(notice, last)
    if story.is_shared or story.warning or story.gone:
        return None
    kind = last.kind if last.kind in END else notice.kind
    return kind, kind != notice.kind, bool(story.service)


def _behind(world: World, notice: Notice) -> Iterator[Notice]:
    """What is told with it if it is told now, in order."""
    if notice.kind in ("emergency", "update"):
        for one in world.notices.chain(notice.id):
            if one.kind not in FOLDED:
                return
            yield one


def _is_free(notice: Notice) -> bool:
    """Whether it is still to be told, and nobody is telling it."""
    return notice.state is NoticeState.PENDING and not notice.has_open_attempt
