"""Where the link stands in what leaves by each channel, and where it is left out."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch import messages
from hostwatch.channels import _alertmanager, _phone, _segments, base, webhook
from hostwatch.core.notice import Kind, Story
from hostwatch.messages import having
from tests.messages.examples import OTHER, SILENT

NOW = datetime(2026, 10, 3, 6, 12, tzinfo=UTC)
LINK = "https://status.dc.example/a/" + "0000bA3nos7eF3ydz54js44Ip3vpqhngYvc5y62"
OF_OTHER = LINK[:-1] + "3"
ONE, BOTH = {"E-000042": LINK}, {"E-000042": LINK, "E-000043": OF_OTHER}


def written(
    links: dict[str, str], *stories: Story, language: str = "en", kind: Kind = "emergency"
) -> base.Message:
    """A message as the directory makes it."""
    of = stories or (SILENT,)
    words: Any = {"language": language, "site": "Chengdu 1", "customer_name": "Acme", "contact_name": "Duty"}
    zone = ZoneInfo("Asia/Shanghai")
    plain = messages.compose(of, kind, zone=zone, repeat=False, **words)
    composed = having.asked(plain, links, language)
    return base.Message(
        key="n-7f3a",
        subject=composed.subject,
        text=composed.text,
        html=messages.hypertext(composed.sheet, acknowledge_url=having.only(links)),
        acknowledge_url=having.only(links),
        payload=having.told(messages.payload(of, kind, composed=composed, **words), links),
        repeat=False,
        named=messages.named(of, kind, zone=zone, site="Chengdu 1", customer_name="Acme"),
    )


@pytest.mark.parametrize(
    ("language", "asks"),
    [
        ("en", "Do you take care of it? Say so here, and the others see it:"),
        ("zh-CN", "是否由您负责处理？请在此确认，其他联系人也会看到："),
    ],
)
def test_the_text_has_it_on_a_line_of_its_own_before_the_end(language: str, asks: str) -> None:
    message, without = written(ONE, language=language), written({}, language=language)
    parts = message.text.split("\n\n")
    assert parts[-2] == f"{asks}\n{LINK}"
    assert "\n\n".join([*parts[:-2], parts[-1]]) == without.text, "all else is as it was"
    assert f'href="{LINK}"' in message.html
    assert "href=" not in without.html


def test_of_several_each_has_its_own_and_html_names_them() -> None:
    message = written(BOTH, SILENT, OTHER)
    assert f"\nE-000042: {LINK}\nE-000043: {OF_OTHER}\n" in message.text
    assert message.acknowledge_url == ""
    assert LINK in message.html
    many = {f"E-{number:06d}": LINK for number in range(1, 31)}
    assert written(many).text.count(LINK) == having.LINKS_MAX
    assert "\n+20\n" in written(many).text


def test_data_have_it_with_each_emergency_and_programs_that_know_none_see_no_change() -> None:
    data = json.loads(webhook.written(written(BOTH, SILENT, OTHER)))
    assert [one["acknowledge_url"] for one in data["emergencies"]] == [LINK, OF_OTHER]
    only_one = json.loads(webhook.written(written(ONE, SILENT, OTHER)))
    assert ["acknowledge_url" in one for one in only_one["emergencies"]] == [True, False]
    plain = json.loads(webhook.written(written({})))
    assert "acknowledge_url" not in plain["emergencies"][0]
    assert (data["key"], data["version"]) == (plain["key"], plain["version"])


def test_alertmanager_has_it_beside_its_labels() -> None:
    (with_it,), (without,) = (_alertmanager.told(written(links), NOW) for links in (ONE, {}))
    assert with_it.annotations["acknowledge_url"] == LINK
    assert "acknowledge_url" not in without.annotations
    assert (with_it.labels, with_it.fingerprint) == (without.labels, without.fingerprint)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_sms_has_it_whole_or_not_at_all(language: str) -> None:
    short = LINK.replace("status.dc.example", "s.dc.cn")
    text = _phone.written(written({"E-000042": short}, language=language))
    assert text.endswith(f" {short}")
    assert _segments.segments(text) <= _segments.SEGMENTS_MAX
    long_name = dataclasses.replace(SILENT, device="acme-资产-" * 20)
    cut = _phone.written(written(ONE, long_name, language=language))
    assert "status.dc.example" not in cut, "half a link leads nowhere"
    assert _segments.segments(cut) <= _segments.SEGMENTS_MAX
    assert "E-000042" in cut
    assert LINK not in _phone.written(written(BOTH, SILENT, OTHER, language=language))
