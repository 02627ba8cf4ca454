"""A device's cable is pulled and plugged in: one emergency, one recovery, and bounds that hold the truth."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.daemon import rows
from tests.lab.topology import Family, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

SPREAD = timedelta(milliseconds=100)
"""From the first to the last packet of a ping: an answer is dated by the first, and may come to the last."""


@pytest.mark.parametrize("family", [4, 6])
def test_one_emergency_after_the_second_miss_and_one_recovery(lab: Lab, family: Family) -> None:
    """
    0 s    all three devices answer
    then   device-2's cable is pulled at the router
    +½ s   first miss: a silence begins, and nobody is told
    +1 s   second miss: the verdict, one emergency, one mail and one webhook
    then   the cable is plugged in: one recovery, one more mail and webhook
    then   two more rounds: nothing more is said, and the others were never silent
    """
    lab.watch_all(family)

    cut = lab.net.cut("device-2")
    lab.daemon.said("went-down")
    until("the mail of the emergency", lambda: lab.post.mails)
    restored = lab.net.restore("device-2")
    lab.daemon.said("came-up")
    until("the mail of the recovery", lambda: lab.post.mails[1:])
    until("both webhooks", lambda: lab.post.hooked[1:])
    lab.daemon.looked("answered", 6)

    (down,) = lab.daemon.facts(facts.WentDown)
    (emergency,) = lab.daemon.facts(facts.EmergencyOpened)
    assert (down.signal, down.misses) == (signal_of("device-2"), 2)
    assert len(lab.daemon.facts(facts.EmergencyEnded)) == 1
    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)} == {signal_of("device-2")}
    _check_mails(lab, emergency, family)
    assert [hook["kind"] for hook in lab.post.hooked] == ["emergency", "recovery"]

    assert lab.daemon.end() == 0
    first, second, third = rows(lab.daemon.report(), ["device-1", "device-2", "device-3"])
    assert (first["silences"], third["silences"]) == ([], [])
    (silence,) = second["silences"]
    bounds = {
        name: datetime.fromisoformat(silence[name])
        for name in ("last_answer", "first_miss", "last_miss", "first_answer")
    }
    assert bounds["last_answer"] <= cut.until
    assert cut.since - SPREAD <= bounds["first_miss"]
    assert bounds["last_miss"] <= restored.until
    assert restored.since <= bounds["first_answer"] + SPREAD
    assert silence["confirmed"]
    assert [one["reference"] for one in second["emergencies"]] == [emergency.reference]


def _check_mails(lab: Lab, emergency: facts.EmergencyOpened, family: Family) -> None:
    alarm, recovery = lab.post.mails
    assert (alarm["To"], alarm["From"]) == ("ops@acme.example", "noc@dc.example")
    assert f"{emergency.reference}: device-2 ({address('device-2', family)})" in alarm["Subject"]
    assert "has not answered our pings since" in alarm["Subject"]
    assert f"{emergency.reference}: device-2" in recovery["Subject"]
    assert "answers our pings again since" in recovery["Subject"]
    for mail in (alarm, recovery):
        text = mail.get_content()
        assert f"Reference: {emergency.reference} " in text
        assert f"Device: device-2, address {address('device-2', family)}" in text
        bounds = re.search(r"Silent since: after (.+) \(last answer\), by (.+) \(first miss\)", text)
        assert bounds is not None
        said = [datetime.fromisoformat(bound.replace(" +", "+")) for bound in bounds.groups()]
        assert said == [when.replace(microsecond=0) for when in (emergency.last_answer, emergency.first_miss)]
