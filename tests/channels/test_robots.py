"""Robots of groups as they are configured: mistakes in words, what each may be asked, and where data go."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch import channels
from hostwatch.channels import _sized, apprise, base
from hostwatch.commands import check_config
from hostwatch.configuration.load import load
from hostwatch.configuration.secret import Places
from hostwatch.core.budget import Budget
from tests.channels import servers
from tests.messages.forms import SITE

TOKEN = "abcdefghijklmnop0123456789"
NOT_HELD = Places(read_secrets=False)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token=" + TOKEN, "behind access_token="),
        ("dingtalk", "short", "is not the token of a robot"),
        ("dingtalk", f"{TOKEN}/13800000000", "is not the token of a robot"),
        ("dingtalk", {"token": TOKEN, "secret": "SEC0123"}, "write {file: PATH}"),
        ("wecom", "a b c d e f g h", "is not the token of a robot"),
        ("wecom", {"token": TOKEN}, "key"),
        ("feishu", f"{TOKEN}@evil.example", "is not the token of a robot"),
        ("feishu", {"token": TOKEN, "service": "slack"}, "service"),
    ],
)
def test_a_mistake_is_told_in_words(kind: str, given: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        channels.room(kind).Settings.model_validate(given, context=Places())


@pytest.mark.parametrize(
    ("kind", "takes"),
    [
        ("dingtalk", [(20, timedelta(minutes=1))]),
        ("wecom", [(20, timedelta(minutes=1))]),
        ("feishu", [(5, timedelta(seconds=1)), (100, timedelta(minutes=1))]),
    ],
)
def test_what_a_robot_takes_is_never_passed(kind: str, takes: Any, surroundings: Any) -> None:
    room = channels.room(kind)
    settings = room.Settings.model_validate(TOKEN)
    channel = room.build(settings, surroundings())
    name, lane = settings.lane_with(kind, None)

    assert (channel.lane, channel.budget, channel.at_once) == (name, lane.budget, lane.at_once)
    for messages, within in takes:
        assert isinstance(channel.budget, Budget)
        windows = -(-within // channel.budget.every)
        assert channel.budget.messages * windows * _sized.PARTS_MAX <= messages
    other = room.Settings.model_validate(TOKEN[::-1]).lane_with(kind, None)
    assert other[0] != name, "each robot by itself"
    assert TOKEN not in settings.model_dump_json() + repr(settings) + name + channel.shown


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "feishu"])
def test_it_is_checked_and_planned_without_its_token_at_hand(kind: str) -> None:
    room = channels.room(kind)
    field = "key" if kind == "wecom" else "token"
    settings = room.Settings.model_validate({field: {"file": "robot"}}, context=NOT_HELD)

    assert settings.lane_with(kind, None)[0] == kind


def test_check_config_says_where_data_go(tmp_path: Path) -> None:
    ladder = [
        {"dingtalk": TOKEN},
        {"feishu": TOKEN},
        {"feishu": {"token": TOKEN, "service": "lark"}},
        {"apprise": f"pover://{TOKEN}aaaa@{TOKEN}bbbb"},
        {"apprise": "json://h.example/x"},
        {"email": "a@acme.example"},
    ]
    contact = {"id": "duty", "name": "Duty", "channels": ladder}
    customer = {"id": "acme", "name": "Acme", "contacts": [contact], "devices": []}
    path = tmp_path / "hostwatch.yaml"
    path.write_text(json.dumps({**SITE, "customers": [customer]}))

    assert check_config._countries(load(path)) == {
        "apprise": f"US, {check_config.NOT_SAID}",
        "dingtalk": "CN",
        "email": check_config.NOT_SAID,
        "feishu": "CN, SG",
    }


@pytest.mark.parametrize("code", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"])
async def test_any_service_may_refuse_by_its_code(code: str, message: Any, surroundings: Any) -> None:
    async with servers.receiver(answer=servers.answering(code)) as receiver:
        url = f"json://{servers.LOOPBACK}:{receiver.port}/"
        with pytest.raises(base.Refused, match=f"error={code[:3]}"):
            await apprise.build(apprise.Settings.model_validate(url), surroundings()).send(message)


async def test_a_call_by_which_nothing_was_sent_is_no_acceptance(message: Any, surroundings: Any) -> None:
    url = "opsgenie://8b799edf-6f98-4d3a-9be7-2862fb4e5752/?action=close"
    channel = apprise.build(apprise.Settings.model_validate(url), surroundings())
    with pytest.raises(base.Failed, match="nothing was sent") as caught:
        await channel.send(message)
    assert not caught.value.perhaps_arrived
