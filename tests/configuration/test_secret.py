"""Secrets are read from where they are kept, and shown nowhere."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

from hostwatch.configuration import canonical, difference
from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.configuration.secret import SECRET_BYTES_MAX, Secret

CANARY = "canary-7c1f0e"
TEXT = """\
site: {name: Here, timezone: UTC}
store: sqlite:///h.db
mail: {smtp: "smtps://mail.dc.example", from: noc@dc.example, username: noc, password: %s}
"""


def write(folder: Path, password: str, secret: bytes | None = None, mode: int = 0o600) -> Path:
    if secret is not None:
        kept = folder / "kept"
        kept.write_bytes(secret)
        kept.chmod(mode)
    path = folder / "h.yaml"
    path.write_text(TEXT % password)
    return path


def password(found: Loaded) -> Secret:
    secret = getattr(found.configuration.mail, "password", None)
    assert isinstance(secret, Secret)
    return secret


def refusal(path: Path, environment: Mapping[str, str] | None = None) -> str:
    with pytest.raises(BadConfiguration) as bad:
        load(path, environment=environment or {})
    assert CANARY not in str(bad.value)
    assert CANARY not in repr(bad.value)
    (mistake,) = bad.value.mistakes
    assert mistake.key == "mail.password"
    return mistake.wrong


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_file_beside_the_configuration(tmp_path: Path, ending: bytes) -> None:
    found = load(write(tmp_path, "{file: kept}", CANARY.encode() + ending))

    assert password(found).reveal() == CANARY
    assert found.warnings[0].key == "customers"
    assert len(found.warnings) == 1


def test_only_one_newline_is_taken_for_the_editors(tmp_path: Path) -> None:
    assert password(load(write(tmp_path, "{file: kept}", b"two\n\n"))).reveal() == "two\n"


def test_an_environment_variable(tmp_path: Path) -> None:
    found = load(write(tmp_path, "{env: SMTP_PASSWORD}"), environment={"SMTP_PASSWORD": CANARY})

    assert password(found).reveal() == CANARY


def test_a_systemd_credential(tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text(CANARY)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert password(load(write(tmp_path, "{credential: smtp}"), environment=environment)).reveal() == CANARY


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o606, 0o601])
def test_a_file_that_everybody_may_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, "{file: kept}", CANARY.encode(), mode)

    assert refusal(path) == "every user of this machine may reach the secret in kept"


def test_a_file_that_the_group_may_read_is_warned_about(tmp_path: Path) -> None:
    found = load(write(tmp_path, "{file: kept}", CANARY.encode(), 0o640))

    assert [str(warning) for warning in found.warnings if warning.key == "mail.password"] == [
        f"{tmp_path}/h.yaml:3: mail.password: the secret's file may be read by its group, run: chmod 600 kept"
    ]


@pytest.mark.parametrize(
    ("secret", "wrong"),
    [
        (b"", "the secret in kept is empty"),
        (b"\n", "the secret in kept is empty"),
        (b"\xff", "the secret in kept is not text in UTF-8"),
        (b"x" * (SECRET_BYTES_MAX + 1), "cannot read the secret in kept: the file is larger than 64 KiB"),
    ],
)
def test_what_is_no_secret_is_refused(tmp_path: Path, secret: bytes, wrong: str) -> None:
    assert refusal(write(tmp_path, "{file: kept}", secret)) == wrong


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (CANARY, "a secret may not stand in the configuration itself"),
        (f"[{CANARY}]", "a secret may not stand in the configuration itself"),
        ("12345678", "a secret may not stand in the configuration itself"),
        (f"{{file: kept, env: {CANARY}}}", "does not say where the secret is kept"),
        (f"{{env: '{CANARY} {CANARY}'}}", "does not say where the secret is kept"),
        ("{credential: ../smtp}", "does not say where the secret is kept"),
        ("{env: EMPTY}", "the environment variable EMPTY is empty"),
        ("{env: LONG}", "the environment variable LONG is larger than 64 KiB"),
        ("{env: ABSENT}", "the environment variable ABSENT is not set"),
        ("{credential: smtp}", "there is no credential smtp: CREDENTIALS_DIRECTORY is not set"),
    ],
)
def test_where_it_is_kept_must_be_said(tmp_path: Path, written: str, wrong: str) -> None:
    environment = {"EMPTY": "", "LONG": "x" * (SECRET_BYTES_MAX + 1)}

    assert refusal(write(tmp_path, written), environment) == wrong


def test_a_secret_shows_itself_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, "{file: kept}", CANARY.encode())
    found = load(path)
    (tmp_path / "kept").write_text(f"{CANARY}-other")
    changed = load(path)
    configuration, secret = found.configuration, password(found)
    logging.getLogger("hostwatch").warning("%s %r", configuration, secret)

    shown = [
        repr(found),
        str(configuration),
        f"{secret} {secret!r} {secret!s:>10}",
        configuration.model_dump_json(),
        json.dumps(configuration.model_dump(mode="json"), default=str),
        repr(configuration.model_dump()),
        str(configuration.mail.model_dump() if configuration.mail else ""),
        repr(difference.describe(None, configuration)),
        repr(difference.describe(configuration, changed.configuration)),
        repr(difference.public_content(canonical.tree(configuration), lambda personal: personal)),
        repr(canonical.tree(configuration)),
        caplog.text,
    ]

    assert [text for text in shown if CANARY in text] == []


def test_a_secret_that_changed_is_a_change_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, "{file: kept}", CANARY.encode())
    before = load(path)
    (tmp_path / "kept").write_text("another")
    after = load(path)

    assert difference.describe(before.configuration, after.configuration) == (
        difference.Change(path="mail.password", before="***", after="***"),
    )
    assert before.digest == after.digest


def test_a_secret_never_leaves_the_process_by_pickling() -> None:
    with pytest.raises(TypeError, match="cannot pickle a secret"):
        pickle.dumps(Secret(CANARY))


def test_copies_of_a_secret_are_itself() -> None:
    secret = Secret(CANARY)

    assert copy.deepcopy(secret) is secret
    assert copy.copy(secret) is secret
    assert secret != CANARY
    assert hash(secret) == hash(Secret(CANARY))


def test_a_configuration_can_be_checked_where_its_secrets_are_not(tmp_path: Path) -> None:
    assert password(load(write(tmp_path, "{env: ABSENT}"), environment={}, read_secrets=False)).reveal() == ""
