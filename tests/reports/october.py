"""October 2026 at one site: the story of the golden files and of the examples in the documentation."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hostwatch import reports
from hostwatch.core import judge, quality
from hostwatch.core.calendar import Month
from hostwatch.core.device import State
from hostwatch.core.element import Element
from hostwatch.core.element import Kind as Of
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility
from hostwatch.core.quality import Keeping, Quality
from hostwatch.core.service import Service
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.terms import AgreementTerms
from hostwatch.sla.month import MonthReport, month
from hostwatch.sla.timing import doubts
from tests.sla.teller import Teller, carrier, device

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTES_5 = timedelta(minutes=5)
HOUSE: dict[str, Any] = {
    "sources": [Source(id="ups-a", kind="power/nut", interval=MINUTES_5)],
    "elements": [Element(id="ups-a", kind=Of.UPS, witness="ups-a")],
    "supplies": [Supply(id="ups-a", terms=AgreementTerms(interval=MINUTES_5))],
}
POWERED = PowerReading(points=(Point(utility=Utility.PRESENT, ups=Ups.ABLE, output=Output.POWERED),))
DEAD = PowerReading(points=(Point(utility=Utility.ABSENT, ups=Ups.DEAD, output=Output.UNPOWERED),))
BATTERY = PowerReading(
    points=(Point(utility=Utility.ABSENT, ups=Ups.ABLE, output=Output.POWERED),), runtime_s=720
)
NOW = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """That day of October, by the clocks of UTC."""
    return datetime(2026, 10, 1, hour, minute, second, tzinfo=UTC) + timedelta(days=day - 1)


@cache
def teller() -> Teller:
    """One outage, one lost ping, one device added later, one hour of blindness, half a day without NTP.

    One service, which dies once with its device and once alone.

    Acme is on an uplink, which is cut for 15 minutes while its devices answer; beta is on none. Acme's power
    was gone at one reading, when a ping of its first device was lost, and on battery when we went blind; of
    beta's nobody knows.
    """
    told = Teller()
    www = (Service(name="www"),)
    web1 = device("acme-web-1", address="192.0.2.10", uplink="chinanet", services=www, supply="ups-a")
    web2 = device("acme-web-2", address="2001:db8::20", uplink="chinanet", supply="ups-a")
    uplink = carrier(interval=timedelta(minutes=5))
    beta = device("beta-db-1", "beta", State.NOT_WATCHED, "192.0.2.30")
    new = device("beta-new-1", "beta", address="192.0.2.31")
    start, end = at(-1, 0, 0, 7), at(33)
    told.populate(start - timedelta(seconds=7), web1, beta, uplinks=[uplink], **HOUSE)
    blind = (at(20, 6), at(20, 7))
    outage = (at(5, 2, 15), at(5, 2, 40))
    lost = (at(12, 9, 30), at(12, 9, 35))
    wrong = (at(18, 10), at(18, 11, 10))
    told.beside("acme-web-1", "www", start, at(11, 8), missed=[outage], wrong=[wrong], unknown=[blind])
    told.populate(at(11, 8), web1, web2, beta, new, uplinks=[uplink], **HOUSE)
    told.beside("acme-web-1", "www", at(11, 8, 0, 7), end, missed=[lost], wrong=[wrong], unknown=[blind])
    told.every("acme-web-2", at(11, 8, 1, 23), end, unknown=[blind])
    told.rounds("chinanet", start, end, missed=[(at(15, 3), at(15, 3, 15))], unknown=[blind])
    told.power(
        "ups-a", start, end, POWERED, said=[(*lost, DEAD), (at(20, 5, 55), blind[0], BATTERY), (*blind, None)]
    )
    told.decide(at(20, 7), judge.was_blind("sight", "no answer from our own gateway", *blind))
    kept = Quality(keeping=Keeping.SYNCHRONISED, offset_us=-120, estimated_us=900, maximum_us=31_500)
    left = Quality(keeping=Keeping.UNSYNCHRONISED, estimated_us=16_000_000, maximum_us=16_000_000)
    for when, said in ((start, kept), (at(24, 3), left), (at(24, 15), kept)):
        told.decide(when, quality.record(said, when))
    return told


def october(customer: str | None = "acme") -> MonthReport:
    """The report."""
    told = teller()
    return month(
        told.history(NOW),
        Month(2026, 10),
        SHANGHAI,
        site="Chengdu 1",
        as_of_seq=len(told.record),
        as_of=told.world.alive_at,
        customer=customer,
        clock=doubts(told.record),
    )


if __name__ == "__main__":
    for name in reports.formats():
        sys.stdout.buffer.write(reports.render(name, october(None)))
