"""What the checks of a service make of it, and how a service is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from hostwatch import checks
from hostwatch.checkers.protocol import Define, Written, encoded, to_checkers
from hostwatch.checkers.services import Check, Require, Service, combined, defined, restored, written
from hostwatch.checks.base import Finding, Step
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section
from hostwatch.core.reading import Outcome
from tests.checkers.conftest import service

A, M, U = Outcome.ANSWERED, Outcome.MISSED, Outcome.UNKNOWN


def finding(outcome: Outcome, kind: str = "http") -> Finding:
    why = {A: "", M: "connection refused", U: "no resolver answers"}[outcome]
    return Finding(kind=kind, outcome=outcome, step=None if outcome is A else Step.CONNECT, why=why)


@pytest.mark.parametrize(
    ("require", "outcomes", "expected"),
    [
        # all must run: one miss decides, then one that is not known
        ("all", [A, A], A),
        ("all", [A, M], M),
        ("all", [A, U], U),
        ("all", [U, M], M),
        ("all", [U, U], U),
        # any is enough: one answer decides, then one that is not known
        ("any", [A, M], A),
        ("any", [U, A], A),
        ("any", [M, U], U),
        ("any", [M, M], M),
        ("any", [U], U),
    ],
)
def test_the_checks_of_a_service_decide_together(
    require: Require, outcomes: list[Outcome], expected: Outcome
) -> None:
    assert combined(require, [finding(one) for one in outcomes])[0] is expected


def test_the_sentence_is_that_of_the_checks_that_decided() -> None:
    found = [finding(A, "tls"), finding(M, "http"), finding(U, "dns"), finding(M, "smtp")]
    assert combined("all", found) == (
        M,
        "http: connect: connection refused; smtp: connect: connection refused",
    )
    assert combined("any", found) == (A, "")
    assert combined("any", found[1:3]) == (U, "dns: connect: no resolver answers")


def test_the_sentence_is_told_once_and_bounded() -> None:
    assert combined("all", [finding(M)] * 3)[1] == "http: connect: connection refused"
    long = [Finding(kind="http", outcome=M, why=f"{place}" * 200) for place in range(9)]
    assert len(combined("all", long)[1]) <= 500


@pytest.mark.parametrize("kind", checks.kinds())
def test_settings_of_every_kind_come_as_they_were_sent(kind: str) -> None:
    example = YAML(typ="safe").load(checks.room(kind).EXAMPLE)
    assert [*example] == [kind]
    example = _with_secrets(example[kind])
    settings = checks.room(kind).Settings.model_validate(example)
    sent = encoded(defined("k", Service("it", (Check(kind, settings),))))

    define = to_checkers(sent[4:])

    assert isinstance(define, Define)
    (came,) = restored(define).checks
    assert (came.kind, came.settings) == (kind, settings)


def _with_secrets(value: Any) -> Any:
    """An example with secrets instead of the places where they are kept."""
    match value:
        case {"file": str(name)} | {"env": str(name)} | {"credential": str(name)} if len(value) == 1:
            return Secret(name)
        case dict():
            return {name: _with_secrets(inside) for name, inside in value.items()}
        case list():
            return [_with_secrets(inside) for inside in value]
    return value


class Login(Section):
    name: str
    password: Secret
    others: tuple[Secret, ...] = ()


class Whole(Section):
    login: Login
    by_name: dict[str, Login]
    note: str = "not written, not sent"


def test_secrets_travel_marked_and_are_secrets_again() -> None:
    login = {"name": "probe", "password": Secret("hunter2"), "others": [Secret("a"), Secret("b")]}
    whole = Whole.model_validate({"login": login, "by_name": {"x": login}})
    sent = json.loads(json.dumps(written(whole)))
    marked = {
        "name": "probe",
        "password": {"\0secret": "hunter2"},
        "others": [{"\0secret": "a"}, {"\0secret": "b"}],
    }
    assert sent == {"login": marked, "by_name": {"x": marked}}


def test_what_cannot_be_used_is_refused_without_a_word_of_what_was_written() -> None:
    refused = Define(
        key="k", name="www", require="all", checks=(Written(kind="tcp", settings={"port": "hunter2"}),)
    )
    with pytest.raises(ValidationError) as error:
        restored(refused)
    assert "hunter2" not in str(error.value)
    with pytest.raises(LookupError):
        restored(Define(key="k", name="x", require="all", checks=(Written(kind="gopher", settings={}),)))


def test_settings_that_are_too_deep_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"port": deep}
    with pytest.raises(ValueError, match="20 deep"):
        restored(Define(key="k", name="x", require="all", checks=(Written(kind="tcp", settings=deep),)))


def test_a_service_takes_at_most_as_long_as_its_waves() -> None:
    four, five = [{"port": 80, "timeout": "3s"}] * 4, [{"port": 80, "timeout": "3s"}] * 5
    assert (service(*four).longest.total_seconds(), service(*five).longest.total_seconds()) == (3, 6)
