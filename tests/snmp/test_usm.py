"""The keys of SNMP v3 as the standards give them, and settings that make no sense."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hostwatch.configuration.secret import Secret
from hostwatch.snmp import ber, usm
from hostwatch.snmp.access import Access

ENGINE = bytes.fromhex("000000000000000000000002")
PASSWORD = b"maplesyrup"

KEYS = {
    "md5": "526f5eed9fcce26f8964c2930787d82b",  # RFC 3414, A.3.1
    "sha1": "6695febc9288e36282235fc7151f128497b38f3f",  # RFC 3414, A.3.2
}


@pytest.mark.parametrize("digest", KEYS)
def test_keys_are_those_of_the_standard(digest: str) -> None:
    made = usm._localised(digest, usm._stretched(digest, PASSWORD), ENGINE)
    assert made.hex() == KEYS[digest]


@pytest.mark.parametrize(
    "dotted",
    ["1.3", "0.39.1", "2.999.3", "1.3.6.1.4.1.32473.127.128.16383.16384.4294967295.0"],
)
def test_object_identifiers_are_written_and_read_back(dotted: str) -> None:
    written = ber.name(dotted)
    assert ber.shown(written) == dotted


@pytest.mark.parametrize("body", ["", "80", "2b81", "2b9080808000", "2b" + "01" * 128])
def test_what_is_no_object_identifier(body: str) -> None:
    with pytest.raises(ber.BadBer):
        ber.numbers(bytes.fromhex(body))


SENSELESS: dict[str, tuple[dict[str, object], str]] = {
    "no way in": ({}, "needs either a community (v2c) or a user (v3)"),
    "both ways in": (
        {"community": Secret("lamb"), "user": "ups"}, "needs either a community (v2c) or a user (v3)"
    ),
    "a password of nobody": (
        {"community": Secret("lamb"), "auth_password": Secret("long enough")},
        "has auth_password without a user",
    ),
    "a user without a password": ({"user": "ups"}, "has a user, and no auth_password"),
    "a user whom everybody hears": (
        {"user": "ups", "auth_password": Secret("long enough")}, "has a user, and no privacy_password"
    ),
    "a short password": (
        {"user": "ups", "auth_password": Secret("short"), "privacy": "none"},
        "has less than 8 characters in its auth_password",
    ),
    "privacy and none": (
        {
            "user": "ups", "auth_password": Secret("long enough"), "privacy": "none",
            "privacy_password": Secret("long enough"),
        },
        "has privacy: none, and a privacy_password",
    ),
    "a long name": (
        {"user": "u" * 33, "auth_password": Secret("long enough"), "privacy": "none"},
        "has a user with too long a name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SENSELESS)
def test_settings_that_make_no_sense(what: str) -> None:
    written, why = SENSELESS[what]
    with pytest.raises(ValidationError, match=why.replace("(", r"\(").replace(")", r"\)")):
        Access.model_validate({"address": "192.0.2.5", **written})


def test_secrets_are_not_shown() -> None:
    access = Access.model_validate({"address": "192.0.2.5", "community": Secret("not for you")})
    assert "not for you" not in repr(access) + repr(access.user_3)
    user = Access.model_validate(
        {"address": "192.0.2.5", "user": "ups", "auth_password": Secret("not for you"), "privacy": "none"}
    )
    assert "not for you" not in repr(user) + repr(user.user_3)
