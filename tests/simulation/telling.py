"""N1 to N6: who is told what, how often, marked how, and what is said of it in the record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hostwatch.core import facts
from hostwatch.core.emergency import Duty, NoticeState
from hostwatch.core.facts_of_flapping import RunningNoticeBegan, RunningNoticeEnded
from hostwatch.core.population import Population
from hostwatch.core.world import Decision
from tests.simulation.evidence import Complain
from tests.simulation.provider import AMBIGUOUS, BACK_AFTER, Mode, Sending

BREACH_WITHIN_S = 65
ENDS = ("recovery", "withdrawn")
SLEWED = timedelta(seconds=1)
"""A pause is measured by a wall clock that may run too fast."""


@dataclass(slots=True)
class _Letter:
    """All that happened to one notice."""

    owed: facts.NoticeOwed
    began: list[facts.AttemptBegan] = field(default_factory=list)
    ended: list[facts.AttemptEnded] = field(default_factory=list)
    sent: list[Sending] = field(default_factory=list)
    settled: str | None = None


@dataclass(kw_only=True)
class Telling:
    """Notices: at least once, twice only when in doubt and then marked, and only to the authorised."""

    complain: Complain
    letters: dict[str, _Letter] = field(default_factory=dict)
    together: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the message that is under way tells beside the notice that leads it."""

    bundled: int = 0
    """Messages that told several notices."""

    reminders: int = 0
    running: dict[tuple[str, str], str] = field(default_factory=dict)
    """The running notices that go on, by customer and signal."""

    covered: int = 0
    """Notices that they told."""

    population: Population = field(default_factory=Population)
    stepped_us: int = -1
    """When the wall clock was last set: pauses asked for before that were measured by it."""

    def check(self, decision: Decision) -> None:
        """A decision was committed."""
        for fact in decision.facts:
            match fact:
                case facts.NoticeOwed():
                    if fact.notice in self.letters:
                        self.complain(f"{fact.notice} is owed twice")
                    self._reminds(fact)
                    self.letters[fact.notice] = _Letter(fact)
                case facts.ToldTogether():
                    self._together(fact)
                case facts.AttemptBegan():
                    self._began(self.letters[fact.notice], fact)
                case facts.AttemptEnded():
                    self._ended(self.letters[fact.notice], fact)
                case facts.NoticeReopened():
                    self.letters[fact.notice].settled = None
                case RunningNoticeBegan():
                    self.running[fact.customer, fact.signal] = fact.reference
                case RunningNoticeEnded():
                    del self.running[fact.customer, fact.signal]
                case facts.NoticeSettled():
                    self._settled(self.letters[fact.notice], fact)
                case _:
                    pass
        if decision.population is not None:
            self.population.change(decision.population)

    def _covered(self, owed: facts.NoticeOwed, settled: facts.NoticeSettled) -> None:
        """Told by a running notice: one that goes on, whose word had reached the same person."""
        self.covered += 1
        begun = settled.why.rpartition(" ")[2]
        word = self.letters.get(f"{begun}.emergency.{owed.customer}.{owed.contact}")
        if (owed.customer, begun) not in {(who, name) for (who, _), name in self.running.items()}:
            self.complain(f"{owed.notice} is told by the running notice of {begun}, and there is none")
        if word is None or word.settled != NoticeState.ACCEPTED:
            self.complain(f"{owed.notice} is told by the running notice of {begun}, which did not reach them")
        if not self.population.customers[owed.customer].telling.running:
            self.complain(f"{owed.notice} is told by a running notice that nobody agreed to")

    def _reminds(self, owed: facts.NoticeOwed) -> None:
        """Only who was told of a beginning is reminded of it, and nobody has two reminders before them."""
        if owed.kind != "reminder":
            return
        self.reminders += 1
        to = owed.customer, owed.contact
        for name in owed.emergencies:
            first = self.letters.get(f"{name}.emergency.{to[0]}.{to[1]}")
            if first is None or first.settled != NoticeState.ACCEPTED:
                self.complain(f"{to} are reminded of {name}, and were not told of it")
        for letter in self.letters.values():
            mine = letter.owed
            if mine.kind == "reminder" and letter.settled is None and (mine.customer, mine.contact) == to:
                self.complain(f"{owed.notice} and {mine.notice} are both on their way to {to}")

    def _together(self, fact: facts.ToldTogether) -> None:
        """One message is to tell several: all claimed for it, to one person, each once."""
        leader = self.letters[fact.notice]
        to = leader.owed.customer, leader.owed.contact
        for name in fact.others:
            letter = self.letters[name]
            if (letter.owed.customer, letter.owed.contact) != to or name == fact.notice:
                self.complain(f"{name} is told with {fact.notice}, which is to somebody else")
            if len(letter.began) != len(letter.ended) + 1:
                self.complain(f"{name} is told with {fact.notice} and was not claimed")
            if letter.began[-1].channel != leader.began[-1].channel:
                self.complain(f"{name} is told with {fact.notice} and is said to go by another channel")
        if len({*fact.others}) != len(fact.others):
            self.complain(f"a notice is told twice with {fact.notice}")
        self.together[fact.notice] = fact.others

    def _began(self, letter: _Letter, fact: facts.AttemptBegan) -> None:
        if len(letter.began) != len(letter.ended) or letter.settled is not None:
            self.complain(
                f"attempt {fact.number} at {fact.notice} begins before the last one ended, or too late"
            )
        letter.began.append(fact)

    def _ended(self, letter: _Letter, fact: facts.AttemptEnded) -> None:
        if fact.number != len(letter.began) or len(letter.ended) + 1 != len(letter.began):
            self.complain(f"attempt {fact.number} at {fact.notice} ends and was not the open one")
        letter.ended.append(fact)
        self.together.pop(fact.notice, None)
        if fact.outcome == "accepted" and not (letter.sent and letter.sent[-1].accepted):
            self.complain(f"{fact.notice} is recorded as accepted; nobody accepted it")

    def _settled(self, letter: _Letter, fact: facts.NoticeSettled) -> None:
        if letter.settled is not None:
            self.complain(f"{fact.notice} is settled twice")
        letter.settled = fact.state
        if fact.state == NoticeState.RUNNING:
            self._covered(letter.owed, fact)
        if fact.state == NoticeState.GIVEN_UP and not letter.began:
            self.complain(f"{fact.notice} is given up, and nobody ever tried")
        authorised = letter.owed.contact in self._authorised(letter.owed.customer)
        if fact.state == NoticeState.FORBIDDEN and authorised:
            self.complain(f"{fact.notice} is forbidden, but the contact is authorised")

    def _authorised(self, customer: str) -> tuple[str, ...]:
        known = self.population.customers.get(customer)
        return () if known is None else known.contacts

    def sent(self, sending: Sending) -> None:
        """A message reached the provider."""
        key = sending.message.key
        named = key.rpartition(".")[0].partition(".and-")[0]
        members = self._members(named)
        if not members:
            self.complain(f"{key} was sent without being claimed in the record first")
            return
        self.bundled += len(members) > 1
        customer, contact, _ = sending.to.split("/")
        for letter in members:
            if (customer, contact) != (letter.owed.customer, letter.owed.contact):
                self.complain(f"{key} went to {sending.to}")
        if contact not in self._authorised(customer):
            self.complain(f"{key} went to {sending.to}, who is no longer authorised")
        if sending.message.repeat != any(letter.began[-1].repeat for letter in members):
            self.complain(f"{key}: the message and the record disagree whether it is a repeat")
        self._tells(members, sending)
        for letter in members:
            self._repeats(letter, sending)
            self._order(letter, sending, [one.owed.notice for one in members])
            letter.sent.append(sending)
            sending.attempts[letter.owed.notice] = letter.began[-1].number

    def _members(self, named: str) -> list[_Letter]:
        """All that are claimed for the message that is named after one of them."""
        leader = next((one for one, others in self.together.items() if named in (one, *others)), named)
        letters = [
            self.letters[name] for name in (leader, *self.together.get(leader, ())) if name in self.letters
        ]
        return [] if any(len(one.began) != len(one.ended) + 1 for one in letters) else letters

    def _tells(self, members: list[_Letter], sending: Sending) -> None:
        """The message says of each emergency what is known of it: of one that is over, that it is over."""
        payload = sending.message.payload
        told = {one["reference"] for one in payload["emergencies"]}
        owed = {name for letter in members for name in letter.owed.emergencies}
        if told - {None} != owed and payload["kind"] != "running":
            self.complain(f"{sending.message.key} tells of {told} and was claimed for {owed}")
        kinds = {letter.owed.kind for letter in members}
        is_end = payload["kind"] in ENDS
        for letter in members:
            mine = letter.owed
            ends = [
                self.letters.get(f"{one}.{kind}.{mine.customer}.{mine.contact}")
                for one in mine.emergencies
                for kind in ENDS
            ]
            claimed_us = letter.began[-1].at
            known = [one for one in ends if one is not None and one.owed.at < claimed_us]
            if mine.kind in ("emergency", "update", "reminder") and known and not is_end:
                self.complain(f"{sending.message.key} tells of {mine.notice}, and not that it is over")
        if bool(payload["beginning_too"]) != (is_end and "emergency" in kinds):
            self.complain(f"{sending.message.key} does not say rightly whether it tells of the beginning")

    def _repeats(self, letter: _Letter, sending: Sending) -> None:
        key, again = sending.message.key, letter.began[-1].repeat
        told = [one["reference"] for one in sending.message.payload["emergencies"]]
        same = [s for s in letter.sent if _tells_same(s, told, sending.message.payload["kind"])]
        if any(s.message.key != key for s in same):
            self.complain(f"{key} is not the key under which {letter.owed.notice} was sent before")
        if any(s.message.key == key and s not in same for s in letter.sent):
            self.complain(f"{key} is the key under which something else was told before")
        doubt = any(e.outcome == "interrupted" for e in letter.ended) or any(
            s.mode in AMBIGUOUS for s in letter.sent
        )
        if any(e.outcome == "accepted" for e in letter.ended):
            self.complain(f"{key} was sent again after it had been accepted")
        if any(s.arrived for s in letter.sent) and not again:
            self.complain(f"{key} arrives twice and the second is not marked as a repeat")
        if again and not doubt:
            self.complain(f"{key} is marked as a repeat although nothing was in doubt")
        heard = [s for s, end in zip(letter.sent, self._ends(letter), strict=True) if end == "failed"]
        busy = [
            s for s in heard if s.to == sending.to and s.mode is Mode.BUSY and s.true_us > self.stepped_us
        ]
        if busy and sending.true_us - busy[-1].true_us < (BACK_AFTER - SLEWED) / timedelta(microseconds=1):
            self.complain(f"{key}: {sending.to} had asked to be left alone for {BACK_AFTER}")

    def _ends(self, letter: _Letter) -> list[str]:
        """How the record says that each try ended that reached the provider."""
        outcomes = {end.number: end.outcome for end in letter.ended}
        return [outcomes.get(sent.attempts[letter.owed.notice], "open") for sent in letter.sent]

    def _order(self, letter: _Letter, sending: Sending, members: list[str]) -> None:
        """Nobody is told of an end who was not told of the beginning, before or with it."""
        owed = letter.owed
        if owed.kind == "emergency":
            return
        for reference in owed.emergencies:
            named = f"{reference}.emergency.{owed.customer}.{owed.contact}"
            first = self.letters.get(named)
            if named in members:
                continue
            if first is None or not first.began or first.settled is None:
                self.complain(f"{sending.to} is told of the end of {reference}, but not yet of its beginning")

    def finish(self) -> None:
        """After a calm end: all is settled, and each key was accepted once at most."""
        for key, letter in self.letters.items():
            accepted = sum(end.outcome == "accepted" for end in letter.ended)
            if letter.settled is None or accepted != (letter.settled == NoticeState.ACCEPTED):
                tries = len(letter.sent)
                self.complain(f"{key} ends {letter.settled}, accepted {accepted} times, after {tries} tries")

    def counts(self) -> Counter[str]:
        """How notices ended."""
        found = Counter(f"notice {letter.settled}" for letter in self.letters.values())
        return found + Counter({"reminders": self.reminders, "covered": self.covered})


