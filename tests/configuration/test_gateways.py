"""What the configuration says of gateways to telephones before anybody is told by one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SITE = """\
site: {{name: Lab, timezone: UTC}}
store: sqlite:///x.db
notices: {{met_by: {met_by}}}
channels:
  sms:
    gateways:
      main: {{country: SG, url: "https://sms.example/", fields: {{number: to, text: text}}}}
      proving:
        country: CN
        url: https://sms.example/
        fields: {{number: to, text: text}}
        callbacks:
          - listen: 127.0.0.1:8477
            path: /sms
            secret: {{file: nowhere}}
            id: id
            word: word
            means: {{delivered: [D], returned: [R]}}
customers:
  - id: acme
    name: Acme
    contacts:
      - {{id: duty, name: Duty, channels: [{{sms: {{number: "+86 138 0000 0000", gateway: {gateway}}}}}]}}
"""


@pytest.mark.parametrize(
    ("gateway", "met_by", "best"),
    [
        ("main", "accepted", None),
        ("main", "delivered", "accepted"),
        ("proving", "delivered", None),
        ("proving", "answered", "delivered"),
    ],
)
def test_what_a_gateway_can_prove_is_held_against_the_agreement_and_its_country_is_named(
    tmp_path: Path, gateway: str, met_by: str, best: str | None
) -> None:
    path = tmp_path / "hostwatch.yaml"
    path.write_text(SITE.format(gateway=gateway, met_by=met_by), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "hostwatch", "check-config", "--without-secrets", "--json", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(checked.stdout)
    proofs = {one for one in json.dumps(told["warnings"]).split('"') if one.startswith("none can prove")}

    assert told["countries"] == {"sms/main": "SG", "sms/proving": "CN"}
    assert {one.partition("at best ")[2].partition(",")[0] for one in proofs} == ({best} if best else set())


CONTACTS = """
site: {name: Demo, timezone: UTC}
sight: [192.0.2.254]
store: sqlite:///hostwatch.db
mail: {smtp: "smtp://127.0.0.1:25", from: noc@operator.example}
customers:
  - id: acme
    name: Acme
    devices: [{id: web-1, address: 192.0.2.1}]
    contacts:
      - id: duty
        name: Duty
        channels:
          - email: {address: ops@acme.example, goes_to: CN}
          - webhook: {url: "https://hooks.acme.example/x", goes_to: SG}
          - person: "+86 28 0000 0000"
      - {id: two, name: Two, channels: [email: two@acme.example]}
"""


def test_each_channel_names_the_country_that_its_data_go_to_or_it_is_said_that_nobody_did(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hostwatch.yaml"
    path.write_text(CONTACTS, encoding="utf-8")
    words = [sys.executable, "-m", "hostwatch", "check-config", "--json", str(path)]
    checked = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(checked.stdout)["countries"] == {
        "email": "CN, a country that nobody has named",
        "webhook": "SG",
    }
