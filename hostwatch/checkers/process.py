"""The process that checks: `python -m hostwatch.checkers.process DESCRIPTOR`.

The descriptor is one end of a pair of sockets; the other end is the watch's, and when it closes, this ends.
Each order is answered: by what its checks found, or as UNKNOWN with the reason why nobody looked. Whatever a
server says, and whatever the watch says, this goes on.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import resource
import signal
import socket
import sys
from functools import lru_cache, partial
from ipaddress import ip_address
from typing import Final

from hostwatch import garbage
from hostwatch.checkers import around, services
from hostwatch.checkers.confinement import confine
from hostwatch.checkers.crowd import Crowd
from hostwatch.checkers.doors import Doors, Gate, Waiting, grant
from hostwatch.checkers.ears import Ears
from hostwatch.checkers.mouth import Mouth
from hostwatch.checkers.protocol import (
    VERSION,
    WORDS_CHARS_MAX,
    Alive,
    Ask,
    BadMessage,
    Begin,
    Complaint,
    Define,
    Forget,
    Look,
    Order,
    Ready,
    ToCheckers,
    Told,
    Took,
    Withdraw,
    encoded,
    receive,
    to_checkers,
)
from hostwatch.checkers.run import LATE, Run, pushed, ticked, unknown
from hostwatch.checkers.services import PER_TARGET_MAX, Check, Service, restored
from hostwatch.checkers.standstill import Standstills
from hostwatch.checks import _posts, base
from hostwatch.configuration.checks import AT_ONCE_MAX, Checks
from hostwatch.snmp import hearing

FILES_FOR_ONE: Final = 4
"""Descriptors that are kept free for each check."""

FILES_FOR_US: Final = 64

ORDERS_MAX: Final = 100_000
"""Orders that wait or are under way; further ones are answered UNKNOWN at once."""

DEFINITIONS_MAX: Final = 50_000
"""Services that are known at one time; further ones are refused."""

ADDRESSES_CACHED: Final = 16_384

SWEEP_S: Final = 0.5
"""How often orders are looked for that could not begin in time."""


class Process:
    """What this process knows, and what it is at."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, room: int) -> None:
        """`room`: how many checks may run at one time, as far as the machine is concerned."""
        self._reader = reader
        self._mouth = Mouth(writer, self._pump)
        self._around = around.surroundings(Checks())
        self._services: dict[str, Service | str] = {}
        """What each key stands for; or why that cannot be used here."""

        self._runs: dict[int, Run] = {}
        self._due: list[tuple[int, int]] = []
        self._latest: list[tuple[int, int]] = []
        """Heaps of times and the numbers of orders: when they are due, and when they are too late."""

        self._room = room
        self._crowd: Crowd[tuple[Run, int] | Waiting] = Crowd(room, PER_TARGET_MAX)
        """Checks that are to begin, and those that stepped back and wait for their turn again."""

        self._doors = Doors(Checks().at_one_address)
        self._tasks: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._standstills = Standstills(self._around.monotonic_us)
        self._ears = Ears(self._push, self._ask, self._complain, self._around.monotonic_us)
        self._timer: asyncio.TimerHandle | None = None
        self._begun = False

    async def serve(self) -> None:
        """Answer until the watch is gone."""
        self._standstills.start()
        sweeping = asyncio.create_task(self._sweep())
        try:
            while True:
                try:
                    self._heed(to_checkers(await receive(self._reader, pass_over=True)))
                except BadMessage as bad:
                    self._mouth.say(Complaint(why=str(bad)))
                except (EOFError, OSError):
                    return
                except Exception as error:  # one message of which we make a mess is not the end of all others
                    self._mouth.say(Complaint(why=f"a message could not be followed: {type(error).__name__}"))
                await asyncio.sleep(0)  # what has been read already must not keep all else waiting
        finally:
            sweeping.cancel()
            self._standstills.close()
            if self._timer is not None:
                self._timer.cancel()
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(sweeping, *self._tasks.values(), return_exceptions=True)
            await self._ears.close()
            self._mouth.close()

    def _heed(self, message: ToCheckers) -> None:
        if not self._begun and not isinstance(message, Begin):
            raise BadMessage("the first message must be begin")
        match message:
            case Begin():
                self._begin(message)
            case Define():
                self._define(message)
            case Forget():
                for key in message.keys:
                    self._services.pop(key, None)
                    self._ears.forget(key)
            case Look():
                self._take(message)
            case Withdraw():
                self._withdraw(message.numbers)
            case Took():
                self._ears.took(message.key, message.names, is_ours=message.is_ours)
            case Ask():
                self._mouth.say(
                    Alive(
                        lag_us=self._standstills.take_worst_us(),
                        running=self._crowd.running,
                        waiting=len(self._runs.keys() - {number for number, _ in self._tasks}),
                        traps=hearing.take_counts(),
                        pushes=_posts.take_counts(),
                    )
                )

    def _begin(self, begin: Begin) -> None:
        if begin.version != VERSION:
            raise EOFError  # whoever speaks otherwise is told our version, and no more
        try:
            if begin.folder:
                os.chdir(begin.folder)
            written = around.written_in(begin.around)
            self._around = around.surroundings(written)
            self._crowd.in_all = min(self._room, written.at_once)
            self._doors.for_one = written.at_one_address
        except (ValueError, OSError) as error:
            self._mouth.say(Complaint(why=_words(f"cannot look around: {error}")))
        self._begun = True

    def _define(self, define: Define) -> None:
        if len(self._services) >= DEFINITIONS_MAX and define.key not in self._services:
            self._mouth.say(Complaint(key=define.key, why=f"more than {DEFINITIONS_MAX:,} services"))
            return
        try:
            service = self._services[define.key] = restored(define)
            if service.is_source:
                self._ears.define(define.key, service)
        except Exception as error:  # its words may quote what was written, and that may hold a secret
            why = f"the service {define.name!r} cannot be used here: {type(error).__name__}"
            self._services[define.key] = why
            self._mouth.say(Complaint(key=define.key, why=_words(why)))

    def _take(self, look: Look) -> None:
        now_us = self._around.monotonic_us()
        for order in look.orders:
            why = self._refusal(order)
            if why:
                self._mouth.say(unknown(order.number, why))
                continue
            service = self._services[order.key]
            assert isinstance(service, Service)
            run = Run(
                order.number,
                service,
                order.address or service.address,
                ticked(now_us + order.delay_us, now_us + order.latest_us),
                now_us + order.latest_us,
                look.aloud,
                left=len(service.checks),
            )
            self._runs[run.number] = run
            heapq.heappush(self._due, (run.due_us, run.number))
            heapq.heappush(self._latest, (run.latest_us, run.number))
        self._wake()

    def _refusal(self, order: Order) -> str:
        """Why an order cannot be taken; empty if it can."""
        if len(self._runs) >= ORDERS_MAX:
            return f"more than {ORDERS_MAX:,} orders"
        if order.number in self._runs:
            return "an order of that number is under way"
        service = self._services.get(order.key, "there is no such definition")
        if isinstance(service, str):
            return service
        return "" if service.is_source or _is_address(order.address) else "a device without an address"

    def _withdraw(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            run = self._runs.pop(number, None)
            if run is not None:
                run.over = True
                for place in range(len(run.service.checks)):
                    if (task := self._tasks.get((number, place))) is not None:
                        task.cancel()

    def _wake(self) -> None:
        """Whoever is due waits for its turn; who has one begins."""
        now_us = self._around.monotonic_us()
        while self._due and self._due[0][0] <= now_us:
            run = self._runs.get(heapq.heappop(self._due)[1])
            if run is not None and not run.over:
                for place in range(len(run.service.checks)):
                    self._crowd.join(run.target, (run, place))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            pause_s = (self._due[0][0] - now_us) / 1e6
            self._timer = asyncio.get_running_loop().call_later(pause_s, self._wake)
        self._pump()

    def _pump(self) -> None:
        """Let checks begin, as long as there is room and the watch listens."""
        while self._mouth.is_heard() and (turn := self._crowd.next()) is not None:
            target, one = turn
            if isinstance(one, asyncio.Future):
                grant(self._crowd, target, one)
            else:
                self._let_begin(*one)

    def _let_begin(self, run: Run, place: int) -> None:
        """A check has its turn."""
        now_us = self._around.monotonic_us()
        if run.over or now_us > run.latest_of(place):
            self._crowd.leave(run.target)
            self._note(run, place, run.fault(place, LATE))
            return
        at_us = self._around.now_us()
        if not run.began_us:
            run.began_us, run.at_us = now_us, at_us
        latest_us, clock = run.latest_of(place), self._around.monotonic_us
        gate = Gate(run.target, latest_us, self._doors, self._crowd, self._pump, clock)
        gate.on_first = lambda waited_us: run.date(now_us + waited_us, at_us + waited_us)
        task = asyncio.create_task(self._check(run, place, gate))
        self._tasks[run.number, place] = task
        task.add_done_callback(partial(self._ended, run, place, gate))

    async def _check(self, run: Run, place: int, gate: Gate) -> None:
        check, began_us = run.service.checks[place], self._around.monotonic_us()
        visit = base.Visit(kind=check.kind, address=run.address, surroundings=self._around, gate=gate)
        if run.aloud:
            visit.listener = lambda one: self._tell(run, place, began_us, one)
        finding = await services.run(check, visit)
        timeout = check.settings.timeout
        run.findings[place] = self._standstills.judged(finding, began_us, timeout, gate.waits)

    def _ended(self, run: Run, place: int, gate: Gate, task: asyncio.Task[None]) -> None:
        self._tasks.pop((run.number, place))
        gate.close()
        finding = run.findings.get(place)
        if finding is None:
            error = None if task.cancelled() else task.exception()
            finding = run.fault(place, f"the check itself failed: {type(error).__name__}")
        self._note(run, place, finding)
        self._pump()

    def _note(self, run: Run, place: int, finding: base.Finding) -> None:
        """A check has its finding; the last one answers the order."""
        if run.over:
            return
        run.findings[place] = finding
        run.left -= 1
        if not run.left:
            self._answer(run)

    def _answer(self, run: Run) -> None:
        run.over = True
        if self._runs.get(run.number) is run:
            del self._runs[run.number]
        self._mouth.say(run.found(self._around.monotonic_us()))

    def _tell(self, run: Run, place: int, began_us: int, one: base.Said | base.Phase) -> None:
        if isinstance(one, base.Phase):
            at_us = self._around.monotonic_us() - began_us
            self._mouth.say(
                Told(number=run.number, check=place, at_us=at_us, who="=", text=f"{one.step} {one.took_us}")
            )
        else:
            self._mouth.say(Told(number=run.number, check=place, at_us=one.at_us, who=one.who, text=one.text))

    async def _ask(self, check: Check) -> base.Finding:
        """Read a source beside all orders, because something happened there."""
        began_us, address = self._around.monotonic_us(), str(getattr(check.settings, "address", ""))
        visit = base.Visit(kind=check.kind, address=address, surroundings=self._around)
        finding = await services.run(check, visit)
        return self._standstills.judged(finding, began_us, check.settings.timeout, ())

    def _push(self, key: str, finding: base.Finding) -> None:
        self._mouth.say(pushed(key, finding, self._around.now_us() - max(finding.took_us, 0)))

    def _complain(self, why: str) -> None:
        self._mouth.say(Complaint(why=_words(why)))

    async def _sweep(self) -> None:
        """Answer the orders of which nothing could begin in time, though no room becomes free."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_us = self._around.monotonic_us()
            while self._latest and self._latest[0][0] < now_us:
                run = self._runs.get(heapq.heappop(self._latest)[1])
                if run is not None and not run.began_us and run.latest_us < now_us:
                    del self._runs[run.number]
                    run.over = True
                    self._mouth.say(unknown(run.number, LATE))
            self._wake()


@lru_cache(ADDRESSES_CACHED)
def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _words(text: str) -> str:
    return base.printable(text, WORDS_CHARS_MAX)


async def _serve(ours: socket.socket, notes: tuple[str, ...]) -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = max(min(AT_ONCE_MAX, (files - FILES_FOR_US) // FILES_FOR_ONE), 1)
    reader, writer = await asyncio.open_connection(sock=ours)
    writer.write(encoded(Ready(kinds=services.kinds(), notes=notes)))
    await Process(reader, writer, room).serve()


def main(words: list[str]) -> None:
    """Become the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the watch does
    notes = confine()
    for kind in services.kinds():  # now, and not while something is being looked at
        services.module(kind)
    garbage.settle(0)
    asyncio.run(_serve(socket.socket(fileno=int(words[0])), notes))


if __name__ == "__main__":
    main(sys.argv[1:])
