"""What the outbox does when something comes between: stories on a simulated clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hostwatch.channels.base import Failed, Message, Receipt, Refused
from hostwatch.core import delivery, facts
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import NoticeState
from hostwatch.core.population import Changes
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision
from hostwatch.directory import Directory
from hostwatch.store.ledger import facts_of
from tests.outbox.office import KEY, WITHIN, Office, Scripted, listening, simulate, site

OLD, NEW, SPARE = {"simulated": "old"}, {"simulated": "new"}, {"simulated": "spare"}


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt("250 accepted")


async def refuses(to: str, message: Message) -> Receipt:
    raise Refused(f"550 no such person {to}")


async def _owe_while_the_disk_is_full(office: Office) -> str:
    """A notice whose first claim waits for the disk."""
    (name,) = await office.owe("acme", "duty")
    office.ledger.is_full = True
    await asyncio.sleep(10)
    assert office.engine.stuck is not None
    assert office.notice(name).attempts == ()
    return name


def test_a_contact_that_is_withdrawn_while_the_claim_waits_is_not_told(tmp_path: Path) -> None:
    """disk full ── claim waits ── contact withdrawn ── disk freed ── nothing leaves"""

    async def play(office: Office, side: Scripted) -> None:
        name = await _owe_while_the_disk_is_full(office)
        leaving = asyncio.create_task(office.configure(site({"acme": []})))
        await asyncio.sleep(10)
        office.ledger.is_full = False
        await leaving
        await office.until(lambda: office.notice(name).state is not NoticeState.PENDING)

        assert side.sent == []
        assert office.outcomes(name) == ["unsent"]
        assert office.notice(name).state is NoticeState.FORBIDDEN
        assert not office.notice(name).perhaps_told

    simulate(tmp_path, site({"acme": [OLD]}), accepts, play)


def test_nor_is_one_that_the_record_has_no_more_and_the_directory_still_has(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        name = await _owe_while_the_disk_is_full(office)
        directory = office.directory
        leaving = asyncio.create_task(office.configure(site({"acme": []})))
        await asyncio.sleep(10)
        office.ledger.is_full = False
        await leaving
        office.directory = directory
        await office.until(lambda: office.notice(name).state is not NoticeState.PENDING)

        assert side.sent == []
        assert office.notice(name).state is NoticeState.FORBIDDEN

    simulate(tmp_path, site({"acme": [OLD]}), accepts, play)


def test_one_that_the_record_has_and_the_directory_not_yet_is_waited_for(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        directory = office.directory
        await office.configure(site({"acme": [OLD]}))
        known, office.directory = office.directory, directory
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(5)
        assert office.notice(name).state is NoticeState.PENDING
        office.directory = known
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert side.times("old") == [5]

    simulate(tmp_path, site({"acme": []}), accepts, play)


def test_a_channel_that_is_replaced_while_the_claim_waits_is_not_used(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        name = await _owe_while_the_disk_is_full(office)
        changing = asyncio.create_task(office.configure(site({"acme": [NEW]})))
        await asyncio.sleep(10)
        office.ledger.is_full = False
        await changing
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert [(to, message.repeat) for _, to, message in side.sent] == [("new", False)]
        assert office.outcomes(name) == ["unsent", "accepted"]

    simulate(tmp_path, site({"acme": [OLD]}), accepts, play)


def test_a_channel_that_only_moved_meanwhile_is_used_once(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        name = await _owe_while_the_disk_is_full(office)
        changing = asyncio.create_task(office.configure(site({"acme": [NEW, OLD]})))
        await asyncio.sleep(10)
        office.ledger.is_full = False
        await changing
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert [to for _, to, _ in side.sent] == ["old"]

    simulate(tmp_path, site({"acme": [OLD]}), accepts, play)


class Stammering(Directory):
    """A directory that fails to find words, once."""

    stammers = True

    def message(self, *args: Any, **more: Any) -> Message:
        if self.stammers:
            self.stammers = False
            raise RuntimeError("any fault in the words for ops@acme.example")
        return super().message(*args, **more)


def test_a_fault_in_the_words_does_not_lose_the_notice(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        office.directory = Stammering(office.directory.configuration, _surroundings(office))
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert office.outcomes(name) == ["failed", "accepted"]
        assert [(round(second), message.repeat) for second, _, message in side.sent] == [(15, False)]
        assert "ops@acme.example" not in str(heard)

    with listening() as heard:
        simulate(tmp_path, site({"acme": [OLD]}), accepts, play)


def _surroundings(office: Office) -> Any:
    from hostwatch.channels.base import Surroundings

    return Surroundings(
        site=office.directory.configuration.site_settings, webhook_key=KEY, now=office.clock.now
    )


def test_an_attempt_that_nobody_works_on_is_ended_and_repeated(tmp_path: Path) -> None:
    """A fault of ours between the claim and the record of its outcome; another attempt goes on meanwhile."""

    async def answer(to: str, message: Message) -> Receipt:
        await asyncio.sleep(20 if to == "spare" else 0)
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        kept = office.engine.vault.commit_once
        broken = [True]

        def breaks(value: str) -> str:
            if broken:
                broken.clear()
                raise RuntimeError("any fault in our books")
            return kept(value)

        office.engine.vault.commit_once = breaks  # type: ignore[method-assign]
        (slow,) = await office.owe("globex", "duty")
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: not office.engine.world.pending())

        assert office.outcomes(name) == ["interrupted", "accepted"]
        assert [message.repeat for _, to, message in side.sent if to == "old"] == [False, True]
        assert side.times("old") == [0, 15]
        ended = facts_of(office.db, [facts.AttemptEnded])
        told = [f.outcome for f in ended if isinstance(f, facts.AttemptEnded) and f.notice == slow]
        assert told == ["accepted"]

    simulate(tmp_path, site({"acme": [OLD], "globex": [SPARE]}), answer, play)


def test_an_attempt_that_a_crash_cut_off_is_ended_at_the_start(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await office.close()
        (name,) = [notice.id for notice in office.engine.world.pending()]
        await office.open(site({"acme": [OLD]}))
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert office.outcomes(name) == ["interrupted", "accepted"]

    async def begin(office: Office, side: Scripted) -> None:
        await office.close()
        office._working = [asyncio.create_task(office.engine.run())]
        (name,) = await office.owe("acme", "duty")
        await office.engine.do(
            lambda world, now: delivery.begin(
                world.notices[name], rung=0, channel="simulated", address="", now=now
            )
        )
        await play(office, side)

    simulate(tmp_path, site({"acme": [OLD]}), accepts, begin)


def test_a_fault_that_lasts_is_not_repeated_in_a_rage(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        def breaks(value: str) -> str:
            raise RuntimeError("a fault that lasts")

        office.engine.vault.commit = breaks  # type: ignore[method-assign]
        await office.owe("acme", "duty")
        await asyncio.sleep(60)

        assert side.sent == []

    with listening() as heard:
        simulate(tmp_path, site({"acme": [OLD]}), accepts, play)
    broke = [fields for _, event, fields in heard if event == "attempt-broke"]
    assert 6 <= len(broke) <= 13
    assert "a fault that lasts" not in str(broke)


def test_when_every_channel_refuses_the_log_says_so_each_time(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(13 * 60)

        assert side.times("old") == side.times("spare") == [0, 240, 720]
        assert office.notice(name).state is NoticeState.PENDING

    with listening() as heard:
        simulate(tmp_path, site({"acme": [OLD, SPARE]}), refuses, play)
    loud = [(level, fields["contact"]) for level, event, fields in heard if event == "nobody-told"]
    assert loud == [("ERROR", "duty")] * 3


def test_a_corrected_channel_is_tried_at_once_and_the_other_keeps_its_rest(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        return await (accepts if to == "new" else refuses)(to, message)

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(60)
        await office.configure(site({"acme": [SPARE, NEW]}))
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert side.times("spare") == [0]
        assert side.times("new") == [60]

    simulate(tmp_path, site({"acme": [OLD, SPARE]}), answer, play)


def test_patience_that_was_asked_for_goes_along_when_the_ladder_is_turned_round(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        raise Failed("429 too many", retry_after=timedelta(seconds=200))

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        await asyncio.sleep(30)
        await office.configure(site({"acme": [SPARE, OLD]}))
        await asyncio.sleep(160)

        assert side.times("old") == [0]
        assert side.times("spare") == [30]

    simulate(tmp_path, site({"acme": [OLD, SPARE]}), answer, play)


def test_a_restart_forgets_no_refusal(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        await asyncio.sleep(60)
        await office.close()
        await office.open(site({"acme": [SPARE, OLD]}))
        await asyncio.sleep(120)

        assert side.times("old") == side.times("spare") == [0]

    simulate(tmp_path, site({"acme": [OLD, SPARE]}), refuses, play)


def test_what_is_overdue_is_seen_and_what_waits_is_not(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        if to == "spare":
            await asyncio.sleep(3600)
        raise Failed("451 later", retry_after=timedelta(seconds=1000))

    def overdue(office: Office) -> list[str]:
        return office.outbox.overdue(office.clock.now())

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        hanging = await office.owe("globex", "duty", 100, apart=True)
        for _ in range(62):
            await asyncio.sleep(5)
            assert overdue(office) == []
        office._working[1].cancel()  # the outbox does nothing any more
        await asyncio.sleep(10)
        assert overdue(office) == []
        await asyncio.sleep(90)
        assert set(hanging) & set(overdue(office))
        assert "E-000001.emergency.acme.duty" not in overdue(office)
        await asyncio.sleep(1000)
        assert "E-000001.emergency.acme.duty" in overdue(office)
        office._working[1] = asyncio.create_task(office.outbox.run())
        await asyncio.sleep(1)
        assert overdue(office) == []
        office._working[1].cancel()

    started = site({"acme": [OLD], "globex": [SPARE]}, notices={"attempt_timeout": "30s"})
    simulate(tmp_path, started, answer, play)


def test_an_attempt_that_does_not_end_is_overdue(tmp_path: Path) -> None:
    async def deaf(to: str, message: Message) -> Receipt:
        while True:
            try:
                await asyncio.sleep(86400)
            except asyncio.CancelledError:
                if done:
                    raise

    done: list[bool] = []

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(80)
        assert office.outbox.overdue(office.clock.now()) == []
        await asyncio.sleep(80)
        assert office.outbox.overdue(office.clock.now()) == [name]
        done.append(True)

    simulate(tmp_path, site({"acme": [OLD]}, notices={"attempt_timeout": "30s"}), deaf, play)


def test_a_try_that_waits_for_the_disk_is_not_overdue(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await _owe_while_the_disk_is_full(office)
        await asyncio.sleep(600)
        assert office.outbox.overdue(office.clock.now()) == []

    simulate(tmp_path, site({"acme": [OLD]}), accepts, play)


def test_what_comes_after_the_deadline_is_late_as_long_as_the_emergency_is_open(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        if (office_clock[0].clock.now() - start[0]) < timedelta(minutes=35):
            raise Failed("451 later")
        return Receipt("250 accepted")

    office_clock: list[Office] = []
    start: list[Any] = []

    async def play(office: Office, side: Scripted) -> None:
        office_clock.append(office)
        start.append(office.clock.now())
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert office.notice(name).late
        assert office.engine.world.duties[name].met_at is not None
        assert office.ledger.load().notices[name] == office.notice(name)
        (prompt,) = await office.owe("acme", "duty")
        await office.until(lambda: office.notice(prompt).state is NoticeState.ACCEPTED)
        assert not office.notice(prompt).late

    simulate(tmp_path, site({"acme": [OLD]}), answer, play)


def test_whoever_waits_for_another_notice_has_its_turn_as_soon_as_that_is_settled(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        await asyncio.sleep(10)
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: not office.engine.world.pending())
        begun = replace(
            office.notice(name),
            id="begun",
            kind="correction",  # behind which nothing is told in the same message; it waits for no others
            duty=None,
            state=NoticeState.PENDING,
            attempts=(),
        )
        end = replace(begun, id="end", after="begun")
        await office.engine.do(lambda world, now: Decision(notices=(begun, end)))
        await office.until(lambda: not office.engine.world.pending())

        assert side.times("old") == [0, 10, 20]

    simulate(tmp_path, site({"acme": [OLD]}), answer, play)


def test_whoever_is_authorised_no_more_is_given_up_at_once_though_a_try_is_far_off(tmp_path: Path) -> None:
    """The record tells, whether or not there is another directory."""

    async def answer(to: str, message: Message) -> Receipt:
        raise Failed("451 later", retry_after=timedelta(seconds=3000))

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(70)
        customer = office.engine.world.population.customers["acme"]
        changes = Changes(customers=(replace(customer, contacts=()),))
        await office.engine.do(lambda world, now: Decision(population=changes, alive_at=now))
        await asyncio.sleep(1)

        assert office.notice(name).state is NoticeState.FORBIDDEN

    simulate(tmp_path, site({"acme": [OLD]}), answer, play)


def test_a_duty_is_breached_when_its_time_is_out_though_nothing_else_is_to_be_done(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        raise Failed("451 later", retry_after=timedelta(seconds=3000))

    async def play(office: Office, side: Scripted) -> None:
        await asyncio.sleep(7)
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(3600)

        duty = office.engine.world.duties[name]
        assert duty.breached_at is not None
        assert timedelta(0) <= duty.breached_at - duty.due < timedelta(seconds=1)

    simulate(tmp_path, site({"acme": [OLD]}), answer, play)


def test_where_accepted_is_not_enough_the_next_channel_follows_and_a_later_word_meets_the_duty(
    tmp_path: Path,
) -> None:
    """0:00 old accepts ── 5:00 spare accepts, marked as a repeat ── 6:00 old says: delivered ── met"""

    async def accepts_by_number(to: str, message: Message) -> Receipt:
        return Receipt("250 accepted", receipt=f"{to}-1")

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
        await asyncio.sleep(360)
        notice = office.notice(name)
        assert [attempt.receipt for attempt in notice.attempts] == ["old-1", "spare-1"]
        assert notice.state is NoticeState.PENDING
        await office.engine.do(
            lambda world, now: delivery.proved(
                world, world.notices[name], 1, Proof.DELIVERED, said="on the telephone", now=now
            )
        )
        await asyncio.sleep(3600)

        assert [(round(second), to, message.repeat) for second, to, message in side.sent] == [
            (0, "old", False),
            (300, "spare", True),
        ]
        assert office.notice(name).state is NoticeState.DELIVERED
        assert office.ledger.load().notices[name] == office.notice(name)
        assert office.ledger.load().duties == office.engine.world.duties

    simulate(tmp_path, site({"acme": [OLD, SPARE]}), accepts_by_number, play)


def test_what_comes_back_goes_out_by_the_next_channel_at_once(tmp_path: Path) -> None:
    """0:00 old accepts ── 20:00 it comes back, after the deadline ── spare at once; the breach is recorded"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(1200)
        await office.engine.do(
            lambda world, now: delivery.returned(world, world.notices[name], 1, said="no such user", now=now)
        )
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert [(round(second), to, message.repeat) for second, to, message in side.sent] == [
            (0, "old", False),
            (1200, "spare", False),
        ]
        assert office.outcomes(name) == ["returned", "accepted"]
        assert office.notice(name).late
        breached = [fact for fact in facts_of(office.db) if isinstance(fact, facts.DutyBreached)]
        assert [round((fact.at - fact.due).total_seconds()) for fact in breached] == [300]

    simulate(tmp_path, site({"acme": [OLD, SPARE]}), accepts, play)


