"""Servers and power strips by Redfish: each power supply is a witness of its feed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.checks.base import Step
from hostwatch.configuration.secret import Places, Secret
from hostwatch.core.power import Concern, Output, PowerReading, of_text
from hostwatch.core.reading import Outcome
from hostwatch.power import _bmc, redfish
from tests.checks.certificates import Pair, Papers
from tests.power import bmcs
from tests.power.bmcs import Bmc, bmc
from tests.power.sources import look, reading

ON, OFF, NOBODY_KNOWS = Output.POWERED, Output.UNPOWERED, Output.UNKNOWN
BAY = f"{bmcs.SUBSYSTEM}/PowerSupplies/Bay"


@pytest.fixture(autouse=True)
def _nobody_remembers() -> Iterator[None]:
    redfish.memory.cache_clear()
    yield
    redfish.memory.cache_clear()


def asked_of(one: Bmc, **others: Any) -> dict[str, Any]:
    written = {"address": "127.0.0.1", "port": one.port, "scheme": "http", "unprotected_login": True}
    return {**written, "user": "reader", "password": Secret(bmcs.PASSWORD), **others}


def points(found: PowerReading) -> dict[str, Output]:
    return {point.name: point.output for point in found.points}


async def test_the_story_of_a_feed() -> None:
    """Feed A fails; then the server loses both; feed B comes back."""
    async with bmc(bmcs.server()) as one:
        written = asked_of(one)
        well = await reading("redfish", written)
        assert points(well) == {"supply 1": ON, "supply 2": ON, "system": ON}
        assert well.point("supply 1").said == "Normal, Enabled, OK"

        one.pages[f"{BAY}1"] = bmcs.supply("Bay1", "LossOfInput", Status={"Health": "Critical"})
        found = await reading("redfish", written)
        assert points(found) == {"supply 1": OFF, "supply 2": ON, "system": ON}
        assert found.concerns == (Concern.ALARM,)

        one.pages[f"{BAY}2"] = bmcs.supply("Bay2", "LossOfInput")
        one.pages["/redfish/v1/Systems/437XR1138R2"]["PowerState"] = "Off"
        found = await reading("redfish", written)
        assert points(found) == {"supply 1": OFF, "supply 2": OFF, "system": NOBODY_KNOWS}

        one.pages[f"{BAY}2"] = bmcs.supply("Bay2", "OutOfRange")
        found = await reading("redfish", written)
        assert (found.point("supply 2").output, Concern.VOLTAGE in found.concerns) == (NOBODY_KNOWS, True)


async def test_where_things_stand_is_found_once_and_on_one_connection() -> None:
    async with bmc(bmcs.server()) as one:
        await reading("redfish", asked_of(one))
        assert one.asked[0] == "GET /redfish/v1/"
        assert (len(one.asked), one.connections) == (9, 1)
        del one.asked[:]
        await reading("redfish", asked_of(one))
        assert {*one.asked} == {f"GET {BAY}1", f"GET {BAY}2", "GET /redfish/v1/Systems/437XR1138R2"}
        assert f"GET {bmcs.CHASSIS}/Power" not in one.asked, "the newer way says more"


OLDER = [
    ({"LineInputVoltage": 231}, ON),
    ({"LineInputVoltage": 0}, OFF),
    ({"LineInputVoltage": 54.0}, NOBODY_KNOWS),
    ({"LineInputVoltage": None}, NOBODY_KNOWS),
    ({"LineInputVoltage": True}, NOBODY_KNOWS),
    ({"LineInputVoltage": "230"}, NOBODY_KNOWS),
    ({"LineInputStatus": "Normal"}, ON),
    ({"LineInputStatus": "LossOfInput"}, OFF),
    ({"LineInputStatus": "LossOfInput", "LineInputVoltage": 231}, NOBODY_KNOWS),
    ({"LineInputStatus": "Normal", "LineInputVoltage": 0}, NOBODY_KNOWS),
    ({"LineInputStatus": "OutOfRange", "LineInputVoltage": 170}, NOBODY_KNOWS),
    ({"LineInputStatus": "Better", "LineInputVoltage": 230}, NOBODY_KNOWS),
    ({"LineInputVoltage": 0, "Status": {"State": "Absent"}}, NOBODY_KNOWS),
    ({}, NOBODY_KNOWS),
]


@pytest.mark.parametrize(("said", "output"), OLDER)
async def test_what_a_supply_says_by_the_older_way(said: dict[str, Any], output: Output) -> None:
    async with bmc(bmcs.older({"MemberId": "0", **said})) as one:
        found = await reading("redfish", asked_of(one))

    assert points(found) == {"supply 0": output, "system": ON}


async def test_a_chassis_that_has_none_by_the_newer_way_has_them_by_the_older() -> None:
    pages = bmcs.server()
    pages[f"{bmcs.SUBSYSTEM}/PowerSupplies"] = bmcs.collection(f"{bmcs.SUBSYSTEM}/PowerSupplies")
    pages[f"{bmcs.CHASSIS}/Power"] = {"PowerSupplies": [{"MemberId": "PSU.Slot.2", "LineInputVoltage": 230}]}
    async with bmc(pages) as one:
        assert points(await reading("redfish", asked_of(one))) == {"supply 2": ON, "system": ON}


async def test_a_power_strip() -> None:
    async with bmc(bmcs.strip(A1="On", A2="Off", A3="PoweringOn", A4="Strange")) as one:
        found = await reading("redfish", asked_of(one))

    assert points(found) == {
        "outlet A1": ON,
        "outlet A2": OFF,
        "outlet A3": NOBODY_KNOWS,
        "outlet A4": NOBODY_KNOWS,
    }


async def test_two_chassis_with_supplies_are_told_apart() -> None:
    pages = bmcs.older({"MemberId": "1", "LineInputVoltage": 230})
    pages["/redfish/v1/Chassis"] = bmcs.collection("/redfish/v1/Chassis", "1U", "Shelf")
    pages["/redfish/v1/Chassis/Shelf"] = bmcs.links(Power="/redfish/v1/Chassis/Shelf/Power")
    same = [{"MemberId": "PSU A1", "LineInputVoltage": 0}, {"MemberId": "PSU B1", "LineInputVoltage": 230}]
    pages["/redfish/v1/Chassis/Shelf/Power"] = {"PowerSupplies": [*same, same[1]]}
    async with bmc(pages) as one:
        found = await reading("redfish", asked_of(one))

    assert points(found) == {
        "supply 1U.1": ON,
        "supply Shelf.PSU A1": OFF,
        "supply Shelf.PSU B1": NOBODY_KNOWS,
        "system": ON,
    }
    assert found.point("supply Shelf.PSU B1").said == "several of this name"


async def test_a_supply_that_is_pulled_is_looked_for_anew() -> None:
    async with bmc(bmcs.server()) as one:
        written = asked_of(one)
        await reading("redfish", written)
        del one.pages[f"{BAY}2"]
        one.pages[f"{bmcs.SUBSYSTEM}/PowerSupplies"]["Members"].pop()
        found = await look("redfish", written)
        assert (found.outcome, found.why) == (
            Outcome.MISSED,
            "what was read before is gone; the next reading looks for it anew",
        )
        assert points(await reading("redfish", written)) == {"supply 1": ON, "system": ON}


async def test_what_was_added_is_found_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few links in each reading, so that no reading takes long."""
    async with bmc(bmcs.server()) as one:
        written = asked_of(one)
        await reading("redfish", written)
        one.pages[f"{BAY}3"] = bmcs.supply("Bay3", "LossOfInput")
        one.pages[f"{bmcs.SUBSYSTEM}/PowerSupplies"]["Members"].append({"@odata.id": f"{BAY}3"})
        assert "supply 3" not in points(await reading("redfish", written))

        monkeypatch.setattr(redfish, "LOOK_AGAIN_US", -1)
        del one.asked[:]
        await reading("redfish", written)
        assert len(one.asked) == 3 + redfish.STEPS_BESIDE
        for _ in range(3):
            await reading("redfish", written)
        found = await reading("redfish", written)
        assert points(found) == {"supply 1": ON, "supply 2": ON, "supply 3": OFF, "system": ON}


