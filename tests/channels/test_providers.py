"""Chat robots, SMS, voice and on-call services: what each is sent, and what its answers mean to us.

The plug-ins of apprise are real, and so are the names and paths of the providers; these are played, with
the answers that they document. A row is one message. An error inside a 200 is no acceptance.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hostwatch.channels import _answers, _markdown, _segments, _sized
from tests.channels import servers
from tests.channels.conftest import NOW
from tests.channels.provider_room import Outcome, asked

TOKEN = "abcdefghijklmnop0123456789"
KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
SECRET = "SEC0123456789abcdef"
SID, AUTH = "AC" + "0" * 32, "1" * 32
NUMBER = "15551234567"

DINGTALK: Any = {"dingtalk": TOKEN}
WECOM: Any = {"wecom": KEY}
FEISHU: Any = {"feishu": KEY}
LARK: Any = {"feishu": {"token": KEY, "service": "lark"}}
SMS: Any = {"apprise": f"twilio://{SID}:{AUTH}@{NUMBER}/{NUMBER[:-1]}8"}
CALL: Any = {"apprise": f"twilio://{SID}:{AUTH}@{NUMBER}/{NUMBER[:-1]}8?method=call"}
VONAGE: Any = {"apprise": f"vonage://{AUTH[:8]}:{AUTH[:16]}@{NUMBER}/{NUMBER[:-1]}8"}
KAVENEGAR: Any = {"apprise": f"kavenegar://{TOKEN}/{NUMBER}"}
PAGERDUTY: Any = {"apprise": f"pagerduty://{TOKEN}@{TOKEN}"}
OPSGENIE: Any = {"apprise": "opsgenie://8b799edf-6f98-4d3a-9be7-2862fb4e5752"}
PAGERTREE: Any = {"apprise": f"pagertree://int_{TOKEN[:12]}"}
PUSHOVER: Any = {"apprise": f"pover://{TOKEN}aaaa@{TOKEN}bbbb"}


def ok(data: Any, status: str = "200 OK") -> str:
    return servers.answering(status, body=json.dumps(data)).decode()


def said(status: str, *headers: str) -> str:
    return servers.answering(status, *headers).decode()


def vonage(*codes: str) -> str:
    return ok({"message-count": str(len(codes)), "messages": [{"status": code} for code in codes]})


WHAT_ANSWERS_MEAN = {
    "dingtalk took it": (DINGTALK, ok({"errcode": 0, "errmsg": "ok"}), "accepted", None),
    "dingtalk knows no such token": (
        DINGTALK, ok({"errcode": 300001, "errmsg": "token is not exist"}), "refused", None),
    "dingtalk misses its keyword, or the signature": (
        DINGTALK, ok({"errcode": 310000, "errmsg": "keywords not in content"}), "refused", None),
    "dingtalk was asked too often": (
        DINGTALK, ok({"errcode": 130101, "errmsg": "send too fast"}), "failed", 60),
    "dingtalk is busy": (DINGTALK, ok({"errcode": -1, "errmsg": "system busy"}), "failed", None),
    "dingtalk says what we do not know": (DINGTALK, ok({"errcode": 4711, "errmsg": "?"}), "failed", None),
    "a page of a login on the way to dingtalk": (DINGTALK, "HTTP/1.1 200 OK\r\n\r\n<html>", "perhaps", None),
    "wecom took it": (WECOM, ok({"errcode": 0, "errmsg": "ok"}), "accepted", None),
    "wecom knows no such key": (
        WECOM, ok({"errcode": 93000, "errmsg": "invalid webhook url"}), "refused", None),
    "wecom was asked too often": (
        WECOM, ok({"errcode": 45009, "errmsg": "api freq out of limit"}), "failed", 60),
    "feishu took it": (FEISHU, ok({"code": 0, "data": {}, "msg": "success"}), "accepted", None),
    "feishu took it, in old words": (FEISHU, ok({"StatusCode": 0}), "accepted", None),
    "feishu wants a signature": (FEISHU, ok({"code": 19021, "msg": "sign match fail"}), "refused", None),
    "feishu misses its keyword": (FEISHU, ok({"code": 19024, "msg": "Key Words Not Found"}), "refused", None),
    "feishu was asked too often": (FEISHU, ok({"code": 11232, "msg": "frequency limited"}), "failed", 60),
    "feishu finds it bad": (FEISHU, ok({"code": 9499, "msg": "Bad Request"}), "failed", None),
    "lark took it": (LARK, ok({"code": 0, "msg": "success"}), "accepted", None),
    "lark knows no such token": (LARK, ok({"code": 19001, "msg": "param invalid"}), "refused", None),
    "twilio took an SMS": (SMS, ok({"sid": "SM1", "status": "queued"}, "201 Created"), "accepted", None),
    "twilio could not": (SMS, ok({"sid": "SM1", "status": "failed"}, "201 Created"), "refused", None),
    "twilio does not know us": (SMS, ok({"code": 20003, "status": 401}, "401 Unauthorized"), "refused", None),
    "twilio took a call": (CALL, ok({"sid": "CA1", "status": "queued"}, "201 Created"), "accepted", None),
    "vonage took it": (VONAGE, vonage("0"), "accepted", None),
    "vonage took one segment and not the other": (VONAGE, vonage("0", "14"), "failed", None),
    "vonage does not know us": (VONAGE, vonage("4"), "refused", None),
    "vonage throttles": (VONAGE, vonage("1"), "failed", 60),
    "kavenegar took it": (KAVENEGAR, ok({"return": {"status": 200}}), "accepted", None),
    "kavenegar has no credit of ours left": (
        KAVENEGAR, ok({"return": {"status": 418}}, "418 No Credit"), "refused", None),
    "kavenegar cannot answer": (KAVENEGAR, ok({"return": {"status": 409}}, "409 Conflict"), "failed", None),
    "pagerduty took it": (
        PAGERDUTY, ok({"status": "success", "dedup_key": "x"}, "202 Accepted"), "accepted", None),
    "pagerduty found it wrong": (
        PAGERDUTY, ok({"status": "invalid event"}, "400 Bad Request"), "refused", None),
    "opsgenie took it": (
        OPSGENIE, ok({"result": "Request will be processed", "requestId": "43a29c5c"}, "202 Accepted"),
        "accepted", None),
    "pagertree took it": (PAGERTREE, ok({}, "201 Created"), "accepted", None),
    "pushover took it": (PUSHOVER, ok({"status": 1, "request": "647d2300"}), "accepted", None),
    "pushover knows no such user": (
        PUSHOVER, ok({"user": "invalid", "status": 0}, "400 Bad Request"), "refused", None),
}  # fmt: skip
"""What the provider answers, what the attempt is then, and the seconds for which it is left alone."""

EVERY: Mapping[str, Any] = {
    "dingtalk": DINGTALK, "wecom": WECOM, "feishu": FEISHU, "lark": LARK, "twilio": SMS, "twilio call": CALL,
    "vonage": VONAGE, "kavenegar": KAVENEGAR, "pagerduty": PAGERDUTY, "opsgenie": OPSGENIE,
    "pagertree": PAGERTREE, "pushover": PUSHOVER,
}  # fmt: skip
WHAT_CODES_MEAN = {
    "401": (said("401 Unauthorized"), "refused", None),
    "403": (said("403 Forbidden"), "refused", None),
    "429": (said("429 Too Many", "Retry-After: 17"), "failed", 17),
    "503": (said("503 Unavailable", "Retry-After: 5"), "failed", 5),
    "500": (said("500 Oops"), "failed", None),
    "302": (said("302 Found", "Location: https://evil.example/"), "refused", None),
    "drops": ("drops", "perhaps", None),
    "hangs": ("hangs", "perhaps", None),
}

TEXT = "E-000042: acme-web-1 (192.0.2.17) has not answered our pings\n\nReference: E-000042\n"
HOSTILE = (
    'E-000042: <at user_id="all">x</at> @all <@all> [pay](https://evil.example/a) http://evil.example/b '
    "<font color=red>"
)
OWN_LINK = "https://status.dc.example/a/0000bA3nos7eF3ydz54js44Ip3vpqhngYvc5y62"


def message(text: str = TEXT, kind: str = "emergency", **more: Any) -> dict[str, Any]:
    data = {"version": 1, "kind": kind, "language": "en", "emergencies": [{}]}
    subject = text.partition("\n")[0]
    return {"key": "n-1", "subject": subject, "text": text, "payload": data, "repeat": False, **more}


LONG = "".join(f"E-{number:06}: 设备 {number} 未应答我们的探测\n" for number in range(400))
TAKEN = {
    "dingtalk": ok({"errcode": 0}), "wecom": ok({"errcode": 0}), "feishu": ok({"code": 0}),
    "lark": ok({"code": 0}), "twilio": ok({"status": "queued"}), "twilio call": ok({"status": "queued"}),
    "vonage": vonage("0"), "kavenegar": ok({"return": {"status": 200}}),
    "pagerduty": ok({"status": "success"}),
    "opsgenie": ok({"requestId": "1"}), "pagertree": ok({}), "pushover": ok({"status": 1}),
}  # fmt: skip


def _cases() -> dict[str, Any]:
    cases = {
        name: {"entry": entry, "message": message(), "answers": [answer]}
        for name, (entry, answer, *_) in WHAT_ANSWERS_MEAN.items()
    }
    for service, entry in EVERY.items():
        for code, (answer, *_) in WHAT_CODES_MEAN.items():
            site = {"timeout": "300ms"} if code == "hangs" else {}
            cases[f"{service} {code}"] = {
                "entry": entry, "message": message(), "answers": [answer], "site": site
            }  # fmt: skip
        taken = [TAKEN[service]]
        told = message(f"{HOSTILE}\n\n{OWN_LINK}\n", acknowledge_url=OWN_LINK, spoken={"text": "In words."})
        cases[f"{service} hostile"] = {"entry": entry, "message": told, "answers": taken}
        cases[f"{service} long"] = {"entry": entry, "message": message(LONG), "answers": taken}
        cases[f"{service} end"] = {"entry": entry, "message": message(kind="recovery"), "answers": taken}
    told = message()
    cases |= {
        "signed dingtalk": {
            "entry": {"dingtalk": {"token": TOKEN, "secret": {"env": "ROBOT"}, "keyword": "机房"}},
            "message": told, "answers": [TAKEN["dingtalk"]],
        },
        "signed feishu": {
            "entry": {"feishu": {"token": KEY, "secret": {"env": "ROBOT"}, "keyword": "Reference"}},
            "message": told, "answers": [TAKEN["feishu"]],
        },
        "second part lost": {
            "entry": WECOM, "message": message(LONG),
            "answers": [TAKEN["wecom"], ok({"errcode": 45009, "errmsg": "api freq out of limit"})],
        },
        "first part refused": {
            "entry": WECOM, "message": message(LONG), "answers": [ok({"errcode": 93000}), TAKEN["wecom"]]
        },
    }  # fmt: skip
    return cases


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOT", SECRET)
        return asked(_cases(), tmp_path_factory.mktemp("providers"))


def texts(outcome: Outcome) -> list[str]:
    """What people read, or hear, of each request."""
    return [_text(one) for one in outcome["came"]]


def _text(one: Mapping[str, str]) -> str:
    if "kavenegar" in one["host"]:
        return parse_qs(urlsplit(one["line"].split()[1]).query)["message"][0]
    if not one["body"].startswith("{"):
        form = parse_qs(one["body"])
        return next(form[name][0] for name in ("Body", "Twiml", "text", "message") if name in form)
    data = json.loads(one["body"])
    inside = data.get("text") or data.get("content") or data.get("payload") or data
    return str(next(inside[name] for name in ("content", "text", "summary", "description") if name in inside))


@pytest.mark.parametrize("name", WHAT_ANSWERS_MEAN)
def test_an_answer_means_what_the_provider_says_it_does(outcomes: Any, name: str) -> None:
    _, _, means, after = WHAT_ANSWERS_MEAN[name]

    assert outcomes[name]["is"] == means, outcomes[name]["said"]
    assert outcomes[name].get("after") == after
    assert outcomes[name].get("proof", "accepted") == "accepted", "no provider here proves more"
    assert len(outcomes[name]["came"]) == 1


@pytest.mark.parametrize("code", WHAT_CODES_MEAN)
@pytest.mark.parametrize("service", EVERY)
def test_a_code_means_the_same_of_every_provider(outcomes: Any, service: str, code: str) -> None:
    _, means, after = WHAT_CODES_MEAN[code]
    outcome = outcomes[f"{service} {code}"]

    assert (outcome["is"], outcome.get("after")) == (means, after), outcome["said"]


@pytest.mark.parametrize("service", EVERY)
def test_nothing_of_a_secret_is_shown(outcomes: Any, service: str) -> None:
    for name, outcome in outcomes.items():
        for hidden in (TOKEN, KEY, SECRET, AUTH):
            assert hidden not in outcome["said"] + outcome["shown"] + outcome["lane"], name


@pytest.mark.parametrize("service", ["dingtalk", "wecom", "feishu", "lark"])
def test_a_name_calls_nobody_and_links_to_nothing(outcomes: Any, service: str) -> None:
    (text,) = texts(outcomes[f"{service} hostile"])

    assert "<at" not in text
    assert "<@" not in text
    assert "@all" not in text
    assert "](" not in text
    assert "://evil" not in text
    assert OWN_LINK in text, "our own link can be opened"
    assert text.replace(_markdown.JOINER, "").startswith(HOSTILE), "and all of it can be read"


def test_what_is_read_aloud_is_said_in_words(outcomes: Any) -> None:
    assert texts(outcomes["twilio call hostile"]) == ["<Response><Say>In words.</Say></Response>"]


@pytest.mark.parametrize("service", ["twilio", "vonage", "kavenegar"])
def test_an_sms_is_one_message_of_two_segments(outcomes: Any, service: str) -> None:
    (text,) = texts(outcomes[f"{service} long"])

    assert text.startswith("E-000000")
    assert _segments.segments(text) <= _segments.SEGMENTS_MAX
    assert len(text) <= 160


@pytest.mark.parametrize(
    ("service", "most", "of"),
    [
        ("wecom", 2048, "bytes"),
        *((one, 20_000, "bytes of request") for one in ("dingtalk", "feishu", "lark")),
        ("pagerduty", 1024, "characters"),
        ("pushover", 1024, "characters"),
    ],
)
def test_a_long_notice_fits_and_begins_with_what_matters(
    outcomes: Any, service: str, most: int, of: str
) -> None:
    outcome = outcomes[f"{service} long"]
    parts = texts(outcome)

    assert outcome["is"] == "accepted"
    assert 1 < len(parts) <= _sized.PARTS_MAX
    bodies = {
        "bytes": [part.encode() for part in parts],
        "bytes of request": [one["body"] for one in outcome["came"]],
        "characters": parts,
    }[of]
    assert max(len(one) for one in bodies) <= most
    if service == "pushover":  # whose messages have a title
        titles = [parse_qs(one["body"])["title"][0] for one in outcome["came"]]
        assert {*titles} == {LONG.partition("\n")[0]}
        parts[0] = f"{titles[0]}\n{parts[0]}"
    assert parts[0].startswith("E-000000")
    told = "\n".join(parts).removesuffix(f"\n{_sized.MARK}")
    assert LONG.startswith(told), "in order, cut at a line"
    assert parts[-1].endswith(_sized.MARK) == (told != LONG.rstrip()), "what is cut off shows"


def test_a_part_that_arrived_makes_a_repeat_of_the_next_try(outcomes: Any) -> None:
    lost, refused = outcomes["second part lost"], outcomes["first part refused"]

    assert (lost["is"], lost["after"], len(lost["came"])) == ("perhaps", 60, 2)
    assert (refused["is"], len(refused["came"])) == ("refused", 1), "the second part is not sent"


def test_dingtalk_is_signed_and_has_its_keyword(outcomes: Any) -> None:
    (one,) = outcomes["signed dingtalk"]["came"]
    query = parse_qs(urlsplit(one["line"].split()[1]).query)
    stamp = query["timestamp"][0]
    digest = hmac.digest(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), "sha256")

    assert query["access_token"] == [TOKEN]
    assert query["sign"] == [base64.b64encode(digest).decode()]
    assert texts(outcomes["signed dingtalk"])[0].endswith("\n机房")


def test_feishu_is_signed_and_has_its_keyword_already(outcomes: Any) -> None:
    (one,) = outcomes["signed feishu"]["came"]
    data = json.loads(one["body"])
    stamp = str(int(NOW.timestamp()))
    digest = hmac.digest(f"{stamp}\n{SECRET}".encode(), b"", "sha256")

    assert (data["timestamp"], data["sign"]) == (stamp, base64.b64encode(digest).decode())
    assert data["content"]["text"] == TEXT.rstrip()


@pytest.mark.parametrize("service", EVERY)
def test_an_end_is_told_as_a_beginning_is(outcomes: Any, service: str) -> None:
    outcome = outcomes[f"{service} end"]

    assert outcome["is"] == "accepted", outcome["said"]
    assert "E-000042" in texts(outcome)[0]


def test_each_robot_has_a_lane_of_its_own_and_a_country(outcomes: Any) -> None:
    assert outcomes["dingtalk 500"]["lane"].startswith("dingtalk/")
    assert outcomes["twilio 500"]["lane"] == "apprise/twilio"
    assert {name: outcomes[f"{name} 500"]["country"] for name in ("dingtalk", "wecom", "feishu", "lark")} == {
        "dingtalk": "CN", "wecom": "CN", "feishu": "CN", "lark": "SG"
    }  # fmt: skip


def test_what_is_known_word_by_word_is_tested() -> None:
    tested = {str(entry.get("apprise", "")).partition("://")[0] for entry in EVERY.values()} - {""}
    assert set(_answers.MEANS) == tested | {"dingtalk", "wecombot", "feishu", "lark", "nexmo"}
