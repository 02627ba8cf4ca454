"""Who is known by what: the ways of a contact, and what commitments stand for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch import personal
from hostwatch.channels import email
from hostwatch.channels.base import Surroundings
from hostwatch.configuration.load import load
from hostwatch.configuration.secret import revealed
from hostwatch.core.world import Decision
from hostwatch.directory import Directory
from hostwatch.personal import Vault
from hostwatch.store import ledger as store
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger
from tests.outbox.office import KEY, Site, site

AT = datetime(2026, 10, 5, tzinfo=UTC)
MAIL = {"smtp": "smtp://127.0.0.1:2525", "from": "noc@dc.example"}
HOOK = {"webhook": "https://hooks.example/a-long-token-that-is-hidden"}


def rungs(folder: Path, channels: list[Any], key: bytes = KEY, **more: Any) -> tuple[str, ...]:
    """What the channels of a contact are known by."""
    path = folder / "hostwatch.yaml"
    path.write_text(_text(site({"acme": channels}, **{"mail": MAIL, **more})), encoding="utf-8")
    configuration = load(path).configuration
    surroundings = Surroundings(site=configuration.site_settings, webhook_key=key, now=lambda: AT)
    directory = Directory(configuration, surroundings)
    (person,) = directory._people.values()
    return person.rungs


def _text(configuration: Site) -> str:
    import json

    return json.dumps(configuration)


def test_a_way_has_the_same_name_wherever_it_stands_and_in_every_run(tmp_path: Path) -> None:
    mail, hook = rungs(tmp_path, [{"email": "ops@acme.example"}, HOOK])

    assert mail != hook
    assert rungs(tmp_path, [HOOK, {"email": "ops@acme.example"}]) == (hook, mail)
    assert rungs(tmp_path, [HOOK]) == (hook,)


CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "another address": ({"email": "noc@acme.example"}, {}),
    "another relay": ({"email": "ops@acme.example"}, {"mail": {**MAIL, "smtp": "smtp://127.0.0.1:2526"}}),
    "another token of a webhook": ({"webhook": "https://hooks.example/b-long-token-that-is-hidden"}, {}),
    "the same address by another kind": ({"apprise": "json://hooks.example/a-long-token"}, {}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_way_has_another_name(what: str, tmp_path: Path) -> None:
    changed, more = CHANGES[what]
    known = set(rungs(tmp_path, [{"email": "ops@acme.example"}, HOOK]))

    assert not known & set(rungs(tmp_path, [changed], **more))


def test_a_setting_that_was_not_written_is_no_part_of_a_name() -> None:
    """Else each new setting of a later version would give other names to ways that lead where they led."""
    told = revealed(email.Site.model_validate(MAIL))

    assert told == {"smtp": "smtp://127.0.0.1:2525", "sender": "noc@dc.example"}


def test_a_name_tells_nothing_to_whoever_has_not_the_key(tmp_path: Path) -> None:
    (name,) = rungs(tmp_path, [{"email": "ops@acme.example"}])

    assert (name,) != rungs(tmp_path, [{"email": "ops@acme.example"}], key=b"another key")
    assert "acme" not in name


def test_a_channel_that_stands_twice_in_a_ladder_is_one(tmp_path: Path) -> None:
    """Else the two would take turns for ever without a pause."""
    once = rungs(tmp_path, [{"email": "ops@acme.example"}, HOOK])

    assert rungs(tmp_path, [{"email": "ops@acme.example"}, HOOK, {"email": "ops@acme.example"}]) == once


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    made = Ledger(connect(None), "a boot")
    made.open()
    yield made
    made.close()


def keep(ledger: Ledger, vault: Vault, at: datetime = AT) -> None:
    ledger.commit(Decision(alive_at=at), at, vault.take())


def test_a_name_has_one_commitment_in_all_runs(ledger: Ledger) -> None:
    vault = Vault()
    commitment = vault.commit("ops@acme.example")
    assert vault.commit("ops@acme.example") == commitment
    keep(ledger, vault)

    later = Vault(ledger.remembered().commitments)
    assert later.commit("ops@acme.example") == commitment
    assert later.take() == []


def test_words_of_another_side_are_kept_and_not_remembered(ledger: Ledger) -> None:
    vault = Vault()
    commitments = {vault.commit_once("250 queued as 4ABC") for _ in range(2)}
    assert len(commitments) == 2
    assert vault.commit_once("") == vault.commit("") == ""
    keep(ledger, vault)

    assert vault._known == {}
    assert ledger.remembered().commitments == {}
    kept = ledger._db.execute("SELECT commitment, value FROM personal").fetchall()
    assert kept == [(commitment, "250 queued as 4ABC") for commitment in sorted(commitments)]


def test_of_many_names_the_newest_are_remembered(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault()
    for number in range(5):
        vault.commit(f"{number}@acme.example")
        vault.commit_once(f"250 queued as {number}")
        keep(ledger, vault, AT + timedelta(seconds=number))
    monkeypatch.setattr(store, "REMEMBERED_MAX", 3)

    assert [*ledger.remembered().commitments] == [f"{number}@acme.example" for number in (2, 3, 4)]


def test_a_full_memory_forgets_the_oldest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "KNOWN_MAX", 3)
    vault = Vault()
    before = {value: vault.commit(value) for value in "abcd"}

    assert {value: vault.commit(value) for value in "dcb"} == {value: before[value] for value in "dcb"}
    assert vault.commit("a") != before["a"]


def test_what_is_erased_is_not_known_to_the_next_run(ledger: Ledger) -> None:
    vault = Vault()
    commitment = vault.commit("ops@acme.example")
    keep(ledger, vault)
    erase: sqlite3.Connection = ledger._db
    erase.execute("DELETE FROM personal WHERE commitment = ?", (commitment,))

    assert Vault(ledger.remembered().commitments).commit("ops@acme.example") != commitment
