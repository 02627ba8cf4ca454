"""Batches on their way, and what of each leaves by which socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hostwatch.core import instant
from hostwatch.echo import EchoSocket
from hostwatch.packets import PAYLOAD_BYTES, Requests
from hostwatch.pinger import Look, Manner
from hostwatch.volley import Salvo, Volley

if TYPE_CHECKING:
    from hostwatch.tries import Try


class Round:
    """A batch on its way, and what is known of it."""

    def __init__(self, manner: Manner, identifier: int, grain: int) -> None:
        self.attempts = manner.attempts
        self.spacing_us = manner.spacing // instant.MICROSECOND
        self.timeout_us = manner.timeout // instant.MICROSECOND
        self.late_after_us = manner.late_after // instant.MICROSECOND
        self.decoy = manner.decoy
        self.identifier = identifier
        self.grain = grain
        self.lanes: list[Lane] = []
        self.tries: list[Try] = []
        """Those asks that are on their way by themselves."""

        self.is_over = False
        """Whether nobody waits for it any more."""

        self.left = 0
        """Asks that have no look yet."""

        self.answered: list[Look] = []
        self.silent: list[Look] = []
        self.news = asyncio.Event()

    def end(self) -> None:
        """Nobody waits for it any more. Let go of what refers to it: no cycle is left for the collector."""
        self.is_over = True
        for lane in self.lanes:
            lane.volleys.clear()
            lane.salvos.clear()
        self.lanes = []
        self.tries = []


class Lane:
    """What of a round leaves by one socket, and its requests."""

    def __init__(
        self, round_: Round, family: int, sock: EchoSocket | str, payload_bytes: int = PAYLOAD_BYTES
    ) -> None:
        """`sock` may be words for why there is none."""
        self.round = round_
        self.family = family
        self.sock = None if isinstance(sock, str) else sock
        self.fault = sock if isinstance(sock, str) else ""
        own = self.sock.identifier if self.sock is not None else None
        self.identifier = round_.identifier if own is None else own
        self.requests = Requests(family, self.identifier, payload_bytes)
        self.volleys: list[Volley] = []
        self.salvos: set[Salvo] = set()
        """Those who have not had their next turn."""

    def volley(self, slot: int) -> Volley:
        """For the asks of one slot; the one that is there already, if it is the last."""
        if not self.volleys or self.volleys[-1].slot != slot:
            self.volleys.append(Volley(self, slot))
        return self.volleys[-1]
