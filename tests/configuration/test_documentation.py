"""The page about the configuration tells of every setting, and its example works."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel

from hostwatch.configuration import load, mistake, secret, source
from hostwatch.configuration.customer import Contact, Customer, Device, Terms
from hostwatch.configuration.method import Witness
from hostwatch.configuration.model import Configuration, Log, Metrics, Notices, Schedule, Site
from hostwatch.configuration.uplink import Uplink

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
PARTS: dict[str, type[BaseModel]] = {
    "": Configuration,
    "site.": Site,
    "log.": Log,
    "metrics.": Metrics,
    "schedule.": Schedule,
    "notices.": Notices,
    "uplinks[].": Uplink,
    "customers[].": Customer,
    "customers[].terms.": Terms,
    "contacts[].": Contact,
    "devices[].": Device,
    "devices[].witness.": Witness,
}


def test_every_setting_is_told_of() -> None:
    settings = [f"{prefix}{name}" for prefix, model in PARTS.items() for name in model.model_fields]
    grouped = {
        "site",
        "log",
        "metrics",
        "schedule",
        "notices",
        "uplinks",
        "customers",
        "customers[].terms",
        "devices[].witness.mac",
    }

    assert [name for name in settings if name not in grouped and f"`{name}`" not in PAGE] == []


def test_no_setting_is_told_of_that_does_not_exist() -> None:
    settings = {f"{prefix}{name}" for prefix, model in PARTS.items() for name in model.model_fields}
    told = re.findall(r"^\| `([a-z_.\[\]]+)` \|", PAGE, re.MULTILINE)

    assert len(told) > 30
    assert [name for name in told if name not in settings] == []


def test_its_example_works(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(site:.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "h.yaml"
    path.write_text(example)

    assert load.load(path).warnings == ()


def test_its_limits_are_the_real_ones() -> None:
    limits = [
        f"| a file | {source.FILE_BYTES_MAX // 2**20} MiB |",
        f"| included files | {load.INCLUDED_FILES_MAX:,} |",
        f"| values in all files | {source.NODES_MAX:,} |",
        f"| lists and mappings in each other | {source.DEPTH_MAX} levels |",
        f"| a secret | {secret.SECRET_BYTES_MAX // 1024} KiB |",
        f"| mistakes shown | {mistake.MISTAKES_MAX:,}; more are counted |",
    ]

    assert [line for line in limits if line not in PAGE] == []
