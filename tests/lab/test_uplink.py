"""The carrier's reference points are cut while gateway and devices answer, and our own link is cut."""

from __future__ import annotations

import json

import pytest

from hostwatch.core import facts
from hostwatch.core.uplink import named
from tests.lab.conftest import Lab
from tests.lab.daemon import rows
from tests.lab.topology import Device, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

INSIDE = ("device-1", "device-2")
CARRIER: Device = "device-3"
"""Behind the router like the devices: it stands for the carrier's network, with three reference points."""

REFERENCES = [address(CARRIER, 4, host) for host in (11, 12, 13)]
SETTINGS = f"""\
operator: noc
uplinks:
  - {{id: chinanet, name: ChinaNet, references: [{", ".join(REFERENCES)}]}}
"""
OPERATOR = """\
  - id: noc
    name: Network centre
    contacts:
      - {id: shift, name: Shift, channels: [email: noc@dc.example]}
"""
OWN = "uplink:chinanet/reach@main"


def watched(lab: Lab) -> None:
    lab.configure({name: address(name) for name in INSIDE})
    path = lab.folder / "hostwatch.yaml"
    path.write_text(path.read_text().replace("customers:\n", f"{SETTINGS}customers:\n{OPERATOR}"))
    lab.daemon.start()
    lab.proven()
    lab.daemon.said("device-proven", signal=OWN)


def test_a_dead_carrier_is_an_outage_of_every_port_and_not_our_blindness(lab: Lab) -> None:
    """
    0 s    two devices and three reference points of the carrier answer
    then   the cable to the carrier is pulled behind the router: the gateway and both devices answer
    +1 s   second round without a quorum: one emergency; customer and operator are told, once each contact
    then   the cable is plugged in: one recovery
    then   the report: no second of the devices was down inside, and each port was down for the carrier
    """
    watched(lab)

    lab.net.cut(CARRIER)
    lab.daemon.said("went-down", signal=OWN)
    until("the mails of the emergency", lambda: len(lab.post.mails) == 2)
    lab.daemon.looked("answered", 6)
    lab.net.restore(CARRIER)
    lab.daemon.said("came-up", signal=OWN)
    until("the mails of the recovery", lambda: len(lab.post.mails) == 4)
    until("both webhooks", lambda: lab.post.hooked[1:])
    lab.daemon.looked("answered", 6)

    (opened,) = lab.daemon.facts(facts.UplinkEmergencyOpened)
    assert (opened.uplink, opened.customers) == ("chinanet", ("acme",))
    assert lab.daemon.facts(facts.EmergencyOpened) == []
    assert lab.daemon.facts(facts.BlindBegan, why="sight") == []
    assert {named(fact.signal) for fact in lab.daemon.facts(facts.SilenceBegan)} == {"chinanet"}
    _check_what_was_told(lab, opened.reference)
    assert lab.daemon.end() == 0
    _check_report(lab, opened.reference)


def _check_what_was_told(lab: Lab, reference: str) -> None:
    mails = {(mail["To"], mail["Subject"].split(" since ")[0]): mail for mail in lab.post.mails}
    silent = f"{reference}: the carrier has not answered us through ChinaNet"
    back = f"{reference}: the carrier answers us through ChinaNet again"
    assert set(mails) == {
        (to, what) for to in ("ops@acme.example", "noc@dc.example") for what in (silent, back)
    }
    mine = mails["ops@acme.example", silent]
    assert "Your devices behind it: 2 (device-1, device-2)" in mine.get_content()
    first, last = lab.post.hooked
    assert (first["kind"], last["kind"]) == ("emergency", "recovery")
    assert first["emergencies"][0]["uplink"] == "ChinaNet"
    assert first["emergencies"][0]["devices"] == ["device-1", "device-2"]
    assert first["emergencies"][0]["device"] is None


def _check_report(lab: Lab, reference: str) -> None:
    report = lab.daemon.report()
    (uplink,) = report["uplinks"]
    (silence,) = uplink["silences"]
    assert silence["confirmed"]
    assert [one["reference"] for one in uplink["emergencies"]] == [reference]
    for row in rows(report, [*INSIDE]):
        assert (row["down_s"], row["silences"], row["emergencies"]) == (0, [], [])
        assert row["backbone"]["measured"] == "all"
        assert row["backbone"]["down_s"] == uplink["down_s"] == silence["down_s"] > 0
        assert row["uplinks"] == ["chinanet"]


def test_our_own_cut_link_is_no_outage_of_the_carrier(lab: Lab) -> None:
    """
    0 s    two devices and three reference points answer
    then   our own cable is pulled at the switch: we are blind; three rounds bring UNKNOWN
    then   it is plugged in: sight returns; nobody was silent, nobody was told, and backbone time is unknown
    """
    watched(lab)

    lab.net.switch.ip("link set watch down")
    lab.daemon.said("blind-began", why="sight")
    lab.daemon.looked("unknown", 3 * (len(INSIDE) + len(REFERENCES)))
    lab.net.switch.ip("link set watch up")
    lab.daemon.said("blind-ended", why="sight")
    lab.daemon.looked("answered", 3 * (len(INSIDE) + len(REFERENCES)))

    assert lab.daemon.facts(facts.SilenceBegan) == []
    assert lab.daemon.facts(facts.UplinkEmergencyOpened) == []
    assert (lab.post.mails, lab.post.hooked) == ([], [])
    assert lab.daemon.facts(facts.Unspoken, signal=OWN)
    assert lab.daemon.end() == 0
    report = lab.daemon.report()
    for row in rows(report, [*INSIDE]):
        assert row["backbone"]["down_s"] == 0
        assert row["backbone"]["unknown_s"] > 0
    assert json.dumps(report["uplinks"][0]["silences"]) == "[]"


def test_one_reference_point_that_is_switched_off_is_no_outage(lab: Lab) -> None:
    """
    0 s    all answer
    then   one of three reference points is taken away: its own silence is recorded, and nobody is told
    then   four more rounds: the uplink is up all the time
    """
    watched(lab)

    lab.net.devices[CARRIER].ip(f"address del {REFERENCES[0]}/24 dev port")
    reference = f"uplink:chinanet/ping:{REFERENCES[0]}@main"
    lab.daemon.said("went-down", signal=reference)
    lab.daemon.looked("answered", 4 * (len(INSIDE) + 2))

    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)} == {reference}
    assert lab.daemon.facts(facts.UplinkEmergencyOpened) == []
    assert lab.post.mails == []
