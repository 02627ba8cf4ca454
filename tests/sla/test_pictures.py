"""The account as pictures: a character is a minute, and the figures are minutes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

import pytest

from hostwatch.core.instant import EPOCH
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.account import Downtime, account
from hostwatch.sla.records import DeviceHistory, Ending, SilenceRecord, Tenure


def drawn(picture: str) -> Iterator[tuple[str, int, int]]:
    """The runs of a picture: what, from which minute, to which."""
    place = 0
    for sign, run in groupby(picture):
        length = len(list(run))
        yield sign, place, place + length
        place += length


def silence(start: int, end: int) -> SilenceRecord:
    """A miss each minute from `start` on, an answer at `end`, and one a minute before the start."""
    minute = timedelta(minutes=1)
    return SilenceRecord(
        signal="d/ping@main",
        last_answer=EPOCH + (start - 1) * minute,
        first_miss=EPOCH + start * minute,
        last_miss=EPOCH + (end - 1) * minute,
        until=EPOCH + end * minute,
        ending=Ending.ANSWERED,
        confirmed=end - start > 1,
    )


def device(service: str, silent: str, unknown: str) -> DeviceHistory:
    tenures = tuple(
        Tenure(
            customer="c",
            device="d",
            address="192.0.2.1",
            signal="d/ping@main",
            watched=True,
            span=Span(start * 60, end * 60),
        )
        for sign, start, end in drawn(service)
        if sign == "#"
    )
    return DeviceHistory(
        customer="c",
        device="d",
        tenures=tenures,
        unknown=Timeline.of(Span(start * 60, end * 60) for sign, start, end in drawn(unknown) if sign == "?"),
        silences=tuple(silence(start, end) for sign, start, end in drawn(silent) if sign == "x"),
    )


RULES = {
    "every": Downtime(),
    "confirmed": Downtime(confirmed_only=True),
    "longer": Downtime(longer_than_s=120),
}

PICTURES = """
rule     |month     |in service|silent    |unknown   |figures    |avail. %|name
every    |[........]|##########|          |          |8 8 0 0 0 0|100.0000|nothing happened
every    |[........]|##########|   x      |          |8 7 1 0 0 2| 87.5000|one lost ping
every    |[........]|##########|   xxx    |          |8 5 3 0 2 4| 62.5000|an outage
every    |[........]|##########| xx  xxx  |          |8 3 5 0 3 6| 37.5000|two outages
every    |[........]|##########|xxxxxxxxxx|          |8 0 8 0 8 8|  0.0000|down all the time
every    |[........]|##########|xxxx      |          |8 5 3 0 2 3| 62.5000|from before the month
every    |[........]|##########|       xxx|          |8 6 2 0 2 3| 75.0000|into the next month
every    |[........]|##########|         x|          |8 8 0 0 0 1|100.0000|only its doubt reaches in
every    |..[......]|##########|xx        |          |6 6 0 0 0 0|100.0000|before the month
every    |[........]|##########| x        |     ?????|8 3 1 4 0 5| 87.5000|unknown stays in the period
every    |[........]|##########|  xxxxx   |   ???    |8 3 2 3 1 6| 75.0000|unknown is not down
every    |[........]|##########|   xx     |  ????    |8 4 0 4 0 4|100.0000|unknown hides a whole outage
every    |[........]|##########|          |???       |8 6 0 2 0 2|100.0000|unknown at first
every    |[........]|##########|          |??????????|8 0 0 8 0 8|    none|never looked
every    |[........]|##########|   xx     |???  ?????|8 0 2 6 1 8| 75.0000|down and else unknown
every    |[........]|    ######|     xx   |          |5 3 2 0 1 3| 60.0000|added in the middle
every    |[........]|#####     |  xxx     |          |4 1 3 0 2 4| 25.0000|removed in the middle
every    |[........]|####  ####|  xx  x   |          |6 3 3 0 1 4| 50.0000|suspended for a while
every    |[........]|####  ####|          |  ?????   |6 3 0 3 0 3|100.0000|suspended while unknown
every    |[........]|          |          |          |0 0 0 0 0 0|    none|not in service
confirmed|[........]|##########|  x  xx   |          |8 6 2 0 1 3| 75.0000|a lost ping, unconfirmed
longer   |[........]|##########|  xx      |          |8 8 0 0 0 3|100.0000|two minutes do not pass two
longer   |[........]|##########|  xxx     |          |8 5 3 0 0 4| 62.5000|three minutes count whole
longer   |[........]|##########|xxx       |          |8 6 2 0 0 2| 75.0000|long, though not in the month
"""
"""The figures are minutes: period, up, down, unknown, and down at least and at most."""

PADDED = {0, 5, 6, 7}
TABLE = [
    tuple(cell.strip() if place in PADDED else cell for place, cell in enumerate(line.split("|")))
    for line in PICTURES.strip().splitlines()[1:]
]


@pytest.mark.parametrize(
    ("rule", "month", "service", "silent", "unknown", "figures", "availability", "name"),
    TABLE,
    ids=[row[-1] for row in TABLE],
)
def test_picture(rule, month, service, silent, unknown, figures, availability, name):
    period = Span((month.index("[") + 1) * 60, month.index("]") * 60)

    made = account(period, device(service, silent, unknown), RULES[rule])

    seconds = (made.period_s, made.up_s, made.down_s, made.unknown_s, made.down_s_least, made.down_s_most)
    assert seconds == tuple(60 * int(count) for count in figures.split()), name
    assert made.excluded_s == 0
    assert str(made.availability).lower() == availability