def test_operators_are_told_before_the_time_to_tell_a_customer_is_out(tmp_path: Path) -> None:
    """Acme's relay is dead. 5:00 and 10:00 the operator's people hear of it, 15:00 that it is too late."""

    async def dead(to: str, message: Message) -> Receipt:
        if to == "noc":
            return Receipt("250 accepted")
        raise Failed("451 later")

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        duty = CustomerDuty(
            emergency="E-000001", customer="acme", due=office.clock.now() + WITHIN, people=(name,)
        )
        await office.engine.do(lambda world, now: Decision(customer_duties=(duty,)))
        await asyncio.sleep(16 * 60)

        assert side.times("noc") == [300, 600, 900]
        assert [message.subject for _, to, message in side.sent if to == "noc"] == [
            "Warning: customers to be told by 2026-10-05 08:15:00 +00:00: not told yet",
            "Warning: customers to be told by 2026-10-05 08:15:00 +00:00: not told yet, little time left",
            "Warning: customers to be told by 2026-10-05 08:15:00 +00:00: not told in time",
        ]
        breached = [one for one in facts_of(office.db) if isinstance(one, facts.CustomerDutyBreached)]
        assert [round((one.at - one.due).total_seconds()) for one in breached] == [0]

    started = site({"acme": [OLD], "dc": [{"simulated": "noc"}]}, operator="dc")
    simulate(tmp_path, started, dead, play)
