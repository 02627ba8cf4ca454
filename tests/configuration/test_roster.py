"""Who is authorised when, as it is written, and what `check-config` finds open in the time to come."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from hostwatch.commands import check_config
from hostwatch.configuration.gaps import gaps
from hostwatch.configuration.load import load
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.population import population_of
from hostwatch.core.roster import NOBODY_SAID, About, Concern
from tests.configuration.test_commands import run

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HEAD = """\
site: {name: Lab, timezone: Asia/Shanghai}
store: sqlite:///x.db
mail: {from: watch@dc.example, smtp: "smtp://127.0.0.1:25"}
services: {www: {checks: [{tcp: 80}]}}
customers:
  - id: acme
    name: Acme
    devices: [{id: web, address: 127.0.0.2, services: [www]}, {id: db, address: 127.0.0.3}]
"""


def written(folder: Path, text: str) -> Configuration:
    path = folder / "h.yaml"
    path.write_text(HEAD + "".join(f"    {line}\n" for line in dedent(text).splitlines()))
    return load(path).configuration


def contact(name: str, more: str = "") -> str:
    return f"- {{id: {name}, name: {name.title()}, channels: [email: {name}@acme.example]{more}}}"


def test_who_writes_nothing_of_it_has_contacts_who_are_always_authorised(tmp_path: Path) -> None:
    found = written(tmp_path, f"contacts: [{contact('ann')[2:]}]")

    assert population_of(found).customers["acme"].roster == NOBODY_SAID
    assert list(gaps(found, NOW)) == []


def test_a_year_of_a_small_office(tmp_path: Path) -> None:
    """Days are of the customer's zone, the last one belongs to it: 16:00 in UTC is midnight in Shanghai."""
    found = written(
        tmp_path,
        f"""\
        contacts:
          {contact("ann", ", valid: {until: 2026-12-31}, deputy: boss")}
          {contact("bob", ", for: {devices: [db], kinds: [connectivity]}")}
          {contact("cyd")}
          {contact("dan")}
          {contact("boss", ", when: on-call, rights: [told, claims]")}
        rotations:
          - id: nights
            people: [cyd, dan]
            from: 2026-11-02
            at: 09:00
            instead: [{{who: dan, from: 2026-11-23, until: 2026-11-24}}]
        """,
    )
    acme = population_of(found).customers["acme"]

    def told(when: str, about: About | None = None) -> str:
        return " ".join(acme.authorised(datetime.fromisoformat(when).replace(tzinfo=UTC), about))

    assert told("2026-11-02 00:59") == "ann bob"
    assert told("2026-11-02 01:00") == "ann bob cyd"
    assert told("2026-11-22 15:59") == "ann bob cyd"
    assert told("2026-11-22 16:00") == "ann bob dan"  # the holiday begins
    assert told("2026-12-31 15:59") == "ann bob cyd"
    assert told("2026-12-31 16:00") == "bob cyd boss"  # ann's year is over
    about = About(concern=Concern.CONNECTIVITY, device="web", services=("www",))
    assert told("2026-11-02 01:00", about) == "ann cyd"


def test_who_is_bound_to_a_group_hears_of_its_devices(tmp_path: Path) -> None:
    """Of those that come later too, if their names fit."""
    found = written(
        tmp_path,
        f"""\
        groups: {{fronts: [web, "w*"], backs: [db]}}
        contacts:
          {contact("ann", ", for: {groups: [fronts]}")}
          {contact("bob", ", for: {groups: [fronts, backs]}")}
        """,
    )
    acme = population_of(found).customers["acme"]

    def told(device: str) -> str:
        about = About(concern=Concern.CONNECTIVITY, device=device)
        return " ".join(acme.authorised(NOW, about))

    assert [told(device) for device in ("web", "wap", "db")] == ["ann bob", "ann bob", "bob"]
    assert acme.roster.people[1].bound.devices == ("web", "w*", "db")


def warned(folder: Path, text: str) -> list[str]:
    return [f"{place}: {wrong.wrong}" for place, wrong in gaps(written(folder, text), NOW)]


GAPS = {
    "nobody at New Year": (
        f"""\
        contacts:
          {contact("ann", ", away: [{from: 2026-12-31, until: 2027-01-01}]")}
        """,
        "customers[acme].contacts: nobody is authorised from 2026-12-31 00:00 until 2027-01-02 00:00",
    ),
    "deputies of each other who are both away": (
        f"""\
        contacts:
          {contact("ann", ", deputy: bob, away: [{from: 2026-12-30, until: 2027-01-01}]")}
          {contact("bob", ", deputy: ann, away: [{from: 2026-12-31, until: 2026-12-31}]")}
          {contact("cyd")}
        """,
        "customers[acme].contacts[ann].deputy: nobody stands in "
        "from 2026-12-31 00:00 until 2027-01-01 00:00\n"
        "customers[acme].contacts[bob].deputy: nobody stands in "
        "from 2026-12-31 00:00 until 2027-01-01 00:00",
    ),
    "a rotation that begins late": (
        f"""\
        contacts:
          {contact("ann")}
        rotations: [{{id: nights, people: [ann], from: 2026-12-01, at: 09:00}}]
        """,
        "customers[acme].contacts: nobody is authorised from 2026-11-22 08:00 until 2026-12-01 09:00",
    ),
    "nobody who hears of power": (
        f"""\
        contacts:
          {contact("ann", ", for: {kinds: [connectivity, service]}")}
        """,
        "customers[acme].contacts: nobody is told of power from 2026-11-22 08:00 until 2027-12-27 08:00",
    ),
    "nobody who hears of a device": (
        f"""\
        contacts:
          {contact("ann", ", for: {devices: [web]}")}
        """,
        "customers[acme].devices[db]: nobody is told when it falls silent",
    ),
    "one who counts and is away": (
        f"""\
        contacts:
          {contact("ann", ", away: [{from: 2026-12-31, until: 2026-12-31}]")}
          {contact("bob")}
        terms: {{told: [ann]}}
        """,
        "customers[acme].terms.told: ann is not authorised from 2026-12-31 00:00 until 2027-01-01 00:00",
    ),
    "one who counts and has a deputy": (
        f"""\
        contacts:
          {contact("ann", ", deputy: bob, away: [{from: 2026-12-31, until: 2026-12-31}]")}
          {contact("bob", ", when: on-call")}
        terms: {{told: [ann]}}
        """,
        "",
    ),
}


@pytest.mark.parametrize(("text", "found"), GAPS.values(), ids=GAPS)
def test_what_is_open_in_the_time_to_come(tmp_path: Path, text: str, found: str) -> None:
    assert "\n".join(warned(tmp_path, text)).replace(" (Asia/Shanghai)", "") == found


def test_check_config_warns_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, f"contacts:\n  {contact('ann', ', valid: {until: 2026-11-01}')}")

    assert run(check_config, str(tmp_path / "h.yaml")) == 0
    assert "customers[acme].contacts: nobody is authorised from" in capsys.readouterr().err


def test_a_contact_has_a_language_of_their_own(tmp_path: Path) -> None:
    found = written(tmp_path, f"contacts:\n  {contact('ann', ', language: zh-CN')}\n  {contact('bob')}")

    assert [one.language for one in found.customers[0].contacts] == ["zh-CN", None]
