"""Pings on their way: which answer, and which word of a router, belongs to which, and came in time.

An answer counts if the kernel took it in before the ping was over. The kernel's stamp is of the wall
clock, and pings are measured by the monotonic one, so that a step of the wall clock takes no answer away.
Times are whole microseconds; those without another word are the monotonic clock's.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import repeat
from typing import Final, cast

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.echo import EchoSocket
from hostwatch.lanes import Lane
from hostwatch.packets import (
    KEY_BYTES,
    Trouble,
    packed,
    parse,
    sequence_of,
    spelt,
    without_ip_header,
)
from hostwatch.pinger import Ask, Look, family
from hostwatch.replies import Expected, Moment, Replies, came_us
from hostwatch.volley import Salvo

MANY_ANSWERS: Final = 5_000
"""Answers of one batch that wait for its end: they are told of before it if there are more."""


class Try:
    """An ask on its way."""

    __slots__ = (
        "address", "apart_us", "ask", "at_us", "due_us", "fault", "held_by", "is_held", "is_over", "lane",
        "nonce", "over_us", "sent", "stepped", "trouble", "unheard",
    )  # fmt: skip

    def __init__(self, ask: Ask, lane: Lane, nonce: bytes, due_us: int, address: bytes = b"") -> None:
        self.ask = ask
        self.lane = lane
        self.nonce = nonce
        self.due_us = due_us
        """When the first packet is to leave."""

        self.address = address or packed(ask.address)
        self.sent: tuple[int, ...] = ()
        """When each packet left, or failed to leave."""

        self.at_us = 0
        """When the first one did, by the wall clock."""

        self.apart_us = 0
        """By how much the wall clock was ahead of the monotonic one when the last packet left."""

        self.over_us = 0
        """When the ping is over. What held us up is added: the last packet gets its whole timeout."""

        self.unheard = 0
        """Packets whose answer may have been dropped here: others leave in their place."""

        self.fault = ""
        self.is_held = False
        """Whether one of our own limits has held a packet back."""

        self.held_by: Hashable = None
        """The limit of which it is the first to wait for; None if it waits behind another, or not at all."""

        self.stepped = False
        self.trouble: Trouble | None = None
        self.is_over = False

    def count_unheard(self) -> None:
        """See which packets say nothing, since something was dropped here while each could be answered.

        To each belongs the time until the next may leave, or that the answer to the last is waited for.
        """
        sock, round_ = self.lane.sock, self.lane.round
        if sock is not None and sock.dropped_between(self.sent[0], self.over_us):
            own_us = max(round_.spacing_us, round_.timeout_us)
            self.unheard = sum(
                sock.dropped_between(left_us, min(left_us + own_us, self.over_us)) for left_us in self.sent
            )


class Tries:
    """All pings on their way, by what comes back of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_key: dict[bytes, Try] = {}
        self._in_salvos: dict[bytes, Expected] = {}
        """Whose first packet may be answered."""

        self._by_address: dict[bytes, list[Try]] = {}
        self._lanes: dict[int, list[Lane]] = {4: [], 6: []}
        self._open: Counter[EchoSocket | None] = Counter()
        """How many of them there are of each socket."""

    def __len__(self) -> int:
        """Packets that may yet be answered."""
        return len(self._by_key) + len(self._in_salvos)

    def open(self, lane: Lane) -> None:
        """From now on errors may come about its pings."""
        self._lanes[lane.family].append(lane)
        self._open[lane.sock] += 1

    def is_open(self, sock: EchoSocket) -> bool:
        """Whether anything of use may come in over a socket."""
        return self._open[sock] > 0

    def close(self, lane: Lane) -> None:
        """No more of its pings are on their way."""
        self._lanes[lane.family].remove(lane)
        self._open[lane.sock] -= 1
        if not self._open[lane.sock]:
            del self._open[lane.sock]
        if lane.round.left:  # else none of their keys is waited for
            for salvo in lane.salvos:
                for key in salvo.keys:
                    self._in_salvos.pop(key, None)

    def expect_all(self, salvo: Salvo) -> None:
        """The first packets of many have just left."""
        salvo.lane.salvos.add(salvo)
        expected = zip(repeat(salvo), salvo.asks, salvo.addresses, salvo.left)
        self._in_salvos.update(zip(salvo.keys, expected, strict=True))

    def unanswered(self, salvo: Salvo) -> list[Try]:
        """It is a salvo's turn: who of it was not answered, and is on its way by itself from now on."""
        salvo.lane.salvos.discard(salvo)
        for key in list(filter(self._in_salvos.__contains__, salvo.keys)):
            self._single_out(key)
        return salvo.alone

    def _single_out(self, key: bytes) -> Try:
        """Have a ping of a salvo on its way by itself."""
        salvo, ask, address, left_us = self._in_salvos.pop(key)
        apart_us = salvo.apart_us
        one = Try(ask, salvo.lane, key[4:], ask.at_us - apart_us, address)
        salvo.lane.round.tries.append(one)
        self.expect(one, key, left_us, apart_us)
        one.stepped = salvo.stepped
        salvo.alone.append(one)
        return one

    def _get(self, key: bytes) -> Try | None:
        """The ping that waits for that key, on its way by itself."""
        return self._single_out(key) if key in self._in_salvos else self._by_key.get(key)

    def expect(self, one: Try, key: bytes, left_us: int, apart_us: int) -> None:
        """A packet is about to leave: something may come back."""
        if not one.sent:
            one.at_us = left_us + apart_us
            self._by_address.setdefault(one.address, []).append(one)
        one.sent += (left_us,)
        one.apart_us = apart_us
        round_ = one.lane.round
        to_come = max(round_.attempts - len(one.sent), 0)
        one.over_us = left_us + to_come * round_.spacing_us + round_.timeout_us
        self._by_key[key] = one

    def end(self, one: Try, outcome: Outcome, why: str) -> None:
        """Say of a ping that it was not answered. What comes now comes too late."""
        now_us = self._clock.now_us()
        at_us = min(one.at_us if one.sent else one.ask.at_us, now_us)  # if the clock was set back
        lost = len(one.sent) if outcome is Outcome.MISSED else 0
        round_ = one.lane.round
        ask = one.ask
        look = Look(ask.signal, ask.address, at_us, now_us, outcome, why, None, None, lost)
        round_.silent.append(_heard_of(one, look) if ask.hops else look)
        self.forget(one)
        round_.left -= 1
        round_.news.set()

    def forget(self, one: Try) -> None:
        """Nothing is waited for any more."""
        if one.sent and not one.is_over:
            others = self._by_address[one.address]
            others.remove(one)
            if not others:
                del self._by_address[one.address]
        one.is_over = True
        first = one.ask.hops << 8 | 1
        for sequence in range(first, first + len(one.sent)):
            self._by_key.pop(one.lane.requests.key(sequence, one.nonce), None)

    def take(self, sock: EchoSocket, count: int) -> None:
        """Give the packets that a socket took in to the pings that they belong to."""
        if not count:
            return
        intake, others = sock.intake, list[int]()
        now = self._clock.monotonic_us(), self._clock.now_us()
        keys = intake.keys(count)
        found = list(map(self._in_salvos.pop, keys, repeat(None)))
        replies = Replies(cast(list[Expected], found), keys, intake.sources(count), intake.stamps_us(count))
        if not all(found) or not intake.are_replies(count):
            others = self._put_back(found, keys, intake.is_reply(count))
            replies = replies.picked(sorted(set(range(count)).difference(others)))
        if replies.keys:
            self._answer_all(replies, now)
        for place in others:
            self._take_other(sock, place, now)

    def _put_back(
        self, found: Sequence[Expected | None], keys: Sequence[bytes], is_reply: Sequence[bool]
    ) -> list[int]:
        """The places of what is no plain reply to a salvo. What such packets were found for still waits."""
        others = [place for place, one in enumerate(found) if one is None or not is_reply[place]]
        self._in_salvos.update((keys[place], one) for place in others if (one := found[place]) is not None)
        return others

    def _answer_all(self, replies: Replies, now: Moment) -> None:
        """Replies to first packets came in."""
        for own in replies.by_salvo():
            looks, wrong = own.looks(now)
            self._in_salvos.update((own.keys[place], own.expected[place]) for place in wrong)
            round_ = own.expected[0][0].lane.round
            round_.answered += looks
            round_.left -= len(looks)
            if not round_.left or len(round_.answered) >= MANY_ANSWERS:
                round_.news.set()

    def _answer(self, one: Try, key: bytes, stamp_us: int, now: Moment) -> None:
        """A ping was answered."""
        sequence = key[3]
        left_us, (_, wall_us) = one.sent[sequence - 1], now
        heard_us = came_us(left_us, stamp_us, now, one.apart_us)
        if heard_us > one.over_us:
            return
        round_, ask = one.lane.round, one.ask
        at_us = one.at_us if one.at_us < wall_us else wall_us  # if the clock was set back
        answered_us = None if sequence == 1 else min(max(left_us + one.apart_us, at_us), wall_us)
        rtt_us, lost = heard_us - left_us, sequence - 1
        round_.answered.append(
            Look(ask.signal, ask.address, at_us, wall_us, Outcome.ANSWERED, "", answered_us, rtt_us, lost)
        )
        self.forget(one)
        round_.left -= 1
        if not round_.left:
            round_.news.set()

    def _take_other(self, sock: EchoSocket, place: int, now: Moment) -> None:
        """What is no plain reply to a salvo: to a ping by itself, late, double, an error, with IP options."""
        packet, source, stamp_us = sock.intake.whole(place)
        found = parse(sock.family, without_ip_header(packet) if sock.has_ip_header else packet, source)
        if isinstance(found, Trouble):
            self.take_trouble(sock.family, found._replace(stamp_us=stamp_us))
        elif found is not None:
            one = self._get(found.key)
            if one is not None and one.address == found.source:
                self._answer(one, found.key, stamp_us, now)

    def take_trouble(self, family: int, found: Trouble) -> None:
        """What a router said of a request. It decides nothing: people are told it.

        Who quotes our whole key has seen the packet. The word of others may be a guess, and does not displace
        theirs. How far the packet was to come stands in the first byte of its number, which all must quote.
        """
        one = self._get(found.key)
        number = sequence_of(found.key)
        hops, sequence = number >> 8, number & 0xFF
        if one is None and len(found.key) < KEY_BYTES:
            one = self._find(family, found, hops)
        if one is None or one.is_over or not 1 <= sequence <= len(one.sent):
            return
        if one.trouble is None or len(found.key) >= len(one.trouble.key):
            one.trouble = found
        if hops and len(found.key) == KEY_BYTES:  # that is all that we asked
            self.end(one, Outcome.MISSED, said(found))

    def _find(self, family: int, found: Trouble, hops: int) -> Try | None:
        """By address, for errors that quote no whole key."""
        identifier, nonce = int.from_bytes(found.key[:2]), found.key[4:]
        lanes = [lane for lane in self._lanes[family] if lane.identifier == identifier]
        for lane in lanes:
            for salvo in lane.salvos if not hops else ():
                key = salvo.key_of(found.destination)
                if key is not None and key in self._in_salvos and key[4:].startswith(nonce):
                    return self._single_out(key)
        for one in self._by_address.get(found.destination, ()):
            if one.lane in lanes and one.ask.hops == hops and one.nonce.startswith(nonce):
                return one
        return None


