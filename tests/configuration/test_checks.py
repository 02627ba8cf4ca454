"""Where checks may go, as it may be written, and as it may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.configuration.checks import NEVER, PORTS_DEFAULT, Checks, Server


def test_without_a_word_names_lead_to_the_device_alone() -> None:
    assert (Checks().networks, Checks().never, Checks().resolvers) == ((), (), ())
    assert {21, 25, 80, 443} < {*PORTS_DEFAULT} == {*Checks().ports}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("192.0.2.53", "192.0.2.53"),
        ("192.0.2.53:53", "192.0.2.53"),
        ("192.0.2.53:5353", "192.0.2.53:5353"),
        ("2001:db8::53", "2001:db8::53"),
        ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ("127.0.0.53", "127.0.0.53"),
    ],
)
def test_name_servers(written: str, shown: str) -> None:
    (server,) = Checks.model_validate({"resolvers": [written]}).resolvers
    assert str(server) == shown
    assert Checks.model_validate({"resolvers": [shown]}).resolvers == (server,)


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_what_is_shown_of_a_name_server_is_read_again(address: Any, port: int) -> None:
    if not address.is_unspecified and not address.is_multicast:
        server = Server(address, port)
        assert Checks.model_validate({"resolvers": [str(server)]}).resolvers == (server,)


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ({"resolvers": ["ns.example.test"]}, "is not the address of a name server"),
        ({"resolvers": ["0.0.0.0"]}, "is not the address of a name server"),
        ({"resolvers": ["192.0.2.53:0"]}, "is not the address of a name server"),
        ({"resolvers": ["192.0.2.53:99999"]}, "is not the address of a name server"),
        ({"resolvers": [5]}, "is not the address of a name server"),
        ({"networks": ["203.0.113.7/24"]}, "has bits beyond its length"),
        ({"networks": ["www.example.test"]}, "is not a network"),
        ({"networks": [5]}, "is not a network"),
        ({"networks": ["127.0.0.1"]}, "where no name may ever lead"),
        ({"networks": ["169.254.169.254/32"]}, "where clouds keep their metadata"),
        ({"networks": ["64:ff9b::/96"]}, "IPv4 behind a translator"),
        ({"ports": [0]}, "greater than or equal to 1"),
        ({"at_once": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(written: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        Checks.model_validate(written)


@pytest.mark.parametrize("network", [*NEVER])
def test_what_is_never_allowed_cannot_be_written(network: str) -> None:
    with pytest.raises(ValidationError, match="where no name may ever lead"):
        Checks.model_validate({"networks": [network]})
    assert Checks.model_validate({"never": [network]})
