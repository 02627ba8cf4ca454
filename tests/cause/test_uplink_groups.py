"""Whose fault it is that no uplink of a redundancy group reaches the carrier: the edges of its members."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core import facts
from hostwatch.core.expression import parse
from hostwatch.core.reading import Kind
from hostwatch.core.switch import Switch
from hostwatch.core.uplinkgroup import of
from tests.sla.teller import LETTERS, Teller, carrier, device

START = datetime(2026, 10, 1, tzinfo=UTC)
GROUP = "any(backup,main)"
SIGNAL = f"uplink:{GROUP}/reach@main"
MINUTE = timedelta(minutes=1)


def site(**edges: str) -> Teller:
    """Two uplinks, devices behind both of them, and switches, each towards what it names."""
    single = {name: carrier(name) for name in ("main", "backup")}
    told = Teller()
    told.populate(
        START,
        device("web", uplink=GROUP),
        uplinks=[*single.values(), of(parse(GROUP), single)],
        switches=[
            Switch(id=name, name=name, address="192.0.2.9", uplink=way.replace("both", GROUP))
            for name, way in edges.items()
        ],
    )
    return told


def play(told: Teller, **pictures: str) -> facts.CauseFound:
    """Each minute a letter: switches first, then main, then backup. The cause that was found last."""
    for minute in range(len(pictures["main"])):
        at = START + minute * MINUTE
        for place, (name, picture) in enumerate(pictures.items()):
            when = at + timedelta(seconds=place)
            if name in ("main", "backup"):
                told.round(name, when, picture[minute] * 3)
            else:
                told._bring(f"switch:{name}/ping@main", when, LETTERS[picture[minute]], Kind.SCHEDULED)
    found = [fact for fact in told.record if isinstance(fact, facts.CauseFound) and fact.signal == SIGNAL]
    return found[-1]


def said(found: facts.CauseFound) -> dict[str, str]:
    return {one["who"]: one["said"] for one in found.evidence if one["slot"] == "edge"}


EDGES = """
what                                        e1      e2      said by e1, by e2    rule   wanting
both edges are well                         AAAAAA  AAAAAA  answers answers      -      gateway
the edge towards main is dead               AAMMMM  AAAAAA  silent  answers      edge   gateway
the edge towards backup is dead             AAAAAA  AAAMMM  answers silent       edge   gateway
main's edge died long before the backup     AMMMMM  AAAAAA  silent  answers      edge   gateway
nobody knows of the edge towards main       A?????  AAAAAA  -       answers      -      edge+gateway
"""


@pytest.mark.parametrize("line", EDGES.strip().splitlines()[1:])
def test_the_edges_of_its_members(line: str) -> None:
    """main dies at 2:00, backup at 3:00: the group is down at 4:00."""
    *_, e1, e2, one, other, rule, wanting = line.split()
    told = site(e1="main", e2="backup")
    main = "AMMMMM" if e1 == "AMMMMM" else "AAMMMM"

    found = play(told, e1=e1, e2=e2, main=main, backup="AAAMMM")

    expected = {name: word for name, word in (("e1", one), ("e2", other)) if word != "-"}
    assert said(found) == expected
    assert found.rule == rule.replace("-", "")
    assert set(found.wanting) == set(wanting.split("+"))


def test_one_switch_towards_both() -> None:
    """A switch that reaches the carrier by the group itself is the edge of each of its members."""
    told = site(edge="both")

    found = play(told, edge="AAAAAA", main="AAMMMM", backup="AAAMMM")

    assert said(found) == {"edge": "answers"}
    assert found.wanting == ("gateway",)
    assert len([one for one in found.evidence if one["slot"] == "edge"]) == 1, "said once"


def test_a_member_has_a_cause_of_its_own() -> None:
    told = site(e1="main", e2="backup")
    play(told, e1="AAMMMM", e2="AAAAAA", main="AAMMMM", backup="AAAMMM")

    rules = {f.signal: f.rule for f in told.record if isinstance(f, facts.CauseFound)}
    assert rules["uplink:main/reach@main"] == "edge"
    assert rules["uplink:backup/reach@main"] == ""
    assert rules[SIGNAL] == "edge"