async def test_a_session_is_begun_once_and_again_when_it_is_over() -> None:
    async with bmc(bmcs.server()) as one:
        written = asked_of(one, login="session")
        for _ in range(3):
            await reading("redfish", written)
        assert [line for line in one.asked if line.startswith("POST")] == [f"POST {_bmc.SESSIONS}"]
        one.sessions.clear()
        await reading("redfish", written)
        assert len([line for line in one.asked if line.startswith("POST")]) == 2


@pytest.mark.parametrize("login", ["basic", "session"])
async def test_a_wrong_password_is_tried_once_lest_the_user_be_locked(login: str) -> None:
    async with bmc(bmcs.server()) as one:
        written = asked_of(one, login=login, password=Secret("wrong-horse"))
        found = await look("redfish", written)
        assert (found.outcome, found.step) == (Outcome.MISSED, Step.LOGIN)
        assert found.why == "the server does not take the login"
        assert "wrong-horse" not in str(found.as_data())
        asked = len(one.asked)
        for _ in range(3):
            found = await look("redfish", written)
            assert (found.why, found.step) == (_bmc.WAITING, Step.LOGIN)
        assert len(one.asked) == asked
        assert (await look("redfish", asked_of(one, login=login))).outcome is Outcome.ANSWERED, "a new one is"