def _heard_of(one: Try, look: Look) -> Look:
    """The look at a router on the way, with what that said as data."""
    found = one.trouble
    if found is None:
        return look
    source = "" if found.source == b"" else spelt(found.source)
    after_us = found.stamp_us - one.sent[(sequence_of(found.key) & 0xFF) - 1] - one.apart_us
    return look._replace(
        said=found.words,
        said_by="" if not source or _is_ours(source) else source,
        said_after_us=after_us if found.stamp_us and after_us >= 0 else None,
    )


def said(trouble: Trouble | None) -> str:
    """What was said of a request, and by whom if it was not the target or a refusal to send."""
    if trouble is None or trouble.source in (b"", trouble.destination):
        return "" if trouble is None else trouble.words
    source = spelt(trouble.source)
    return f"{trouble.words}, says {'our own kernel' if _is_ours(source) else source}"


def has_left(one: Try) -> bool:
    """Whether a packet is known to have left this machine: somebody else said something of it."""
    source = one.trouble.source if one.trouble is not None else b""
    return bool(source) and not _is_ours(spelt(source))


def _is_ours(address: str) -> bool:
    """Whether an address is one of this machine's own: only those can be bound to."""
    with socket.socket(
        socket.AF_INET if family(address) == 4 else socket.AF_INET6, socket.SOCK_DGRAM
    ) as sock:
        try:
            sock.bind((address, 0))
        except OSError:
            return False
    return True
