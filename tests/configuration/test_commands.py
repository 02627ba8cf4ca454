"""`check-config` and `config-schema` as they are run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import ModuleType

import pytest

from hostwatch.commands import check_config, config_schema

PROJECT = Path(__file__).parents[2]


def run(command: ModuleType, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    code: int = command.run(parser.parse_args(words))
    return code


def test_a_valid_configuration_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    path = PROJECT / "config/example.yaml"

    assert run(check_config, str(path)) == 0

    said = capsys.readouterr()
    assert said.out.startswith(f"{path} is valid\n")
    assert [line.split("│")[1:3] for line in said.out.splitlines() if "│" in line] == [
        [" customers ", " 2 "],
        [" contacts  ", " 2 "],
        [" devices   ", " 5 "],
        [" warnings  ", " 0 "],
    ]
    assert said.err == ""


def test_a_bad_one_is_told_on_stderr(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "h.yaml"
    path.write_text("site: {name: Here}\nstore: x\n")

    assert run(check_config, str(path)) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert [line.partition(", ")[0] for line in said.err.splitlines()] == [
        f"{path}:1: site.timezone: is missing",
        f"{path}:2: store: is not a store that is known here",
        "cannot use this configuration: 2 mistakes",
    ]


def test_warnings_do_not_make_it_bad(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "h.yaml"
    path.write_text("site: {name: Here, timezone: UTC}\nstore: sqlite:///h.db\n")

    assert run(check_config, str(path)) == 0
    assert capsys.readouterr().err.startswith(f"warning: {path}:1: customers: nobody is watched for")


def test_both_answers_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "h.yaml"
    path.write_text("site: {name: Here}\nstore: sqlite:///h.db\n")

    assert run(check_config, "--json", str(PROJECT / "config/example.yaml")) == 0
    good = json.loads(capsys.readouterr().out)
    assert run(check_config, "--json", str(path)) == 1
    bad = json.loads(capsys.readouterr().out)

    assert (good["valid"], good["devices"], good["warnings"]) == (True, 5, [])
    assert bad["valid"] is False
    assert bad["mistakes"] == [
        {
            "file": str(path),
            "line": 1,
            "key": "site.timezone",
            "wrong": "is missing",
            "mend": "add it",
            "text": f"{path}:1: site.timezone: is missing, add it",
        }
    ]


def test_secrets_can_be_left_aside(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    path = str(PROJECT / "config/hostwatch.yaml")

    assert run(check_config, path) == 1
    assert "there is no credential smtp-password" in capsys.readouterr().err
    assert run(check_config, "--without-secrets", path) == 0


@pytest.mark.parametrize(
    ("words", "title"), [((), "hostwatch configuration"), (("--customer",), "hostwatch customer")]
)
def test_the_schema_is_json(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], title: str) -> None:
    assert run(config_schema, *words) == 0
    assert json.loads(capsys.readouterr().out)["title"] == title


def test_where_the_carrier_is_not_looked_at_it_hints_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    devices = "customers: [{id: a, name: A, devices: [{id: d, address: 192.0.2.1}]}]\n"
    uplinks = "uplinks: [{id: u, name: U, references: [198.51.100.1, 198.51.100.2, 198.51.100.3]}]\n"
    path = tmp_path / "h.yaml"
    hints = []
    for more in (devices, devices + uplinks):
        path.write_text("site: {name: Here, timezone: UTC}\nstore: sqlite:///h.db\n" + more)
        assert run(check_config, "--json", str(path)) == 0
        hints.append(json.loads(capsys.readouterr().out)["hints"])
        assert run(check_config, str(path)) == 0
        assert ("\nhint: " in capsys.readouterr().out) == bool(hints[-1])

    assert hints == [[check_config.NO_UPLINKS], []]
