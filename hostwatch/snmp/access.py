"""What is written about an agent: where it is, and what lets us ask it: a community (v2c) or a user (v3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from hostwatch.checks import base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import DeviceAddress, Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section
from hostwatch.snmp.usm import User

PORT: Final = 161
TIMEOUT_DEFAULT: Final = timedelta(seconds=5)
RETRIES_MAX: Final = 10
USER_BYTES_MAX: Final = 32
PASSWORD_CHARS_MIN: Final = 8
"""Shorter ones are refused by agents too (RFC 3414, 11.2)."""

Auth = Literal["md5", "sha-1", "sha-224", "sha-256", "sha-384", "sha-512"]
Privacy = Literal["aes-128", "aes-192", "aes-256", "aes-192-c", "aes-256-c", "des", "none"]


class Access(Section):
    """Where an agent is, and how it is asked."""

    address: DeviceAddress
    """The address of the agent: of the card in the UPS, say. Names are not looked up here."""

    port: base.Port = PORT
    """Its port, by UDP."""

    community: Secret | None = None
    """For SNMP v2c: what stands in for a password, and can be read by all on the way."""

    user: Text | None = None
    """For SNMP v3, instead of a community: the user."""

    auth: Auth = "sha-256"
    """How messages are signed. MD5 and SHA-1 are weak, and all that some cards have."""

    auth_password: Secret | None = None
    """The user's password for that: 8 characters or more."""

    privacy: Privacy = "aes-128"
    """How messages are encrypted; `none`: they are signed alone. What ends with `-c` is as Cisco has it."""

    privacy_password: Secret | None = None
    """The user's password for that: 8 characters or more."""

    timeout: Annotated[Duration, between("100ms", "1m")] = TIMEOUT_DEFAULT
    """How long the whole look may take, whatever the agent does."""

    retries: Annotated[int, Field(ge=0, le=RETRIES_MAX, strict=True)] = 2
    """How often a question is sent again within that time: datagrams get lost."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Access:
        if (self.community is None) == (self.user is None):
            raise Wrong(
                "needs either a community (v2c) or a user (v3)",
                "write community: {file: …}, or user, auth_password and privacy_password",
            )
        passwords = {"auth_password": self.auth_password, "privacy_password": self.privacy_password}
        if self.user is None:
            given = [name for name, secret in passwords.items() if secret is not None]
            if given:
                raise Wrong(f"has {given[0]} without a user", "write user:, or remove it")
            return self
        if len(self.user.encode()) > USER_BYTES_MAX:
            raise Wrong("has a user with too long a name", f"write at most {USER_BYTES_MAX} bytes")
        if self.privacy == "none" and passwords.pop("privacy_password") is not None:
            raise Wrong("has privacy: none, and a privacy_password", "remove one of the two")
        for name, secret in passwords.items():
            if secret is None:
                raise Wrong(f"has a user, and no {name}", f"write {name}: {{file: …}}")
            if 0 < len(secret.reveal()) < PASSWORD_CHARS_MIN:
                raise Wrong(
                    f"has less than {PASSWORD_CHARS_MIN} characters in its {name}",
                    "agents refuse that as well: choose a longer one",
                )
        return self

    @property
    def user_3(self) -> User | None:
        """Who asks by v3; None for v2c."""
        if self.user is None:
            return None
        private = self.privacy != "none" and self.privacy_password is not None
        return User(
            self.user.encode(),
            self.auth,
            self.auth_password.reveal().encode() if self.auth_password is not None else b"",
            self.privacy if private else "",
            self.privacy_password.reveal().encode() if private and self.privacy_password else b"",
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        kept = (self.community, self.auth_password, self.privacy_password)
        return tuple(secret.reveal() for secret in kept if secret is not None)
