"""The canonical encoding: every fact comes back as it was, and its bytes can never change unnoticed."""

from __future__ import annotations

import hashlib
import json
import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core import canonical, facts
from hostwatch.core.reading import Kind

WHEN = datetime(2026, 1, 5, 3, 4, 5, 6, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    datetime: INSTANTS,
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
}


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    """Values for a type hint of a fact; a hint that nobody thought of fails here."""
    if hint in SCALARS:
        return SCALARS[hint]
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(
            *(st.none() if choice is type(None) else of_hint(choice) for choice in get_args(hint))
        )
    if get_origin(hint) is tuple:
        inner, dots = get_args(hint)
        assert dots is Ellipsis
        return st.lists(of_hint(inner), max_size=4).map(tuple)
    if get_origin(hint) is dict:
        return st.dictionaries(TEXT, PLAIN, max_size=4)
    assert isinstance(hint, type), f"cannot make a {hint}"
    assert issubclass(hint, Enum), f"cannot make a {hint}"
    return st.sampled_from([*hint])


def of_kind(kind: type[facts.Fact]) -> st.SearchStrategy[facts.Fact]:
    hints = get_type_hints(kind)
    return st.fixed_dictionaries({field.name: of_hint(hints[field.name]) for field in fields(kind)}).map(
        lambda values: kind(**values)
    )


