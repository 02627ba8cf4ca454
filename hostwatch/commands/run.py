"""`hostwatch run`: keep watch.

Pings the devices, declares emergencies, tells people, and records everything, until SIGTERM or
SIGINT. SIGHUP or `hostwatch reload` takes a changed configuration. Needs CAP_NET_RAW, or ping
sockets allowed by net.ipv4.ping_group_range.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from hostwatch import garbage, keyfile, log
from hostwatch.applications import Applications
from hostwatch.channels.base import Unusable
from hostwatch.clock import SystemClock
from hostwatch.commands import add_config
from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.control import ControlError
from hostwatch.daemon import Service
from hostwatch.echo import NoPermission
from hostwatch.engine import Engine
from hostwatch.httpd import CannotListen
from hostwatch.icmp import IcmpPinger
from hostwatch.personal import Vault
from hostwatch.sdnotify import Notifier
from hostwatch.stock.client import StockError, Stocktaker, take_inventories
from hostwatch.store.errors import StoreError
from hostwatch.store.lease import Lease
from hostwatch.store.writer import ThreadWriter
from hostwatch.switchboard import Switchboard
from hostwatch.watch import Watch

HELP = "keep watch, until told to stop"
NAME_THREADS_MAX = 32
SWITCH_S = 0.001
"""How long a thread beside the loop may work before the loop gets its turn again; Python says 5 ms."""

SAY_EVERY_S = 1.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)


def run(options: argparse.Namespace) -> int:
    """0 when told to stop, 1 when it cannot start or must not go on."""
    garbage.begin()
    sys.setswitchinterval(SWITCH_S)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is a watch that can reload
    try:
        loaded = load(options.config)
        log.set_up(loaded.configuration.log.format, loaded.configuration.log.level)
        loaded, stocktaker = take_inventories(loaded, _Loading().told)
    except BadConfiguration as bad:
        print(bad, file=sys.stderr)
        return 1
    except StockError as error:
        log.error("stopped", error=str(error))
        return 1
    try:
        return _run(options, loaded, stocktaker)
    finally:
        if stocktaker is not None:
            stocktaker.close()


def _run(options: argparse.Namespace, loaded: Loaded, stocktaker: Stocktaker | None) -> int:
    for warning in loaded.warnings:
        log.warning("configuration-warning", warning=str(warning))
    try:
        asyncio.run(_serve(options, loaded, stocktaker))
    except (
        StoreError,
        keyfile.BadKey,
        NoPermission,
        CannotListen,
        ControlError,
        StockError,
        Unusable,
    ) as error:
        log.error("stopped", error=str(error))
        return 1
    except OSError as error:
        log.error("stopped", error=f"cannot go on: {error}")
        return 1
    return 0


async def _serve(options: argparse.Namespace, loaded: Loaded, stocktaker: Stocktaker | None) -> None:
    os.umask(0o077)
    names = ThreadPoolExecutor(NAME_THREADS_MAX, "names")
    asyncio.get_running_loop().set_default_executor(names)  # where names are resolved, some of them slowly
    clock = SystemClock()
    loaded.store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lease = Lease(loaded.store)
    try:
        writer = await ThreadWriter.open(loaded.store, clock.boot_id)
        try:
            key = keyfile.read_or_make(keyfile.path_for(loaded.store))
            vault = Vault((await writer.remembered()).commitments)
            engine = Engine(writer, clock, await writer.load(), vault)
            icmp = IcmpPinger(clock)
            pinger = Switchboard(clock, icmp)
            applications = Applications(clock, loaded.store)
            pinger.services = applications.pinger
            try:
                log.info("watching", store=loaded.store, control=loaded.control, icmp=icmp.mode)
                watch = Watch(
                    options.config,
                    loaded,
                    clock=clock,
                    writer=writer,
                    engine=engine,
                    pinger=pinger,
                    key=key,
                    stocktaker=stocktaker,
                    applications=applications,
                )
                watch.settle = garbage.settle
                await Service(watch, loaded, clock, Notifier(os.environ)).run()
            finally:
                await pinger.close()
        finally:
            await writer.close()
    finally:
        lease.close()


class _Loading:
    """Says in the log how far it is with the inventories."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def told(self, file: str, line: int, lines: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= SAY_EVERY_S:
            self._said_at = now
            log.info("configuration-loading", reading=file, line=line, lines=lines)
