"""Services as they are written, as the core knows them, and their definitions for who makes the checks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from hostwatch.configuration import canonical, difference
from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.configuration.population import population_of
from hostwatch.core.service import Service
from hostwatch.core.terms import ServiceTerms
from hostwatch.services import Definition, Definitions

TEXT = """\
    site: {name: Here, timezone: UTC}
    store: sqlite:///h.db
    services:
      www: {checks: [tcp: 80, tcp: {port: 443, timeout: 20s}], require: any}
      chat: {checks: [tcp: 6667], obliges: false}
    customers:
      - id: acme
        name: Acme
        services:
          chat: {checks: [tcp: 6697]}
        devices:
          - {id: web, address: 127.0.0.2, services: www chat}
          - id: own
            address: 127.0.0.3
            services:
              www:
              email: {checks: [tcp: 25], interval: 10m, misses: 3}
          - {id: bare, address: 127.0.0.4}
      - id: globex
        name: Globex
        devices:
          - {id: db, address: 127.0.0.5, services: [chat]}
"""


def loaded(folder: Path, text: str = TEXT) -> Loaded:
    path = folder / "h.yaml"
    path.write_text(dedent(text))
    return load(path)


def definition(found: Loaded, signal: str, key: bytes = b"key") -> Definition | None:
    return Definitions(found.configuration, key).of(population_of(found.configuration), signal)


def test_devices_have_what_they_name_and_what_they_define(tmp_path: Path) -> None:
    devices = population_of(loaded(tmp_path).configuration).devices

    assert devices["web"].services == (Service(name="chat"), Service(name="www"))
    assert devices["own"].services == (
        Service(name="email", terms=ServiceTerms(interval=timedelta(minutes=10), misses=3)),
        Service(name="www"),
    )
    assert devices["bare"].services == ()
    assert devices["db"].services == (Service(name="chat", terms=ServiceTerms(obliges=False)),)


def test_the_nearest_definition_counts(tmp_path: Path) -> None:
    """A device's own before its customer's, and that before the site's."""
    found = loaded(tmp_path)

    def ports(signal: str) -> list[int]:
        defined = definition(found, signal)
        return [] if defined is None else [check.settings.port for check in defined.service.checks]

    assert ports("web/www@main") == ports("own/www@main") == [80, 443]
    assert ports("web/chat@main") == [6697]
    assert ports("db/chat@main") == [6667]
    assert ports("own/email@main") == [25]
    assert ports("web/ping@main") == ports("bare/www@main") == ports("web/ftp@main") == []


def test_a_definition_says_how_long_a_look_may_take_and_what_is_required(tmp_path: Path) -> None:
    defined = definition(loaded(tmp_path), "web/www@main")

    assert defined is not None
    assert (defined.service.require, defined.service.longest) == ("any", timedelta(seconds=20))
    assert [check.kind for check in defined.service.checks] == ["tcp", "tcp"]


def test_a_definition_has_another_key_as_soon_as_anything_of_it_is_another(tmp_path: Path) -> None:
    first = definition(loaded(tmp_path), "own/email@main")
    again = definition(loaded(tmp_path), "own/email@main")
    moved = definition(loaded(tmp_path, TEXT.replace("tcp: 25]", "tcp: 587]")), "own/email@main")
    elsewhere = definition(loaded(tmp_path), "own/email@main", b"another site's")

    assert first is not None
    assert again is not None
    assert moved is not None
    assert elsewhere is not None
    assert first.key == again.key
    assert len({first.key, moved.key, elsewhere.key}) == 3


def test_a_changed_check_is_a_change_of_the_content(tmp_path: Path) -> None:
    before, after = loaded(tmp_path), loaded(tmp_path, TEXT.replace("tcp: 25]", "tcp: 587]"))
    content = canonical.plain(before.tree)

    assert before.digest != after.digest
    (checks,) = [one["checks"] for name, one in content["services"].items() if name == "chat"]
    assert checks[0]["tcp"]["port"] == 6667


WITH_A_SECRET = """\
    site: {name: Here, timezone: UTC}
    store: sqlite:///h.db
    services:
      email:
        checks:
          - imap:
              login: {user: probe, password: {env: PROBE_PASSWORD}}
              implicit_tls: true
              authorisation: letter of 2026-03-01
    customers:
      - {id: acme, name: Acme, devices: [{id: mail, address: 127.0.0.2, services: [email]}]}
"""


def test_a_secret_is_in_no_content_and_a_changed_one_in_the_difference_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBE_PASSWORD", "canary-1")
    before = loaded(tmp_path, WITH_A_SECRET)
    monkeypatch.setenv("PROBE_PASSWORD", "canary-2")
    after = loaded(tmp_path, WITH_A_SECRET)
    (change,) = difference.describe(before.configuration, after.configuration)
    keys = [definition(one, "mail/email@main") for one in (before, after)]

    assert before.digest == after.digest
    assert "canary" not in str(canonical.plain(after.tree))
    assert change.path == "services.email.checks"
    assert "canary" not in str(change)
    assert keys[0] is not None
    assert keys[1] is not None
    assert keys[0].key != keys[1].key
    assert population_of(before.configuration) == population_of(after.configuration)


def test_a_service_that_logs_in_is_looked_at_only_when_it_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBE_PASSWORD", "canary")
    found = population_of(loaded(tmp_path, WITH_A_SECRET).configuration)

    assert found.devices["mail"].services == (Service(name="email", intrudes=True),)
    with pytest.raises(BadConfiguration, match="needs the customer's written permission"):
        loaded(tmp_path, WITH_A_SECRET.replace("authorisation: letter of 2026-03-01", "timeout: 5s"))
