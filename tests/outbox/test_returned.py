"""What comes back of mails, on its way to the record: stories on a simulated clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hostwatch.callbacks import Callbacks
from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.checkers.protocol import Pushed, Seen
from hostwatch.core.emergency import NoticeState
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.core.warned import What
from hostwatch.returned import Returned
from tests.outbox.office import START, Office, Scripted, listening, simulate, site

MAIL, SMS = {"simulated": "mail"}, {"simulated": "sms"}
KEY = "the key of the mailbox"
FORGED = "forged"


class Room:
    """What was read in a mailbox, and what the checkers were told of it."""

    def __init__(self, office: Office) -> None:
        self.took: list[str] = []
        self.strange: list[str] = []
        self.callbacks = Callbacks(office.engine, office.writer, office.clock)
        self.returned = Returned(office.engine, office.clock, self.callbacks, self._take, self._is_ours)
        self.attend(KEY)

    def attend(self, *keys: str) -> None:
        one: Any = SimpleNamespace(name="email/returns", checks=[SimpleNamespace(kind="gateways/mailbox")])
        self.returned.attend(dict.fromkeys(keys, one))

    def _take(self, key: str, names: Any, *, is_ours: bool = True) -> None:
        assert key == KEY
        (self.took if is_ours else self.strange).extend(names)

    def _is_ours(self, token: str) -> bool:
        return token != FORGED

    def say(self, text: str, why: str = "", key: str = KEY) -> None:
        outcome = Outcome.UNKNOWN if why else Outcome.ANSWERED
        seen = Seen("gateways/mailbox", outcome, 0, "{}")
        self.returned.hear(Pushed(key=key, outcome=outcome, why=why, at_us=0, check=seen, said=text))

    def bring(self, *words: tuple[str, str, str], **counts: int) -> None:
        """One reading: the name of each mail, of which try it is, and what it says."""
        told = [[name, f"email/{token}", said, "as it was said"] for name, token, said in words]
        self.say(json.dumps({"words": told, "counts": counts}))


@contextlib.asynccontextmanager
async def reading(office: Office) -> AsyncIterator[Room]:
    room = Room(office)
    tasks = [asyncio.create_task(one.run()) for one in (room.callbacks, room.returned)]
    yield room
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def takes(to: str, message: Message) -> Receipt:
    return Receipt("250 OK", receipt=f"email/{to}")


def test_a_mail_that_bounces_goes_out_by_sms_at_once_and_is_put_away_after_that(tmp_path: Path) -> None:
    """0:00 the relay takes it ── 1:00 a bounce, said in every reading ── the duty is open ── SMS"""

    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            (name,) = await office.owe("acme", "duty")
            await asyncio.sleep(60)
            assert office.engine.world.duties[name].met_at is not None
            room.bring(("1", "mail", "returned"))
            assert room.took == [], "it is not on record yet"
            await asyncio.sleep(60)
            room.bring(("1", "mail", "returned"))
            await asyncio.sleep(60)

            assert [(round(second), to) for second, to, _ in side.sent] == [(0, "mail"), (60, "sms")]
            assert office.outcomes(name) == ["returned", "accepted"]
            assert room.took == ["1", "1"]

    simulate(tmp_path, site({"acme": [MAIL, SMS]}), takes, play)


def test_a_greylisted_mail_is_overtaken_by_the_second_channel(tmp_path: Path) -> None:
    """0:00 greylisted ── tried again ── 5:00 SMS: met ── 12:00 the relay would take it: nobody asks"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await asyncio.sleep(3600)
        assert [to for _, to, _ in side.sent].count("sms") == 1
        assert side.times("sms") == [300]
        assert len(side.times("mail")) >= 5
        assert max(side.times("mail")) <= 300
        duty = office.engine.world.duties[name]
        assert duty.met_at is not None
        assert duty.breached_at is None

    simulate(tmp_path, site({"acme": [MAIL, SMS]}), _greylists(720), play)


def _greylists(until_s: float) -> Any:
    """A relay that takes no mail so long, and an SMS gateway that takes all."""

    async def answer(to: str, message: Message) -> Receipt:
        if to == "mail" and asyncio.get_running_loop().time() - began[0] < until_s:
            raise Failed("451 4.7.1 greylisted")
        return await takes(to, message)

    began: list[float] = []

    async def first(to: str, message: Message) -> Receipt:
        began.append(asyncio.get_running_loop().time())
        return await answer(to, message)

    return first


def test_where_delivery_is_to_be_proven_the_late_mail_is_marked_and_its_report_meets_the_duty(
    tmp_path: Path,
) -> None:
    """0:00 greylisted ── 5:00 SMS, no word of it ── after 12:00 the mail, a repeat ── delivered"""

    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
            await office.until(lambda: any(second >= 720 and to == "mail" for second, to, _ in side.sent))
            await asyncio.sleep(1)
            second, _, mail = next(sent for sent in side.sent if sent[0] >= 720 and sent[1] == "mail")
            assert side.times("sms")[0] == 300
            assert mail.repeat, "the SMS may have arrived"
            assert second < 900
            room.bring(("1", "mail", "delivered"))
            await asyncio.sleep(1)
            assert office.notice(name).state is NoticeState.DELIVERED
            assert office.engine.world.duties[name].breached_at is None

    simulate(tmp_path, site({"acme": [MAIL, SMS]}), _greylists(720), play)


