"""Calls by a gateway that is described: what is read aloud, and what a template gets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.channels import base, voice
from tests.channels import servers

SPOKEN = {
    "text": "This is DC. E four two is down. Once more: E four two is down.",
    "press": "Press {key} if you have got this message.",
    "reference": "E four two",
    "what": "",
}


@pytest.fixture
def message(message: base.Message) -> base.Message:
    return dataclasses.replace(message, named={"reference": "E-42", "what": "uplink"}, spoken=SPOKEN)


def channel(port: int, surroundings: Callable[..., base.Surroundings], **gateway: Any) -> base.Channel:
    plain = {"country": "CN", "fields": {"number": "to", "text": "say"}}
    url = f"http://{servers.LOOPBACK}:{port}/call"
    site = voice.Site.model_validate({"gateways": {"main": {"url": url, **plain, **gateway}}})
    return voice.build(voice.Settings.model_validate("+862800000000"), surroundings(voice=site))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, SPOKEN["text"]),
        ({"keypress": "#"}, f"{SPOKEN['text']} Press # if you have got this message."),
    ],
)
async def test_the_text_is_read_aloud_and_asks_for_the_key(
    surroundings: Callable[..., base.Surroundings], message: base.Message, options: Any, said: str
) -> None:
    async with servers.receiver(answer=servers.answering("201 Created", body='{"call": "c-1"}')) as provider:
        receipt = await channel(provider.port, surroundings, answer={"id": "call"}, **options).send(message)

    assert json.loads(provider.requests[0].body) == {"to": "+862800000000", "say": said}
    assert receipt.receipt == "voice/main/c-1"


async def test_values_of_a_template_are_those_that_can_be_read_aloud(
    surroundings: Callable[..., base.Surroundings], message: base.Message
) -> None:
    async with servers.receiver() as provider:
        await channel(
            provider.port,
            surroundings,
            fields={"number": "to", "template": "t", "parameters": "p"},
            templates=[{"id": "TTS_1", "parameters": {"r": "reference", "w": "what"}}],
            parameters_as="list",
        ).send(message)

    assert json.loads(provider.requests[0].body)["p"] == ["E four two", "uplink"]


def test_a_key_is_one_key() -> None:
    with pytest.raises(ValidationError, match="keypress"):
        voice.Called.model_validate(
            {"country": "CN", "url": "https://x/", "fields": {"number": "a", "text": "b"}, "keypress": "12"}
        )
