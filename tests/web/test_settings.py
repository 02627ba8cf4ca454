"""What may stand under `web:` and `api:`; the rest is refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.configuration.secret import Places
from hostwatch.configuration.web import Api, Web

URL = {"url": "https://status.dc.example"}
PLACES = Places(environment={"A": "a" * 20, "B": "b" * 20, "SHORT": "a" * 19, "ODD": "a b" * 10})


def token(**more: Any) -> dict[str, Any]:
    return {"name": "noc", "secret": {"env": "A"}, "operator": True, **more}


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({}, "Field required"),
        ({"url": "http://status.dc.example"}, "who reads along could acknowledge for others"),
        ({"url": "https://a:b@status.dc.example"}, "no web address of pages"),
        ({"url": "https://status.dc.example/?a"}, "no web address of pages"),
        ({"url": "https://status.dc.example/a b"}, "longer or odder"),
        ({"url": "https://status.dc.example/" + "a" * 80}, "longer or odder"),
        ({"url": "https://status.dc.example:99999"}, "is no web address"),
        ({"url": "javascript:alert(1)"}, "no web address of pages"),
        ({**URL, "listen": "0.0.0.0:8470"}, "in plain text"),
        ({**URL, "listen": "status:8470"}, "is not an address and a port"),
        ({**URL, "proxies": ["proxy.example"]}, "neither an address nor a network"),
        ({**URL, "links_valid": "2y"}, "links_valid"),
        ({**URL, "requests_per_minute": 0}, "requests_per_minute"),
    ],
)
def test_what_is_no_desk_is_refused(value: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        Web.model_validate(value)


@pytest.mark.parametrize(
    "value",
    [
        URL,
        {"url": "http://127.0.0.1:8470"},
        {"url": "https://[2001:db8::1]:8443/hostwatch"},
        {**URL, "listen": "0.0.0.0:8470", "unprotected": True},
        {**URL, "listen": "[::]:8443", "tls": {"certificate": "a.pem", "key": "a.key"}},
        {**URL, "proxies": ["10.0.0.0/24", "::1"]},
    ],
)
def test_what_is_one_is_taken(value: dict[str, Any]) -> None:
    assert Web.model_validate(value).at.port in (8470, 8443)


@pytest.mark.parametrize(
    ("tokens", "wrong"),
    [
        ([token(operator=False)], "is nobody's, or of two"),
        ([token(customer="acme")], "is nobody's, or of two"),
        ([token(secret={"env": "SHORT"})], "can be guessed"),
        ([token(secret={"env": "ODD"})], "cannot be sent"),
        ([token(secret="a" * 20)], "may not stand in the configuration itself"),
        ([token(rights=["everything"])], "rights"),
        ([token(), token(secret={"env": "B"})], "two tokens have one name"),
        ([token(), token(name="other")], "two tokens have one secret"),
    ],
)
def test_a_token_that_is_none_is_refused(tokens: list[dict[str, Any]], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        Api.model_validate({"tokens": tokens}, context=PLACES)


def test_a_token_looks_and_does_no_more_unless_it_may() -> None:
    (one,) = Api.model_validate({"tokens": [token()]}, context=PLACES).tokens
    assert one.rights == ("look",)
    assert "a" * 20 not in repr(one) + one.model_dump_json()
