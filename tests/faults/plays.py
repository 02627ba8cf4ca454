"""The runs that a sweep can be made of: what happens in each, who is told, and what must be true of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from tests.faults import oracles, talk_oracles
from tests.faults.oracles import Kept
from tests.faults.partners import Partners
from tests.faults.people import Accepted, People
from tests.faults.record import Follower, Row
from tests.faults.script import Script
from tests.faults.talk import Talk


class Audience(Protocol):
    """Those who are told."""

    @property
    def accepted(self) -> Sequence[Accepted]:
        """All that they said yes to."""
        ...

    async def start(self) -> None:
        """Listen on loopback."""
        ...


class Run(Protocol):
    """One run, with its people and its oracles."""

    @property
    def people(self) -> Audience:
        """Those who are told."""
        ...

    @property
    def stage(self) -> str:
        """How far it is; `done` at its end."""
        ...

    async def play(self) -> None:
        """From its beginning to its end."""
        ...

    def always(self, kept: Kept, seen: list[Row], accepted: Sequence[Any]) -> Iterator[str]:
        """What is wrong at any moment."""
        ...

    def at_the_end(self, kept: Kept) -> Iterator[str]:
        """What is wrong when it has been played."""
        ...


class Outages:
    """Three outages with recoveries, two contacts, a reload."""

    def __init__(self, folder: Path, follower: Follower) -> None:
        self.people = People()
        self._script = Script(folder, self.people, follower)
        self.play = self._script.play

    @property
    def stage(self) -> str:
        return self._script.played.stage

    def always(self, kept: Kept, seen: list[Row], accepted: Sequence[Accepted]) -> Iterator[str]:
        return oracles.always(kept, seen, [*accepted], self._script.played)

    def at_the_end(self, kept: Kept) -> Iterator[str]:
        return oracles.at_the_end(kept, self.people.accepted, self._script.played)


class Talking:
    """People are told by ways on which something is said later too."""

    def __init__(self, folder: Path, follower: Follower) -> None:
        self.people = Partners()
        self._talk = Talk(folder, self.people, follower)
        self.play = self._talk.play

    @property
    def stage(self) -> str:
        return self._talk.played.stage

    def always(self, kept: Kept, seen: list[Row], accepted: Sequence[Any]) -> Iterator[str]:
        return talk_oracles.always(kept, seen, [*accepted], self._talk.played)

    def at_the_end(self, kept: Kept) -> Iterator[str]:
        return talk_oracles.at_the_end(kept, self.people)


Play = Callable[[Path, Follower], Run]

PLAYS: Final[Mapping[str, Play]] = {"outages": Outages, "talk": Talking}