@pytest.mark.parametrize("name", facts.KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_fact_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    fact = data.draw(of_kind(facts.KINDS[name]))
    encoding = canonical.encode(fact)
    assert canonical.decode(name, json.loads(encoding)) == fact
    assert canonical.encode(canonical.decode(name, json.loads(encoding))) == encoding


def test_every_kind_of_fact_is_known_by_its_name() -> None:
    found = {
        thing.__name__
        for thing in vars(facts).values()
        if isinstance(thing, type) and is_dataclass(thing) and thing is not facts.Fact
    }
    assert found == set(facts.KINDS)
    with pytest.raises(KeyError):
        canonical.decode("NeverHeardOf", {})


@given(PLAIN)
def test_the_bytes_are_sorted_compact_and_have_no_fractions(value: Any) -> None:
    encoding = canonical.encode(value)
    assert json.loads(encoding, parse_float=pytest.fail) == value
    again = json.dumps(json.loads(encoding), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert encoding == again.encode()


@given(st.dictionaries(TEXT, st.integers(), max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical.encode(value) == canonical.encode(backwards)
    assert canonical.digest(value) == canonical.digest(backwards)


@pytest.mark.parametrize("value", [1.0, float("nan"), {"a": [0.5]}, object(), {1, 2}, b"bytes", facts.Fact])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="canonically"):
        canonical.encode(value)


def test_an_instant_without_a_zone_is_refused() -> None:
    """It would mean another time on another machine."""
    with pytest.raises(ValueError, match="no zone"):
        canonical.encode({"at": datetime(2026, 1, 5)})  # noqa: DTZ001


def test_instants_are_written_in_utc_with_six_digits() -> None:
    east = datetime(2026, 1, 5, 8, tzinfo=timezone(timedelta(hours=8)))
    assert canonical.encode([WHEN, east, timedelta(milliseconds=1500)]) == (
        b'["2026-01-05T03:04:05.000006Z","2026-01-05T00:00:00.000000Z",1500000]'
    )


def test_a_leaf_is_that_of_rfc_6962() -> None:
    """The first is the hash of the empty leaf in the test vectors of certificate transparency."""
    assert canonical.leaf(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert canonical.leaf(b"x") == hashlib.sha256(b"\x00x").digest()


SAMPLES: dict[Any, Any] = {
    datetime: WHEN,
    str: "text – 文字",
    int: 42,
    bool: True,
    dict[str, Any]: {"b": [1, None, {"z": "", "a": False}], "a": "x"},
    tuple[dict[str, Any], ...]: ({"key": "k", "old": None, "new": 1},),
    tuple[str, ...]: ("one", "zwei"),
    Kind: Kind.FOLLOW_UP,
    datetime | None: None,
}
GOLDEN: dict[str, str] = {
    "WatchStarted": "bddac960bf6ab639",
    "WatchStopped": "9d34151fe8b39aa7",
    "ConfigurationApplied": "feba8583622ed860",
    "ConfigurationRefused": "c7b7315fea857dc3",
    "PopulationChanged": "09941c0a895d4e19",
    "ScheduleAdopted": "998f1f6c18130fb2",
    "DeviceProven": "74ac7e692efae2eb",
    "SilenceBegan": "1c5883d944a9eb2d",
    "SilenceEnded": "36901fcea2fbef7b",
    "SilenceCut": "8570b873d36be32b",
    "PathSeen": "65ae5a66cd8e521a",
    "WentDown": "db6eb801a32991a5",
    "CameUp": "086e301cd3902056",
    "SupplyTookOver": "0e12870ca0bca1b1",
    "Unspoken": "b12bb206298ba397",
    "BlindBegan": "dcd4f2cdd6778489",
    "BlindEnded": "0b6ee5ad61182c9a",
    "ClockStepped": "ac8ba1d7ade933d2",
    "ClockQuality": "7a8a5b83982923ac",
    "PowerSeen": "7a8351332d6e90a9",
    "PortSeen": "b537fed07a5c6c23",
    "PowerFailedBriefly": "c66730b5b4a07171",
    "CauseFound": "9d5cfd28f3c950bf",
    "CauseStated": "6ea39ad71340badb",
    "EmergencyOpened": "d32fcc54a5a54613",
    "UplinkEmergencyOpened": "dd9ebb9b1a2e9080",
    "SupplyEmergencyOpened": "1e2e95c62147c693",
    "SwitchEmergencyOpened": "03ad069fcd97d840",
    "WarningBegan": "b95300c9a5b798b9",
    "WarningEnded": "8fe5a965e083c474",
    "EmergencyHeld": "edc5543886d2cea4",
    "EmergencyJoined": "850bc6fffc610444",
    "EmergencyEnded": "cac398a08dd45727",
    "EmergencyReported": "4e5ba2f8d7374176",
    "ReportEnded": "b1e6e9cb8ad7063f",
    "EmergencyCorrected": "2bb813c37b26d19f",
    "CustomerDutyArose": "b343c13ab0bfb9a7",
    "CustomerDutyMet": "7be73a453c1a98ac",
    "CustomerDutyBreached": "f279b4fe094d8c40",
    "CustomerDutyReopened": "038e53972fe69e70",
    "CustomerDutyReleased": "038e53972fe69e70",
    "DutyArose": "04d4228e57b9ef90",
    "DutyMet": "7be73a453c1a98ac",
    "DutyBreached": "f279b4fe094d8c40",
    "DutyReleased": "95e00a40fd3c30b1",
    "NoticeOwed": "9ecdc9b5cfb7c74a",
    "AttemptBegan": "13f6350484ba964f",
    "AttemptEnded": "80f38774d15d5d1d",
    "AttemptProved": "ef5a51994fcc6e46",
    "ToldTogether": "d99e3fb64274bf29",
    "AttemptReturned": "e1ae62460185bd5d",
    "Acknowledged": "470e05c9ddc3dc44",
    "RunningNoticeBegan": "973a89423d51ea4c",
    "RunningNoticeEnded": "7132733e77c24870",
    "ExerciseEnded": "6cb286ef0df0e38a",
    "ExerciseOpened": "0558a0a02d3850e6",
    "AcknowledgementWithdrawn": "2bba5bea6231555c",
    "CallTaken": "7f07b6e19e01f009",
    "CallReturned": "5b583335988bbddb",
    "CallEnded": "1526b2d582ccba80",
    "ContactWays": "470cf9a2d1d73cd2",
    "ContactChanged": "eece509c852f7b43",
    "ContactChangeConfirmed": "e08054f9878af49e",
    "WayAsked": "12714a9e453bcbf0",
    "CodeWrong": "6fb537698fd78382",
    "WayVerified": "8b522654b9332949",
    "WayFailed": "efa14b4cc3835b5d",
    "ContactWarned": "8fa1100bb36485c1",
    "ContactWarningReturned": "1aa69e0d84ebd00c",
    "BreachExplained": "d265b3d72b572143",
    "DutyClaimed": "5ed205770c28e76d",
    "ClaimDecided": "c47d98bd301d2fc0",
    "DutyReopened": "038e53972fe69e70",
    "NoticeReopened": "dd3171d6b54d4e2f",
    "NoticeSettled": "01c8c1b2cd8ab76e",
}


def golden() -> dict[str, str]:
    found = {}
    for name, kind in facts.KINDS.items():
        hints = get_type_hints(kind)
        fact = kind(**{field.name: SAMPLES[hints[field.name]] for field in fields(kind)})
        found[name] = canonical.leaf(canonical.encode(fact)).hex()[:16]
    return found


def test_golden_leaves() -> None:
    """Once a fact is recorded its bytes stand for ever.

    A kind may be added here. A line that changes means that old records can no longer be proven, so
    then the change is wrong, not this table.
    """
    assert golden() == GOLDEN