async def test_a_server_that_wants_a_login_and_gets_none() -> None:
    async with bmc(bmcs.server()) as one:
        found = await look("redfish", asked_of(one, user=None, password=None))

    assert found.why == "the server wants a login"


def fingerprint(pair: Pair) -> str:
    return hashlib.sha256(pair.certificate.public_bytes(Encoding.DER)).hexdigest()


@pytest.mark.parametrize("kind", ["self_signed", "expired", "other_name"])
async def test_a_pinned_certificate_is_taken_whoever_signed_it(papers: Papers, kind: str) -> None:
    pair = getattr(papers, kind)
    shown = ":".join(fingerprint(pair).upper()[place : place + 2] for place in range(0, 64, 2))
    async with bmc(bmcs.server(), pair) as one:
        secure = {"scheme": "https", "unprotected_login": False, "fingerprint": shown}
        found = await reading("redfish", asked_of(one, **secure))

    assert points(found)["supply 1"] is ON


async def test_another_certificate_gets_no_password(papers: Papers) -> None:
    async with bmc(bmcs.server(), papers.valid) as one:
        pinned = {"scheme": "https", "fingerprint": fingerprint(papers.self_signed)}
        found = await look("redfish", asked_of(one, **pinned))

    assert (found.step, one.asked) == (Step.TLS, [])
    assert found.why == "the certificate is another one than the configuration says"
    assert found.came == fingerprint(papers.valid)


async def test_a_certificate_is_verified_if_none_is_pinned(papers: Papers) -> None:
    async with bmc(bmcs.server(), papers.self_signed) as one:
        found = await look("redfish", asked_of(one, scheme="https"))
        assert (found.outcome, found.step, one.asked) == (Outcome.MISSED, Step.TLS, [])
    async with bmc(bmcs.server(), papers.valid) as one:
        verified = {"scheme": "https", "unprotected_login": False, "tls": {"ca": str(papers.ca)}}
        assert points(await reading("redfish", asked_of(one, **verified)))["supply 1"] is ON


async def test_a_connection_that_was_closed_in_between_is_made_again() -> None:
    async with bmc(bmcs.server()) as one:
        one.breaks_after = 4
        found = await reading("redfish", asked_of(one))

    assert (points(found)["supply 1"], one.connections) == (ON, 3)


async def test_a_redirect_is_followed_to_the_same_server() -> None:
    async with bmc(bmcs.server()) as one:
        one.redirects["/redfish/v1/"] = "/redfish/v1"
        one.pages["/redfish/v1"] = one.pages["/redfish/v1/"]
        one.redirects["/redfish/v1/Chassis"] = f"http://127.0.0.1:{one.port}/redfish/v1/Chassis/"
        one.pages["/redfish/v1/Chassis/"] = one.pages["/redfish/v1/Chassis"]
        assert points(await reading("redfish", asked_of(one)))["supply 1"] is ON


@pytest.mark.parametrize(
    "to",
    [
        "http://192.0.2.1/redfish/v1/",
        "//192.0.2.1/x",
        "https://127.0.0.1/",
        "relative",
        "",
        "http://127.0.0.1:{port}1/x",
    ],
)
async def test_a_redirect_elsewhere_is_not_followed(to: str) -> None:
    async with bmc(bmcs.server()) as one:
        one.redirects["/redfish/v1/"] = to.format(port=one.port)
        found = await look("redfish", asked_of(one))

    assert (found.outcome, len(one.asked)) == (Outcome.MISSED, 1)
    assert found.why == "redirected to where this source may not go"


async def test_redirects_that_go_round_end() -> None:
    async with bmc(bmcs.server()) as one:
        one.redirects["/redfish/v1/"] = "/redfish/v1/"
        found = await look("redfish", asked_of(one))

    assert (found.why, len(one.asked)) == ("the server answered 308: /redfish/v1/", 3)


@pytest.mark.parametrize(
    "to", ["http://192.0.2.1/x", "//192.0.2.1/x", "x", 7, None, "/" + "x" * 500, "/a b", "/\n"]
)
async def test_a_link_elsewhere_is_not_followed(to: object) -> None:
    pages = bmcs.server()
    pages["/redfish/v1/"]["Chassis"]["@odata.id"] = to
    async with bmc(pages) as one:
        found = await reading("redfish", asked_of(one))

    assert points(found) == {"system": ON}
    assert [line for line in one.asked if "Systems" not in line] == ["GET /redfish/v1/"]