def test_delayed_relayed_and_complaints_decide_nothing_and_are_put_away(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            with listening() as heard:
                (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
                await asyncio.sleep(10)
                room.bring(("1", "mail", "delayed"), ("2", "mail", "relayed"), ("3", "mail", "complained"))
                await asyncio.sleep(10)
            assert room.took == ["1", "2", "3"]
            assert office.outcomes(name) == ["accepted"]
            assert office.engine.world.duties[name].met_at is None
            said = [(level, fields["word"]) for level, event, fields in heard if event == "mail-said"]
            assert said == [("INFO", "delayed"), ("INFO", "relayed"), ("WARNING", "complained")]

    simulate(tmp_path, site({"acme": [MAIL, SMS]}), takes, play)


def test_a_token_that_nobody_gave_changes_nothing_and_its_mail_is_not_put_away(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            (name,) = await office.owe("acme", "duty")
            await asyncio.sleep(10)
            before = office.db.execute("SELECT count(*) FROM facts").fetchone()
            for _ in range(20):
                room.bring(("1", "forged", "returned"), ("2", "forged", "delivered"))
                await asyncio.sleep(60)
            assert room.took == []
            assert office.db.execute("SELECT count(*) FROM facts").fetchone() == before
            assert office.outcomes(name) == ["accepted"]

    simulate(tmp_path, site({"acme": [MAIL, SMS]}), takes, play)


def test_a_mailbox_that_nobody_reads_is_a_warning_to_operators(tmp_path: Path) -> None:
    """0:00 read ── refused from 5:00 on ── 10 min later a warning ── 20:00 read: over"""

    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            room.bring()
            await asyncio.sleep(300)
            for _ in range(9):
                room.say("", why="the login was refused (NO)")
                await asyncio.sleep(60)
            # 14:00: read 14 minutes ago
            ((_, one),) = office.engine.world.warned.items()
            assert (one.what, one.about, one.said) == (
                What.UNREAD, "email/returns", "the login was refused (NO)",
            )  # fmt: skip
            assert 600 <= (one.since - START).total_seconds() <= 630
            (told_of,) = room.returned.warnings()
            assert told_of.startswith("the mailbox email/returns is not read (the login was refused (NO)): ")
            assert _figure(room, "hostwatch_mailbox_read_seconds") == {"email/returns": 840.0}
            told = [message.subject for _, to, message in side.sent if to == "noc"]
            assert told == ["Warning: email/returns: mail that comes back is not read"]

            room.bring()
            await asyncio.sleep(60)
            assert dict(office.engine.world.warned) == {}
            assert list(room.returned.warnings()) == []
            told = [message.subject for _, to, message in side.sent if to == "noc"]
            assert told[1:] == ["Over: email/returns: mail that comes back is not read"]

    started = site({"acme": [MAIL], "dc": [{"simulated": "noc"}]}, operator="dc")
    simulate(tmp_path, started, takes, play)


def test_a_warning_of_a_mailbox_that_is_not_configured_any_more_is_over(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            await asyncio.sleep(660)
            assert len(office.engine.world.warned) == 1, "it was never read"
            room.attend()
            await asyncio.sleep(60)
            assert dict(office.engine.world.warned) == {}
            assert list(room.returned.figures()) == []

    simulate(tmp_path, site({"acme": [MAIL]}), takes, play)


def _figure(room: Room, name: str) -> Any:
    return next(one.value for one in room.returned.figures() if one.name == name)


def test_mails_are_counted_by_known_words_alone(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            room.bring(returned=2, unmatched=1, nothing=0, strange=7)
            room.bring(returned=1)
            assert _figure(room, "hostwatch_mails_back_total") == {("returned",): 3, ("unmatched",): 1}

    simulate(tmp_path, site({"acme": [MAIL]}), takes, play)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"words": [1], "counts": {}}', '{"words": [], "counts": 3}', "nul"]
)
def test_nonsense_of_the_checkers_is_said_and_ends_nothing(tmp_path: Path, text: str) -> None:
    async def play(office: Office, side: Scripted) -> None:
        async with reading(office) as room:
            with listening() as heard:
                room.say(text)
            assert [event for _, event, _ in heard if event == "callback-odd"] == ["callback-odd"]
            room.say('["sms/main/1", "delivered", "x"]', key="the key of a gateway")
            await asyncio.sleep(1)

    simulate(tmp_path, site({"acme": [MAIL]}), takes, play)


def test_what_names_no_token_of_ours_is_left_alone_at_once(tmp_path: Path) -> None:
    """Whatever strangers write to the address: nobody waits for it, and no log fills with it."""

    async def play(office: Office, side: Scripted) -> None:
        words = ("returned", "complained", "delayed")
        with listening() as heard:
            async with reading(office) as room:
                room.bring(*((str(number), FORGED, word) for number, word in enumerate(words)))
                assert (room.took, room.strange) == ([], ["0", "1", "2"])
                assert room.returned._awaited == {}
        assert [event for _, event, _ in heard if event == "mail-said"] == []

    simulate(tmp_path, site({"acme": [MAIL]}), takes, play)
