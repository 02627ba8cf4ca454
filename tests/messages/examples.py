"""The notices that `docs/notices.md` shows, as values."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hostwatch import messages, wording
from hostwatch.core.notice import ContactData, Flaps, Kind, Part, Seen, Story


def at(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 10, 3, hour, minute, tzinfo=UTC)


SILENT = Story(
    reference="E-000042",
    customer="acme",
    device="acme-web-1",
    address="192.0.2.17",
    interval=timedelta(minutes=5),
    misses=2,
    last_answer=at("06:00"),
    first_miss=at("06:05"),
    verdict=at("06:10"),
    why="no answer",
)
GIVEN = dataclasses.replace(SILENT, last_miss=at("06:30"), gone="customer")
BACK = dataclasses.replace(SILENT, last_miss=at("06:30"), first_answer=at("06:35"))
OTHER = dataclasses.replace(
    SILENT,
    reference="E-000043",
    device="acme-web-2",
    address="2001:db8::17",
    last_answer=at("06:01"),
    first_miss=at("06:06"),
    verdict=at("06:11"),
    why="host unreachable",
)
BY_TCP = dataclasses.replace(SILENT, reference="E-000045", method="tcp port=443", why="port unreachable")
TAKEN = dataclasses.replace(
    SILENT, reference="E-000046", why="another machine answers (MAC 52:54:00:12:34:56)"
)
WWW = dataclasses.replace(
    SILENT,
    reference="E-000047",
    service="www",
    itself="answers",
    why="http: answer: the server answered 503 instead of 200-299",
)
WWW_BACK = dataclasses.replace(WWW, itself="", last_miss=at("06:30"), first_answer=at("06:35"))
WWW_2 = dataclasses.replace(
    WWW,
    reference="E-000048",
    device="acme-web-2",
    address="192.0.2.18",
    first_miss=at("06:06"),
    verdict=at("06:11"),
)
WWW_2_BACK = dataclasses.replace(WWW_2, itself="", last_miss=at("06:31"), first_answer=at("06:36"))
WITH_IT = dataclasses.replace(SILENT, failing=("email", "www"))
ALIVE = dataclasses.replace(SILENT, answering=("email", "www"))
BOTH = dataclasses.replace(SILENT, reference="E-000047", failing=("www",))
NOT_ALL_BACK = dataclasses.replace(BACK, failing=("www",))
CARRIER = Story(
    reference="E-000044",
    customer="acme",
    device="",
    address="",
    interval=timedelta(minutes=1),
    misses=2,
    last_answer=at("06:04"),
    first_miss=at("06:05"),
    verdict=at("06:06"),
    why="no answer",
    uplink="ChinaNet Chengdu",
    references=3,
    quorum=2,
    behind=2,
    devices=("acme-web-1", "acme-web-2"),
)
CARRIER_BACK = dataclasses.replace(CARRIER, last_miss=at("06:11"), first_answer=at("06:12"))
OPERATORS = dataclasses.replace(CARRIER, customer="noc", behind=340, devices=(), customers=12)
SPARED = dataclasses.replace(OPERATORS, behind=0, customers=0, spared=340, spared_customers=12)
GROUP = dataclasses.replace(
    CARRIER,
    reference="E-000045",
    uplink="ChinaNet Chengdu / Unicom Chengdu",
    members=("ChinaNet Chengdu", "Unicom Chengdu"),
    references=0,
    quorum=0,
    misses=1,
    last_answer=at("06:05"),
    first_miss=at("06:06"),
    verdict=at("06:07"),
)
GROUP_OPERATORS = dataclasses.replace(GROUP, customer="noc", behind=340, devices=(), customers=12)
NO_POWER = Story(
    reference="E-000048",
    customer="acme",
    device="",
    address="",
    interval=timedelta(seconds=10),
    misses=2,
    last_answer=at("06:04"),
    first_miss=at("06:05"),
    verdict=at("06:06"),
    why="interrupted: ups-a",
    supplies=("ups-a",),
    measured_at="source",
    behind=23,
    devices=("acme-web-1", "acme-web-2", "acme-web-3"),
)
TOLD_ELSEWHERE = dataclasses.replace(NO_POWER, last_miss=at("06:29"), under="E-000047")
POWER_BACK = dataclasses.replace(NO_POWER, last_miss=at("06:29"), first_answer=at("06:30"))
POWER_OPERATORS = dataclasses.replace(
    NO_POWER, customer="noc", supplies=("ups-a", "any(ups-a,ups-b)"), behind=340, devices=(), customers=12
)
FIRST = Part(
    on="ups-a",
    last_answer=at("06:04"),
    first_miss=at("06:05"),
    behind=2,
    devices=("acme-web-1", "acme-web-2"),
)
LATER = Part(
    on="any(ups-a,ups-b)",
    last_answer=at("06:13"),
    first_miss=at("06:14"),
    behind=1,
    devices=("acme-web-3",),
)
MORE_POWER = dataclasses.replace(
    NO_POWER, supplies=("ups-a", "any(ups-a,ups-b)"), behind=3, parts=(FIRST, LATER)
)
ALL_POWER_BACK = dataclasses.replace(
    MORE_POWER,
    last_miss=at("06:29"),
    first_answer=at("06:30"),
    parts=(
        dataclasses.replace(FIRST, last_miss=at("06:29"), first_answer=at("06:30")),
        dataclasses.replace(LATER, last_miss=at("06:20"), first_answer=at("06:21")),
    ),
)
MORE_POWER_OPERATORS = dataclasses.replace(
    POWER_OPERATORS,
    parts=(
        dataclasses.replace(FIRST, behind=120, devices=()),
        dataclasses.replace(LATER, behind=220, devices=()),
    ),
)
CUT_OFF = dataclasses.replace(
    NO_POWER,
    reference="E-000049",
    interval=timedelta(minutes=1),
    why="no answer",
    supplies=(),
    measured_at="",
    switches=("Row 1",),
    behind=2,
    devices=("acme-web-1", "acme-web-2"),
    parts=(dataclasses.replace(FIRST, on="sw-1", missed=(at("06:07"), None)),),
)
SWITCH_OPERATORS = dataclasses.replace(CUT_OFF, customer="noc", behind=30, devices=(), customers=5, parts=())
ON_BATTERY = Story(
    reference="",
    customer="noc",
    device="",
    address="",
    interval=timedelta(0),
    misses=0,
    last_answer=at("06:05"),
    first_miss=at("06:05"),
    verdict=at("06:05"),
    why="charge 96 %, runtime 31 min, load 42 %",
    warning="on battery",
    about="card-a",
    elements=("ups-a",),
)
NOT_TOLD = dataclasses.replace(
    ON_BATTERY,
    first_miss=at("06:15"),
    verdict=at("06:15"),
    why="acme E-000042: 3 × email to duty not accepted, 1 × call to duty not taken by anybody;"
    " zenith E-000043: nobody was authorised",
    warning="customer not told yet",
    about="2026-10-03 06:25Z",
    elements=(),
)
UNTAKEN = dataclasses.replace(
    ON_BATTERY,
    first_miss=at("06:17"),
    verdict=at("06:17"),
    why="acme E-000042; zenith E-000043",
    warning="calls not taken",
    about="call sheet",
    elements=(),
)
REPORTED = Story(
    reference="E-000050",
    customer="acme",
    device="",
    address="",
    interval=timedelta(0),
    misses=0,
    last_answer=at("05:30"),
    first_miss=at("05:45"),
    verdict=at("06:10"),
    why="reported",
    reported="pages of the shop come without pictures",
    latest=at("06:00"),
    behind=3,
    devices=("acme-web-1", "acme-web-2", "acme-web-3"),
    seen=(
        Seen(device="acme-web-1", how="answering"),
        Seen(device="acme-web-2", how="silent", since=at("05:50")),
        Seen(device="acme-web-3", how="unknown"),
    ),
)
REPORTED_WWW = dataclasses.replace(
    REPORTED,
    device="acme-web-1",
    address="192.0.2.17",
    service="www",
    last_answer=at("05:45"),
    latest=None,
    behind=1,
    devices=("acme-web-1",),
    seen=(Seen(device="acme-web-1", how="answering"),),
)
FALSE_ALARM = dataclasses.replace(
    SILENT, corrected_at=at("06:40"), correction="a filter of ours dropped the pings from 06:02 on"
)
FALSE_POWER = dataclasses.replace(
    NO_POWER, corrected_at=at("06:40"), correction="the card of the UPS was being replaced"
)
EXERCISE = Story(
    reference="X-000001",
    customer="acme",
    device="",
    address="",
    interval=timedelta(0),
    misses=0,
    last_answer=at("06:10"),
    first_miss=at("06:10"),
    verdict=at("06:10"),
    why="",
)
ZONE = ZoneInfo("Asia/Shanghai")

ASKED = Story(
    reference="",
    customer="acme",
    device="",
    address="",
    interval=timedelta(0),
    misses=0,
    last_answer=at("06:00"),
    first_miss=at("06:00"),
    verdict=at("06:00"),
    why="",
    contact=ContactData(
        whose="duty",
        way="5f",
        channel="sms",
        at=at("06:00"),
        until=at("06:00") + timedelta(days=1),
        asks=True,
        code="4071 9358",
        person="Duty officer",
        site="Chengdu 1",
        address="sms +86…34",
    ),
)
assert ASKED.contact is not None
CHANGED = dataclasses.replace(
    ASKED,
    contact=dataclasses.replace(
        ASKED.contact,
        until=at("06:00") + timedelta(days=7),
        asks=False,
        code="",
        old=("sms +86…34",),
        new=("sms +86…70", "email d…y@a…e"),
    ),
)
assert CHANGED.contact is not None
CHANGED_CODE = dataclasses.replace(
    CHANGED, contact=dataclasses.replace(CHANGED.contact, asks=True, code="4071 9358")
)
FAILING = dataclasses.replace(
    ASKED, contact=dataclasses.replace(ASKED.contact, until=None, asks=False, code="", why="returned")
)
SUMMED = Flaps(
    since=at("05:25"),
    times=7,
    within=timedelta(hours=1),
    every=timedelta(hours=1),
    calm_after=timedelta(minutes=30),
    down_s=2_415,
)
FLAPPING = dataclasses.replace(SILENT, flaps=dataclasses.replace(SUMMED, times=3, down_s=0))
NOTICES: dict[str, tuple[Kind, tuple[Story, ...], dict[str, bool]]] = {
    "An emergency": ("emergency", (SILENT,), {}),
    "A recovery": ("recovery", (BACK,), {}),
    "A withdrawal": ("withdrawn", (SILENT,), {}),
    "A device is another customer's": ("withdrawn", (GIVEN,), {}),
    "A device that is not pinged": ("emergency", (BY_TCP,), {}),
    "Another machine has the address": ("emergency", (TAKEN,), {}),
    "A service does not pass": ("emergency", (WWW,), {}),
    "A service passes again": ("recovery", (WWW_BACK,), {}),
    "Several services do not pass": ("emergency", (WWW, WWW_2), {}),
    "Several services pass again": ("recovery", (WWW_BACK, WWW_2_BACK), {}),
    "A service is taken out of the watch": ("withdrawn", (WWW,), {}),
    "A device falls silent, and its services with it": ("emergency", (WITH_IT,), {}),
    "A device falls silent, and its services do not": ("emergency", (ALIVE,), {}),
    "After a service its device falls silent": ("update", (BOTH,), {}),
    "After a service another one does not pass": (
        "update",
        (dataclasses.replace(WWW, itself="silent", failing=("email",)),),
        {},
    ),
    "A device answers again, and a service does not yet": ("recovery", (NOT_ALL_BACK,), {}),
    "An uplink falls silent": ("emergency", (CARRIER,), {}),
    "An uplink answers again": ("recovery", (CARRIER_BACK,), {}),
    "An uplink is taken out of the watch": ("withdrawn", (CARRIER,), {}),
    "An uplink falls silent, as the operator is told": ("emergency", (OPERATORS,), {}),
    "An uplink falls silent, and others carry: as the operator is told": ("emergency", (SPARED,), {}),
    "A redundancy group of uplinks falls silent": ("emergency", (GROUP,), {}),
    "A redundancy group of uplinks falls silent, as the operator is told": (
        "emergency",
        (GROUP_OPERATORS,),
        {},
    ),
    "Power is interrupted": ("emergency", (NO_POWER,), {}),
    "Power is back": ("recovery", (POWER_BACK,), {}),
    "Power is interrupted, measured at the outlet": (
        "emergency",
        (dataclasses.replace(NO_POWER, measured_at="outlet", supplies=("r1-a",)),),
        {},
    ),
    "Power is back, measured at the outlet": (
        "recovery",
        (dataclasses.replace(POWER_BACK, measured_at="outlet", supplies=("r1-a",)),),
        {},
    ),
    "Power is interrupted, as the operator is told": ("emergency", (POWER_OPERATORS,), {}),
    "More is without power": ("update", (MORE_POWER,), {}),
    "Power is back, of some sooner": ("recovery", (ALL_POWER_BACK,), {}),
    "More is without power, as the operator is told": ("update", (MORE_POWER_OPERATORS,), {}),
    "Power is told of under another emergency": ("withdrawn", (TOLD_ELSEWHERE,), {}),
    "Power is taken out of the watch": ("withdrawn", (NO_POWER,), {}),
    "A switch is dead": ("emergency", (CUT_OFF,), {}),
    "A switch answers again": (
        "recovery",
        (dataclasses.replace(CUT_OFF, last_miss=at("06:11"), first_answer=at("06:12")),),
        {},
    ),
    "A switch is dead, as the operator is told": ("emergency", (SWITCH_OPERATORS,), {}),
    "More is cut off": ("update", (CUT_OFF,), {}),
    "A switch is taken out of the watch": ("withdrawn", (CUT_OFF,), {}),
    "A person reports an emergency": ("emergency", (REPORTED,), {}),
    "A person reports an emergency of a service": ("emergency", (REPORTED_WWW,), {}),
    "What was reported is silent to us too": (
        "update",
        (
            dataclasses.replace(
                REPORTED_WWW, seen=(Seen(device="acme-web-1", how="silent", since=at("06:15")),)
            ),
        ),
        {},
    ),
    "What was reported is over": (
        "recovery",
        (dataclasses.replace(REPORTED, last_miss=at("06:40"), first_answer=at("06:40")),),
        {},
    ),
    "What was reported is taken out of the watch": ("withdrawn", (REPORTED_WWW,), {}),
    "A false alarm is corrected": ("correction", (FALSE_ALARM,), {}),
    "A false alarm of what many share is corrected": ("correction", (FALSE_POWER,), {}),
    "A reminder of what lasts": (
        "reminder",
        (dataclasses.replace(SILENT, still_at=at("10:12"), had_by="Duty officer", had_at=at("06:20")),),
        {},
    ),
    "A reminder of several that last": (
        "reminder",
        (
            dataclasses.replace(SILENT, still_at=at("10:12"), further=3),
            dataclasses.replace(OTHER, still_at=at("10:12")),
        ),
        {},
    ),
    "A reminder of what many share": ("reminder", (dataclasses.replace(NO_POWER, still_at=at("10:12")),), {}),
    "What goes up and down, where a running notice is accepted": ("emergency", (FLAPPING,), {}),
    "A running notice": (
        "running",
        (dataclasses.replace(FLAPPING, first_miss=at("05:25"), verdict=at("07:10"), flaps=SUMMED),),
        {},
    ),
    "A running notice of a service": (
        "running",
        (
            dataclasses.replace(
                FLAPPING,
                service="www",
                first_miss=at("05:25"),
                verdict=at("07:10"),
                flaps=dataclasses.replace(SUMMED, down_since=at("07:02")),
            ),
        ),
        {},
    ),
    "A running notice ends": (
        "running",
        (
            dataclasses.replace(
                FLAPPING,
                first_miss=at("05:25"),
                verdict=at("07:40"),
                flaps=dataclasses.replace(SUMMED, calm_since=at("07:10")),
            ),
        ),
        {},
    ),
    "A warning to operators": ("warning", (ON_BATTERY,), {}),
    "A warning is over": ("cleared", (dataclasses.replace(ON_BATTERY, verdict=at("06:25")),), {}),
    "A customer is not told yet": ("warning", (NOT_TOLD,), {}),
    "Calls that nobody takes": ("warning", (UNTAKEN,), {}),
    "A code that verifies a way": ("verification", (ASKED,), {}),
    "Contact data were changed": ("contact-changed", (CHANGED,), {}),
    "Contact data were changed, as somebody who may change them reads it": (
        "contact-changed",
        (CHANGED_CODE,),
        {},
    ),
    "A way to a contact fails": ("contact-failing", (FAILING,), {}),
    "An exercise": ("exercise", (EXERCISE,), {}),
    "Several emergencies in one notice": ("emergency", (SILENT, OTHER), {}),
    "A beginning and its end in one notice": ("recovery", (BACK,), {"both": True}),
    "A repeat that is late as well": ("emergency", (SILENT,), {"repeat": True, "late": True}),
}
"""By the heading under which each is shown."""


def compose(
    kind: Kind, stories: tuple[Story, ...], *, language: str = "en", **options: Any
) -> messages.Composed:
    given: dict[str, Any] = {
        "zone": ZONE,
        "site": "Chengdu 1",
        "customer_name": "Acme Trading",
        "contact_name": "Duty officer",
        "repeat": False,
    }
    told = [wording.for_reader(story, language) for story in stories]
    return messages.compose(told, kind, language=language, **{**given, **options})


def payload(kind: Kind, stories: tuple[Story, ...], *, language: str = "en") -> dict[str, Any]:
    return messages.payload(
        stories,
        kind,
        composed=compose(kind, stories, language=language),
        language=language,
        site="Chengdu 1",
        customer_name="Acme Trading",
        contact_name="Duty officer",
    )