async def test_a_server_without_end_is_followed_no_further_than_that() -> None:
    """Each chassis names a hundred more."""
    pages = bmcs.server()
    base = "/redfish/v1/Chassis"
    for place in range(300):
        pages[f"{base}/{place}"] = bmcs.links(Power=f"{base}/{place}/Power")
        pages[f"{base}/{place}/Power"] = {"PowerSupplies": [{"MemberId": "1", "LineInputVoltage": 230}]}
    pages[base] = bmcs.collection(base, *map(str, range(300)))
    async with bmc(pages) as one:
        found = await reading("redfish", asked_of(one, timeout="30s"))

    assert len(found.points) <= redfish.THINGS_MAX
    assert len(one.asked) <= redfish.STEPS_MAX + redfish.THINGS_MAX


async def test_what_a_slow_server_showed_is_not_lost_when_the_time_ends() -> None:
    """Its first reading ends in the middle of the walk; the next one goes on there."""
    async with bmc(bmcs.server()) as one:
        written = asked_of(one, timeout="300ms")
        one.raw["/redfish/v1/Systems"] = b"HTTP/1.1 200 OK\r\n"
        found = await look("redfish", written)
        assert (found.outcome, found.why) == (Outcome.MISSED, "no answer within 300ms")
        one.raw.clear()
        del one.asked[:]
        assert points(await reading("redfish", {**written}))["supply 1"] is ON
        assert "GET /redfish/v1/" not in one.asked


ANSWERS = [
    (b"[]", "the answer is no object of JSON"),
    (b"", "the answer is no object of JSON"),
    (b"{", "the answer is no object of JSON"),
    (b"\0" * 100, "the answer is no object of JSON"),
    (b"[" * 100_000, "the answer is no object of JSON"),
    (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "the answer is no object of JSON"),
    (b'{"a": ' + b"9" * 10_000 + b"}", "the answer is no object of JSON"),
    (b'{"a": "' + b"x" * 300_000 + b'"}', "the answer is too long for JSON"),
    (
        b'{"Chassis": 7, "Systems": [], "PowerEquipment": {"@odata.id": {}}}',
        "the server shows no power supplies",
    ),
]


@pytest.mark.parametrize(("body", "why"), ANSWERS)
async def test_answers_that_are_none(body: bytes, why: str) -> None:
    async with bmc({"/redfish/v1/": body}) as one:
        found = await look("redfish", asked_of(one))

    assert found.outcome is Outcome.MISSED
    assert found.why.startswith(why), found.why


async def test_a_server_that_refuses_or_is_gone() -> None:
    async with bmc({}) as one:
        written = asked_of(one)
        found = await look("redfish", written)
        assert found.why == "the server shows no power supplies, no outlets and no systems"
    found = await look("redfish", written)
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.CONNECT)


WRONG = [
    ({"user": "a"}, "needs both a user and a password"),
    ({"fingerprint": "abc"}, "is no fingerprint"),
    ({"fingerprint": "a" * 64, "tls": {"verify": False}}, "pins a certificate"),
    ({"fingerprint": "a" * 64, "scheme": "http"}, "pins a certificate"),
    ({"user": "a", "password": Secret("x"), "scheme": "http"}, "in plain text"),
    ({"user": "a", "password": Secret("x"), "tls": {"verify": False}}, "nobody verified"),
    ({"login": "digest"}, "'basic' or 'session'"),
]


@pytest.mark.parametrize(("written", "why"), WRONG)
def test_wrong_settings_are_refused(written: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as found:
        redfish.Settings.model_validate({"address": "127.0.0.1", **written})
    assert why in str(found.value)


def test_a_password_is_never_in_the_configuration_itself(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        redfish.Settings.model_validate(
            {"address": "127.0.0.1", "user": "a", "password": "b"}, context=Places(folder=tmp_path)
        )


WORDS = (
    "Id MemberId @odata.id Status State Health PowerSupplies PowerState LineInputStatus LineInputVoltage",
    "Members Members@odata.nextLink Chassis Power PowerSubsystem Outlets",
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(st.sampled_from(" ".join(WORDS).split()), inside, max_size=6)
    ),
    max_leaves=30,
)
pages = st.dictionaries(
    st.sampled_from(["Id", "PowerSupplies", "PowerState", "LineInputStatus", "LineInputVoltage", "Status"]),
    anything,
)


@given(st.lists(st.tuples(st.sampled_from(sorted(redfish.FOUND)), pages), max_size=5))
def test_any_pages_make_a_reading(said: list[tuple[str, dict[str, Any]]]) -> None:
    found = redfish.reading(
        (redfish.Place(what, f"/x/{place}", "x"), page) for place, (what, page) in enumerate(said)
    )

    assert of_text(found.text) == found


@given(
    st.sampled_from(["root", "equipment", "strip", "chassis", "subsystem", "supply*", "system*"]), anything
)
def test_any_page_leads_to_paths_or_nowhere(what: str, page: Any) -> None:
    if isinstance(page, dict):
        for place in redfish._onward(redfish.Place(what, "/x", "x", "/older"), page):
            assert _bmc.is_path(place.path)