def _tells_same(sending: Sending, told: list[str], kind: str) -> bool:
    payload = sending.message.payload
    return payload["kind"] == kind and [one["reference"] for one in payload["emergencies"]] == told


@dataclass(kw_only=True)
class Duties:
    """N1: a breach is recorded soon after the deadline, iff the notice was not accepted by then."""

    complain: Complain
    open: dict[str, Duty] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    breached: int = 0

    def check(self, decision: Decision, recorded_at: datetime, well_since: timedelta) -> None:
        """`well_since`: how long the watch has been alive, its store writable and its clock steady."""
        for duty in decision.duties:
            self.open[duty.id] = duty
        forbidden = {
            fact.notice
            for fact in decision.facts
            if isinstance(fact, facts.NoticeSettled) and fact.state == NoticeState.FORBIDDEN
        }
        for duty in decision.duties:
            if duty.released_at is not None and duty.met_at is None:
                del self.open[duty.id]
                if duty.breached_at is None and duty.id not in forbidden:
                    self.complain(f"{duty.id} is neither met nor breached, and nobody cares any more")
        for fact in decision.facts:
            if isinstance(fact, facts.DutyMet):
                self._met(self.open.pop(fact.duty), fact)
            elif isinstance(fact, facts.DutyBreached):
                self._breached(self.open[fact.duty], fact)
        grace = timedelta(seconds=BREACH_WITHIN_S)
        if well_since < grace:
            return
        for duty in self.open.values():
            if duty.breached_at is None and recorded_at - duty.due > grace:
                self.complain(
                    f"{duty.id} was due at {duty.due}, it is {recorded_at}, and no breach is recorded"
                )

    def _met(self, duty: Duty, fact: facts.DutyMet) -> None:
        if fact.late != (duty.breached_at is not None or fact.at > duty.due):
            self.complain(f"{duty.id} due {duty.due} was met at {fact.at}; late: {fact.late}")

    def _breached(self, duty: Duty, fact: facts.DutyBreached) -> None:
        self.breached += 1
        if fact.at < duty.due or duty.id in self.late:
            self.complain(f"{duty.id} due {duty.due} is breached at {fact.at}: too early, or again")
        self.late.add(duty.id)
