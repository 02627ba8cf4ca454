"""A person is told in their own language, and else in the customer's."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostwatch.channels.base import Message, Receipt
from tests.outbox.office import Office, Scripted, simulate, site

TOLD = [("en", None, "Reference"), ("en", "zh-CN", "编号"), ("zh-CN", "en", "Reference")]


@pytest.mark.parametrize(("customers", "own", "said"), TOLD)
def test_in_which_language(tmp_path: Path, customers: str, own: str | None, said: str) -> None:
    started = site({"acme": [{"simulated": "mail"}]})
    started["customers"][0]["language"] = customers
    started["customers"][0]["contacts"][0]["language"] = own

    async def answer(to: str, message: Message) -> Receipt:
        return Receipt(said="250")

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        await office.until(lambda: bool(side.sent))
        ((_, _, message),) = side.sent
        assert said in message.text

    simulate(tmp_path, started, answer, play)
