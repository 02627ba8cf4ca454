"""The page about the configuration tells of every setting, and its example works."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel

from hostwatch import channels
from hostwatch.configuration import load, mistake, secret, service, source
from hostwatch.configuration.checks import Checks
from hostwatch.configuration.customer import Contact, Customer, Device, RunningNotice, Terms
from hostwatch.configuration.method import Witness
from hostwatch.configuration.model import Configuration, ContactCare, Log, Metrics, Notices, Schedule, Site
from hostwatch.configuration.network import Network, Switch
from hostwatch.configuration.packets import Limits, Packets
from hostwatch.configuration.power import Power
from hostwatch.configuration.roster import Rotation
from hostwatch.configuration.service import Service
from hostwatch.configuration.sight import Sight
from hostwatch.configuration.uplink import Uplink
from hostwatch.configuration.web import Api, ApiToken, Tls, Web
from hostwatch.inventory import csv
from hostwatch.stock import check

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
PARTS: dict[str, type[BaseModel]] = {
    "": Configuration,
    "site.": Site,
    "log.": Log,
    "metrics.": Metrics,
    "schedule.": Schedule,
    "packets.": Packets,
    "limits.": Limits,
    "checks.": Checks,
    "notices.": Notices,
    "web.": Web,
    "web.tls.": Tls,
    "api.": Api,
    "api.tokens[].": ApiToken,
    "contacts.": ContactCare,
    "channels.sms.": channels.room("sms").Site,
    "channels.voice.": channels.room("voice").Site,
    "channels.fax.": channels.room("fax").Site,
    "sight.": Sight,
    "uplinks[].": Uplink,
    "power.": Power,
    "switches[].": Switch,
    "network.": Network,
    "services[].": Service,
    "customers[].": Customer,
    "customers[].terms.": Terms,
    "customers[].terms.running_notice.": RunningNotice,
    "contacts[].": Contact,
    "rotations[].": Rotation,
    "devices[].": Device,
    "devices[].witness.": Witness,
}


def test_every_setting_is_told_of() -> None:
    settings = [
        f"{prefix}{info.alias or name}"
        for prefix, model in PARTS.items()
        for name, info in model.model_fields.items()
    ]
    grouped = {
        "site",
        "log",
        "metrics",
        "schedule",
        "packets",
        "limits",
        "checks",
        "notices",
        "contacts",
        "sight",
        "uplinks",
        "power",
        "web",
        "web.tls",
        "api",
        "network",
        "customers",
        "customers[].terms",
        "devices[].witness.mac",
    }

    assert [name for name in settings if name not in grouped and f"`{name}`" not in PAGE] == []


def test_no_setting_is_told_of_that_does_not_exist() -> None:
    settings = {
        f"{prefix}{info.alias or name}"
        for prefix, model in PARTS.items()
        for name, info in model.model_fields.items()
    }
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
        f"| an inventory | {check.FILE_BYTES_MAX // 2**20} MiB |",
        f"| devices in all inventories | {check.DEVICES_MAX:,} |",
        f"| a cell of a table; values of a device in a list | {csv.CELL_CHARS_MAX:,} characters; 1,000 |",
        f"| lists and mappings in each other | {source.DEPTH_MAX} levels |",
        f"| services of a device; checks of a service | {service.SERVICES_MAX}; {service.CHECKS_MAX} |",
        f"| a secret | {secret.SECRET_BYTES_MAX // 1024} KiB |",
        f"| mistakes shown | {mistake.MISTAKES_MAX:,}; more are counted |",
    ]

    assert [line for line in limits if line not in PAGE] == []


def test_its_table_and_its_list_are_inventories(tmp_path: Path) -> None:
    table, lines = re.findall(
        r"^```(?:yaml)?\n(customer,id.*?|devices:.*?)^```", PAGE, re.MULTILINE | re.DOTALL
    )
    (tmp_path / "a.csv").write_text(table)
    (tmp_path / "b.yaml").write_text(lines)
    for name, count in (("a.csv", 3), ("b.yaml", 2)):
        stock = check.check(
            check.Order(folder=tmp_path, files=(name,), customers={"acme": None, "globex": None})
        )
        assert (stock.mistakes, len(stock.index)) == ([], count)
