"""What a new configuration changes, and what may be recorded of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hostwatch.configuration import canonical as content_of
from hostwatch.configuration.difference import Change, describe, public_content
from hostwatch.configuration.load import load
from hostwatch.configuration.model import Configuration
from hostwatch.core import canonical

TEXT = """\
site: {name: Here, timezone: UTC}
store: sqlite:///h.db
mail: {smtp: "smtp://127.0.0.1:25", from: noc@dc.example}
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - id: duty
        name: Wilhelmina Example
        channels:
          - email: wilhelmina@acme.example
          - webhook: http://127.0.0.1:9000/token-4711
      - {id: boss, name: The boss, channels: [email: boss@acme.example]}
    devices:
      - {id: web, address: 127.0.0.2}
      - {id: mail, address: 127.0.0.3}
"""


SMALL_SITE = "site: {name: Here, timezone: UTC}\nstore: sqlite:///h.db\n"


def configuration(folder: Path, text: str = TEXT) -> Configuration:
    path = folder / "h.yaml"
    path.write_text(text)
    return load(path).configuration


def changes(folder: Path, *replacements: tuple[str, str]) -> tuple[Change, ...]:
    text = TEXT
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return describe(configuration(folder), configuration(folder, text))


def test_nothing_changed(tmp_path: Path) -> None:
    assert changes(tmp_path) == ()


def test_a_value_changed(tmp_path: Path) -> None:
    assert changes(tmp_path, ("127.0.0.3", "127.0.0.4"), ("store", "notices: {within: 20m}\nstore")) == (
        Change(path="notices.within", before="15m", after="20m"),
        Change(path="customers[acme].devices[mail].address", before="127.0.0.3", after="127.0.0.4"),
    )


def test_a_list_of_gateways_is_recorded_as_it_always_was(tmp_path: Path) -> None:
    """Also written at length, as long as it says no more: the digest of an old configuration stays."""
    short = content_of.tree(configuration(tmp_path, SMALL_SITE + "sight: [192.0.2.1]\n"))
    long = content_of.tree(configuration(tmp_path, SMALL_SITE + "sight: {gateways: [192.0.2.1]}\n"))
    more = content_of.tree(
        configuration(tmp_path, SMALL_SITE + "sight: {gateways: [192.0.2.1], beacons: [203.0.113.9]}\n")
    )

    assert short["sight"] == ["192.0.2.1"]
    assert content_of.digest(long) == canonical.digest(short)
    assert more["sight"] == {"gateways": ["192.0.2.1"], "quorum": 1, "beacons": ["203.0.113.9"]}


def test_an_item_came_and_another_went(tmp_path: Path) -> None:
    device: dict[str, Any] = {
        "id": "ftp",
        "address": "127.0.0.3",
        "state": "in-service",
        "method": "icmp",
        "witness": None,
        "shared": False,
        "waiver": None,
        "description": None,
        "rack": None,
        "feeds": None,
        "ports": None,
        "uplink": None,
        "services": {},
    }

    assert changes(tmp_path, ("id: mail", "id: ftp")) == (
        Change(path="customers[acme].devices[ftp]", before=None, after=device),
        Change(path="customers[acme].devices[mail]", before={**device, "id": "mail"}, after=None),
    )


def test_the_first_device_of_all(tmp_path: Path) -> None:
    bare = configuration(tmp_path, TEXT[: TEXT.index("    devices:")])
    found = describe(bare, configuration(tmp_path))

    assert [change.path for change in found] == [
        "customers[acme].devices[web]",
        "customers[acme].devices[mail]",
    ]


def test_the_order_of_devices_is_no_change(tmp_path: Path) -> None:
    lines = TEXT.splitlines(keepends=True)
    moved = configuration(tmp_path, "".join([*lines[:-2], lines[-1], lines[-2]]))

    assert describe(configuration(tmp_path), moved) == ()


def test_the_order_of_contacts_and_of_their_channels_is_a_change(tmp_path: Path) -> None:
    lines = TEXT.splitlines(keepends=True)
    other_contacts = configuration(tmp_path, "".join([*lines[:7], lines[12], *lines[7:12], *lines[13:]]))
    other_ladder = configuration(tmp_path, "".join([*lines[:10], lines[11], lines[10], *lines[12:]]))
    before = configuration(tmp_path)

    assert describe(before, other_contacts) == (
        Change(path="customers[acme].contacts", before=["duty", "boss"], after=["boss", "duty"]),
    )
    assert [change.path for change in describe(before, other_ladder)] == [
        "customers[acme].contacts[duty].channels"
    ]


def test_a_first_configuration_is_all_new(tmp_path: Path) -> None:
    found = describe(None, configuration(tmp_path))

    assert all(change.before is None for change in found)
    assert {"site", "store", "mail", "customers[acme]"} <= {change.path for change in found}


def test_a_channel_changed_without_telling_its_token(tmp_path: Path) -> None:
    (change,) = changes(tmp_path, ("token-4711", "token-4712-that-is-long"))

    assert change.path == "customers[acme].contacts[duty].channels"
    assert change.before != change.after
    assert "that-is-long" not in repr(change)


def test_what_is_recorded_names_nobody(tmp_path: Path) -> None:
    seen: list[str] = []

    def commit(personal: str) -> str:
        seen.append(personal)
        return f"commitment {len(seen)}"

    content = public_content(content_of.tree(configuration(tmp_path)), commit)
    recorded = json.dumps(content)
    (customer,) = content["customers"]

    assert [
        word for word in ("Wilhelmina", "wilhelmina", "boss@", "The boss", "9000") if word in recorded
    ] == []
    assert {name: customer["contacts"][0][name] for name in ("id", "name", "channels")} == {
        "id": "duty",
        "name": "commitment 1",
        "channels": [{"email": "commitment 2"}, {"webhook": "commitment 3"}],
    }
    assert seen[0] == "Wilhelmina Example"
    assert seen[1] == '{"address":"wilhelmina@acme.example"}'
    assert canonical.encode(content)


def test_a_difference_for_the_record_names_nobody(tmp_path: Path) -> None:
    after = configuration(tmp_path, TEXT.replace("Wilhelmina", "Theodora").replace("boss@", "chief@"))
    found = describe(configuration(tmp_path), after, lambda personal: f"commitment to {len(personal)}")

    assert [change.path for change in found] == [
        "customers[acme].contacts[duty].name",
        "customers[acme].contacts[boss].channels",
    ]
    assert [word for word in ("Wilhelmina", "Theodora", "boss@", "chief@") if word in repr(found)] == []
    assert canonical.encode([change.as_json() for change in found])
