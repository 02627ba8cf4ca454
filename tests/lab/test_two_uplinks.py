"""Two carriers, each in a namespace of its own: customers are told when neither is reached, and once."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab
from tests.lab.daemon import rows
from tests.lab.topology import Device, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

INSIDE = "device-1"
MAIN: Device = "device-3"
BACKUP: Device = "device-2"
"""Two of the machines behind the router stand for a carrier's network each, with three reference points."""

GROUP = "any(backup,main)"
REFERENCES = {name: [address(name, 4, host) for host in (11, 12, 13)] for name in (MAIN, BACKUP)}
SETTINGS = f"""\
operator: noc
uplinks:
  - {{id: main, name: ChinaNet, references: [{", ".join(REFERENCES[MAIN])}]}}
  - {{id: backup, name: Unicom, references: [{", ".join(REFERENCES[BACKUP])}]}}
"""
OPERATOR = """\
  - id: noc
    name: Network centre
    contacts:
      - {id: shift, name: Shift, channels: [email: noc@dc.example]}
"""
CUSTOMER = "ops@acme.example"
PEOPLE = "noc@dc.example"


def own(name: str) -> str:
    return f"uplink:{name}/reach@main"


def subjects(mails: list[EmailMessage], to: str) -> list[str]:
    """What somebody was told, without the reference and the time."""
    mine = [mail["Subject"] for mail in mails if mail["To"] == to]
    return [subject.partition(": ")[2].split(" since ")[0] for subject in mine]


def test_the_backup_dies_and_then_the_main_carrier(lab: Lab) -> None:
    """
    0 s    a device is behind any(main, backup); the reference points of both carriers answer
    then   the cable to the backup's carrier is pulled: only the operator is told, with who is spared
    then   that to the main carrier too: one emergency of the group, told once to customer and operator
    then   the main carrier is back: the recovery is told to both; the backup's own emergency goes on
    then   the report: the port was down for as long as the group was, and both uplinks stand beside it
    """
    lab.configure({INSIDE: address(INSIDE)}, settings={INSIDE: ', uplink: "any(main, backup)"'})
    path = lab.folder / "hostwatch.yaml"
    path.write_text(path.read_text().replace("customers:\n", f"{SETTINGS}customers:\n{OPERATOR}"))
    lab.daemon.start()
    lab.proven()
    for name in ("main", "backup", GROUP):
        lab.daemon.said("device-proven", signal=own(name))

    lab.net.cut(BACKUP)
    lab.daemon.said("went-down", signal=own("backup"))
    until("the operator's mail", lambda: lab.post.mails)
    lab.daemon.looked("answered", 6)
    silent = "the carrier has not answered us through"
    assert subjects(lab.post.mails, PEOPLE) == [f"{silent} Unicom"]
    assert (
        "Still reach the carrier by other uplinks: 1 devices, customers: 1" in lab.post.mails[0].get_content()
    )
    assert subjects(lab.post.mails, CUSTOMER) == []

    lab.net.cut(MAIN)
    lab.daemon.said("went-down", signal=own(GROUP))
    until("the mails of the group", lambda: len(lab.post.mails) == 3)
    lab.daemon.looked("answered", 4)
    assert subjects(lab.post.mails, CUSTOMER) == [f"{silent} Unicom / ChinaNet"]
    assert subjects(lab.post.mails, PEOPLE) == [f"{silent} Unicom", f"{silent} Unicom / ChinaNet"]

    lab.net.restore(MAIN)
    lab.daemon.said("came-up", signal=own(GROUP))
    until("the mails of the recovery", lambda: len(lab.post.mails) == 5)
    lab.daemon.looked("answered", 6)
    back = "the carrier answers us through Unicom / ChinaNet again"
    assert subjects(lab.post.mails, CUSTOMER)[-1] == subjects(lab.post.mails, PEOPLE)[-1] == back

    first, second = lab.daemon.facts(facts.UplinkEmergencyOpened)
    assert (first.uplink, first.customers) == ("backup", ())
    assert (second.uplink, second.customers) == (GROUP, ("acme",))
    (joined,) = lab.daemon.facts(facts.EmergencyJoined)
    assert (joined.reference, joined.signal) == (second.reference, own("main"))
    assert lab.daemon.facts(facts.EmergencyOpened) == []
    assert lab.daemon.end() == 0
    report = lab.daemon.report()
    by_name = {one["uplink"]: one for one in report["uplinks"]}
    assert by_name.keys() == {GROUP, "main", "backup"}
    assert by_name[GROUP]["members"] == ["backup", "main"]
    (row,) = rows(report, [INSIDE])
    assert (row["down_s"], row["uplinks"]) == (0, [GROUP])
    assert row["backbone"]["down_s"] == by_name[GROUP]["down_s"]
    assert by_name["backup"]["down_s"] > by_name[GROUP]["down_s"]
