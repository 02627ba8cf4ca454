"""What may be written about an upsd, and what is refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.configuration.secret import Places
from hostwatch.power import nut

SECRET = {"env": "PASSWORD"}


def written(**more: Any) -> nut.Settings:
    context = Places(environment={"PASSWORD": "secret word", "BROKEN": "two\nlines"})
    return nut.Settings.model_validate({"address": "192.0.2.5", "ups": "ups1", **more}, context=context)


def test_what_is_enough() -> None:
    found = written()

    assert (str(found.address), found.port, found.ups, found.outlets) == ("192.0.2.5", 3493, "ups1", None)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"ups": "ups 1"}, "is not the name of a UPS"),
        ({"ups": ""}, "is not the name of a UPS"),
        ({"ups": "ups1\nFSD ups1"}, "is not the name of a UPS"),
        ({"user": "watch"}, "has a user or a password, and not both"),
        ({"password": SECRET}, "has a user or a password, and not both"),
        ({"user": "watch", "password": SECRET}, "would send the password without TLS"),
        (
            {"user": "watch", "password": SECRET, "starttls": {"verify": False}},
            "would send the password without TLS",
        ),
        ({"user": "watch", "password": {"env": "BROKEN"}, "starttls": {}}, "holds a control character"),
        ({"user": "watch", "password": "secret word", "starttls": {}}, "may not stand in the configuration"),
        ({"outlets": 201}, "less than or equal to 200"),
        ({"address": "ups.example.com"}, "is not an IP address"),
    ],
)
def test_what_is_refused(more: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        written(**more)


@pytest.mark.parametrize("more", [{"starttls": {}}, {"unprotected_login": True}])
def test_a_password_goes_where_it_cannot_be_read_or_where_somebody_said_so(more: dict[str, Any]) -> None:
    found = written(user="watch", password=SECRET, **more)

    assert found.password is not None
    assert "secret word" not in f"{found!r} {found.model_dump()}"
