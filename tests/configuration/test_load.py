"""Whole configurations: what is taken, what is refused all at once, and what is only worth a warning."""

from __future__ import annotations

import os
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from textwrap import dedent

import pytest

from hostwatch import channels
from hostwatch.configuration import load as loading
from hostwatch.configuration import source
from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.configuration.population import planning_of, population_of
from hostwatch.core.device import State
from hostwatch.stock.check import Order, check

PROJECT = Path(__file__).parents[2]

ISSUED = """\
site: {name: Chengdu 1, timezone: Asia/Shanghai}
store: sqlite:///hostwatch.db
mail: {smtp: "smtp://127.0.0.1:2525", from: noc@dc.example}
schedule: {interval: 5m, misses: 2}
customers:
  - id: acme
    name: Acme Trading
    language: zh-CN
    contacts:
      - id: duty
        name: Duty officer
        channels:
          - email: ops@acme.example
          - webhook: http://127.0.0.1:9000/hook
          - apprise: json://127.0.0.1:9001/notify
    devices:
      - {id: acme-web-1, address: 127.0.0.2}
      - {id: acme-web-2, address: "::1"}
"""
SMALL = "site: {name: Here, timezone: UTC}\nstore: sqlite:///h.db\n"


def written(folder: Path, text: str, name: str = "h.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


def loaded(folder: Path, text: str) -> Loaded:
    return load(written(folder, text))


def mistakes(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    written(folder, text)
    monkeypatch.chdir(folder)
    with pytest.raises(BadConfiguration) as bad:
        load(Path("h.yaml"))
    return [str(mistake) for mistake in bad.value.mistakes]


def warnings(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    written(folder, text)
    monkeypatch.chdir(folder)
    return [str(warning) for warning in load(Path("h.yaml")).warnings]


def test_the_promised_example_works_as_written(tmp_path: Path) -> None:
    found = loaded(tmp_path, ISSUED)
    configuration = found.configuration
    (customer,) = configuration.customers
    (contact,) = customer.contacts

    assert found.warnings == ()
    assert found.store == tmp_path / "hostwatch.db"
    assert found.control == tmp_path / "hostwatch.db.sock"
    assert configuration.schedule.interval == timedelta(minutes=5)
    assert [rung.kind for rung in contact.channels] == ["email", "webhook", "apprise"]
    assert isinstance(contact.channels[0].settings, channels.room("email").Settings)
    assert list(configuration.site_settings) == ["email"]
    assert [device.address for device in customer.devices] == [ip_address("127.0.0.2"), ip_address("::1")]


@pytest.mark.parametrize("name", ["example.yaml", "hostwatch.yaml"])
def test_the_shipped_files_are_valid_without_a_warning(name: str) -> None:
    found = load(PROJECT / "config" / name, read_secrets=False)

    assert found.warnings == ()
    assert {customer.id for customer in found.configuration.customers} >= {"globex"}


def test_the_example_shows_something_at_once() -> None:
    found = load(PROJECT / "config/example.yaml")

    assert found.configuration.schedule.interval == timedelta(seconds=2)
    assert found.store == PROJECT / "run/example.db"
    assert sum(1 for _ in population_of(found.configuration).watched()) == 3


def test_defaults_shrink_with_the_interval_and_the_time_for_notice(tmp_path: Path) -> None:
    text = SMALL + "schedule: {interval: 500ms}\nnotices: {within: 6s}\n"
    configuration = loaded(tmp_path, text).configuration

    assert configuration.schedule.spacing == timedelta(milliseconds=50)
    assert configuration.schedule.timeout == timedelta(milliseconds=50)
    assert configuration.notices.next_channel_after == timedelta(seconds=2)
    assert configuration.notices.first_retry == timedelta(seconds=2)
    assert configuration.notices.attempt_timeout == timedelta(seconds=2)


def test_defaults_are_those_of_the_agreement(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, SMALL).configuration

    assert configuration.schedule.model_dump(mode="json") == {
        "interval": "5m",
        "misses": 2,
        "attempts": 3,
        "spacing": "1s",
        "timeout": "1s",
        "follow_up": "30s",
        "follow_up_for": "1h",
        "path": "off",
    }
    assert configuration.notices.model_dump(mode="json") == {
        "within": "15m",
        "next_channel_after": "5m",
        "first_retry": "15s",
        "give_up_after": "1d",
        "attempt_timeout": "30s",
        "told": "any",
        "met_by": "accepted",
        "exercises": "allowed",
        "gather": "30s",
        "gather_further": "4m30s",
        "untaken_after": "2m",
        "remind_every": "4h",
        "remind_acknowledged": False,
    }
    assert str(configuration.listen) == "127.0.0.1:9464"


@pytest.mark.parametrize("written_so", ["off", "null", "false", ""])
def test_the_pages_can_be_switched_off(tmp_path: Path, written_so: str) -> None:
    assert loaded(tmp_path, f"{SMALL}listen: {written_so}\n").configuration.listen is None


def test_a_customers_terms_go_before_the_sites(tmp_path: Path) -> None:
    text = SMALL + dedent("""\
        schedule: {interval: 5m, misses: 2}
        customers:
          - id: acme
            name: Acme
            devices:
              - {id: web, address: 127.0.0.2}
              - {id: spare, address: 127.0.0.3, state: ordered}
            terms: {interval: 5s, misses: 3, notice_within: 10m}
    """)
    configuration = loaded(tmp_path, text).configuration
    population = population_of(configuration)
    terms = population.customers["acme"].terms
    schedule = configuration.schedule_of(configuration.customers[0])

    assert (terms.interval, terms.misses) == (timedelta(seconds=5), 3)
    assert terms.notice_within == timedelta(minutes=10)
    assert schedule.spacing == timedelta(milliseconds=500)
    assert configuration.notices_of(configuration.customers[0]).within == timedelta(minutes=10)
    assert population.devices["spare"].state is State.ORDERED
    assert [device.id for _, device in population.watched()] == ["web"]


def test_a_hundred_customers_are_a_hundred_files(tmp_path: Path) -> None:
    for number in reversed(range(100)):
        written(tmp_path, f"id: c{number:02}\nname: Customer\n", f"customers.d/{number:02}.yaml")
    found = loaded(tmp_path, SMALL + "include: customers.d/*.yaml\ncustomers: [{id: own, name: Own}]\n")

    expected = ["own", *(f"c{number:02}" for number in range(100))]
    assert [customer.id for customer in found.configuration.customers] == expected


def test_a_file_that_two_patterns_fit_is_read_once(tmp_path: Path) -> None:
    written(tmp_path, "id: acme\nname: Acme\n", "acme.yaml")
    found = loaded(tmp_path, SMALL + "include: [acme.yaml, 'ac*.yaml', 'nothing-*.yaml']\n")

    assert [customer.id for customer in found.configuration.customers] == ["acme"]


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "id: acme\nname: Acme\nlanguage: fr\n", "customers.d/a.yaml")
    written(tmp_path, "id: acme\nname: [a\nlanguage: en\n", "customers.d/b.yaml")
    written(tmp_path, "id: acme\ndevices:\n  - {id: web}\n  - {id: web, adress: ::1}\n", "customers.d/c.yaml")
    text = """\
        site: {name: Here, timezone: Mars/Olympus}
        store: sqlite:///h.db
        sight: [127.0.0.1, nowhere]
        include: customers.d/*.yaml
        schedule: {interval: 5m, interval: 6m}
        """

    assert mistakes(tmp_path, text, monkeypatch) == [
        "customers.d/a.yaml:3: customers[acme].language: is not a language that notices are written in, "
        "write one of en, zh-CN",
        "customers.d/b.yaml:2: the bracket [ is not closed properly, write a comma or ]",
        "customers.d/c.yaml:1: customers[acme].id: another customer has this id, in customers.d/a.yaml:1, "
        "choose one that is unique in the site",
        "customers.d/c.yaml:1: customers[acme].name: is missing, add it",
        "customers.d/c.yaml:3: customers[acme].devices[web].address: is missing, add it",
        "customers.d/c.yaml:4: customers[acme].devices[web].address: is missing, add it",
        "customers.d/c.yaml:4: customers[acme].devices[web].adress: is not known here, did you mean address?",
        "customers.d/c.yaml:4: customers[acme].devices[web].id: another device has this id, "
        "in customers.d/c.yaml:3, choose one that is unique in the site",
        "h.yaml:1: site.timezone: is not a known time zone, write an IANA name such as Asia/Shanghai or UTC",
        "h.yaml:3: sight[0]: is on loopback, which answers even if we see nothing at all, "
        "write the address of your own gateway",
        "h.yaml:3: sight[1]: is not an IP address, write an IPv4 or IPv6 address such as 192.0.2.7 or "
        '"2001:db8::7"; names are not looked up here',
        "h.yaml:5: schedule.interval: is written twice, first in line 5, remove one of the two",
    ]


def test_a_bad_name_of_a_service_hides_no_other_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """\
        site: {name: Here, timezone: UTC}
        store: sqlite:///h.db
        services:
          Web Pages: {checks: [tcp: 80]}
          email: {checks: [tcp: 65536], misses: 0}
        customers:
          - id: acme
            name: Acme
            devices:
              - id: web
                address: 127.0.0.2
                services:
                  ping:
                  UP: {checks: [tcp: 80]}
                  www: {checks: [tpc: 80, tcp: {port: 80, hots: x}]}
              - {id: db, address: 127.0.0.3, services: [email, ping, email, UP, email]}
        """
    names = "write names such as www, email or ftp: a-z, 0-9, dot, hyphen and underscore"

    assert mistakes(tmp_path, text, monkeypatch) == [
        f"h.yaml:4: services.(a key that is no name): is not the name of a service, {names}",
        "h.yaml:5: services.email.checks[0].tcp: is out of range, write at most 65535",
        "h.yaml:5: services.email.misses: is out of range, write at least 1",
        "h.yaml:13: customers[acme].devices[web].services.ping: is the look at the device itself, "
        "choose another name for the service",
        f"h.yaml:14: customers[acme].devices[web].services.UP: is not the name of a service, {names}",
        "h.yaml:15: customers[acme].devices[web].services.www.checks[0]: tpc is not a check, "
        "did you mean tcp?",
        "h.yaml:15: customers[acme].devices[web].services.www.checks[1].tcp.hots: is not known here, "
        "did you mean host?",
        "h.yaml:16: customers[acme].devices[db].services[1]: is the look at the device itself, "
        "choose another name for the service",
        "h.yaml:16: customers[acme].devices[db].services[2]: is named twice, remove one of the two",
        f"h.yaml:16: customers[acme].devices[db].services[3]: is not the name of a service, {names}",
        "h.yaml:16: customers[acme].devices[db].services[4]: is named twice, remove one of the two",
    ]


def test_warnings_tell_what_is_probably_not_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SMALL + dedent("""\
        customers:
          - id: acme
            name: Acme
            devices:
              - {id: web, address: 192.0.2.1}
              - {id: mail, address: 192.0.2.1}
    """)

    assert warnings(tmp_path, text, monkeypatch) == [
        "h.yaml:1: sight: without it a fault of our own link looks like a fault of every device, "
        "write the address of your own gateway",
        "h.yaml:4: customers[acme].contacts: nobody is told when a device fails, add a contact",
        "h.yaml:8: customers[acme].devices[mail].address: device web has the same address, "
        "if that is meant, write shared: true at this one",
    ]


@pytest.mark.parametrize(
    ("second", "warned"), [("shared: true", 0), ("method: {tcp: 443}", 0), ("state: ordered", 1)]
)
def test_devices_behind_one_address_that_say_so_are_no_cause_for_a_warning(
    tmp_path: Path, second: str, warned: int
) -> None:
    text = ISSUED + f"      - {{id: twin, address: 127.0.0.2, {second}}}\n"

    warnings = [str(warning) for warning in loaded(tmp_path, text).warnings]
    assert sum("has the same address" in warning for warning in warnings) == warned


def test_a_device_keeps_its_method_and_its_witness_on_one_line(tmp_path: Path) -> None:
    fw = "{id: fw, address: 10.0.0.1, method: {tcp: 443}, witness: {mac: 52-54-00-AB-CD-EF}}"
    text = f"{ISSUED}      - {fw}\n"
    devices = population_of(loaded(tmp_path, text).configuration).devices

    assert devices["fw"].method == "tcp port=443 mac=52:54:00:ab:cd:ef"
    assert devices["acme-web-1"].method == "icmp"


def test_the_address_of_a_removed_device_may_be_used_again(tmp_path: Path) -> None:
    text = SMALL + dedent("""\
        mail: {smtp: "smtp://127.0.0.1:2525", from: noc@dc.example}
        customers:
          - id: acme
            name: Acme
            contacts: [{id: duty, name: Duty, channels: [email: ops@acme.example]}]
            devices:
              - {id: old, address: 127.0.0.2, state: removed}
              - {id: far, address: 192.0.2.1, state: removed}
              - {id: new, address: 127.0.0.2}
    """)

    assert loaded(tmp_path, text).warnings == ()


def test_a_site_without_customers_is_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ["h.yaml:1: customers: nobody is watched for, add customers: or include: files with them"]

    assert warnings(tmp_path, SMALL, monkeypatch) == expected


def test_the_digest_follows_the_content_and_not_the_text(tmp_path: Path) -> None:
    first = loaded(tmp_path, ISSUED).digest

    assert loaded(tmp_path, "# a comment\n" + ISSUED.replace("5m", "300s")).digest == first
    assert loaded(tmp_path, ISSUED.replace("5m", "301s")).digest != first


def test_moving_a_customer_into_a_file_is_no_other_content(tmp_path: Path) -> None:
    together = loaded(tmp_path, SMALL + "customers: [{id: acme, name: Acme}]\n")
    written(tmp_path, "id: acme\nname: Acme\n", "acme.yaml")

    assert loaded(tmp_path, SMALL + "include: acme.yaml\n").digest == together.digest


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "#" * (source.FILE_BYTES_MAX + 1)

    assert mistakes(tmp_path, text, monkeypatch) == [
        "h.yaml: the file is larger than 4096 KiB, split it or name another"
    ]


def test_too_many_included_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "INCLUDED_FILES_MAX", 2)
    for number in range(3):
        written(tmp_path, f"id: c{number}\nname: Customer\n", f"{number}.yaml")

    assert mistakes(tmp_path, SMALL + "include: '[0-9].yaml'\n", monkeypatch) == [
        "h.yaml:3: include: more than 2 files are included, split the site"
    ]


def test_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "NODES_MAX", 6)

    assert mistakes(tmp_path, SMALL + "sight: [192.0.2.1]\n", monkeypatch) == [
        "h.yaml:3: more than 6 values in all, split the site"
    ]


def test_mistakes_beyond_a_thousand_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = mistakes(tmp_path, SMALL + "".join(f"x{n}: 1\n" for n in range(1005)), monkeypatch)

    assert len(found) == 1001
    assert found[-1] == "h.yaml: 5 more mistakes are not shown, mend these first"


@pytest.mark.parametrize("kind", ["folder", "pipe", "absent"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "h.yaml"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    expected = {
        "folder": "this is not a regular file, name a file with text in it",
        "pipe": "this is not a regular file, name a file with text in it",
        "absent": "there is no such file, check the path",
    }

    with pytest.raises(BadConfiguration) as bad:
        load(path)

    assert str(bad.value) == f"{path}: {expected[kind]}"


def test_a_new_kind_of_channel_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(
        tmp_path,
        """\
        from typing import ClassVar
        from hostwatch.channels import base

        class Settings(base.Entry):
            shorthand: ClassVar[str] = "number"
            number: str

        class Site(base.SiteEntry):
            modem: str

        def build(settings, surroundings):
            raise NotImplementedError
        """,
        "room/fax_in_test.py",
    )
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path / "room")])
    text = SMALL + dedent("""\
        channels: {fax_in_test: {modem: ttyS0}}
        customers:
          - id: acme
            name: Acme
            contacts: [{id: duty, name: Duty, channels: [fax_in_test: "1234"]}]
    """)

    configuration = loaded(tmp_path, text).configuration
    (rung,) = configuration.customers[0].contacts[0].channels
    without = text.replace("channels: {fax_in_test: {modem: ttyS0}}\n", "")

    assert rung.settings.model_dump() == {"number": "1234"}
    assert configuration.site_settings["fax_in_test"].model_dump() == {"modem": "ttyS0"}
    assert mistakes(tmp_path, without, monkeypatch) == [
        "h.yaml:6: customers[acme].contacts[duty].channels[0]: fax_in_test needs settings of the site, "
        "write channels.fax_in_test: at the top of the main file"
    ]
    assert mistakes(tmp_path, text.replace("modem", "moden"), monkeypatch) == [
        "h.yaml:3: channels.fax_in_test.modem: is missing, add it",
        "h.yaml:3: channels.fax_in_test.moden: is not known here, did you mean modem?",
    ]


DEVICE = (
    "customers: [{id: a, name: A, contacts: [{id: d, name: D, channels: [webhook: 'http://127.0.0.1/']}]}]\n"
)


ALONE = (
    "h.yaml:3: sight: names beacons and no gateway: an outage of the carrier cannot be told from our own "
    "blindness, and all is unknown while it lasts, write the address of your own gateway at gateways:"
)
FEW = (
    "h.yaml:3: sight.beacons: are fewer than 3, and there is no gateway: one that is switched off makes us "
    "blind, add others, or a gateway"
)


@pytest.mark.parametrize(
    ("sight", "told"),
    [
        ("{gateways: [192.0.2.1], beacons: [203.0.113.9]}", []),
        ("{beacons: [203.0.113.9, 203.0.113.10, 203.0.113.11]}", [ALONE]),
        ("{beacons: [203.0.113.9, 203.0.113.10]}", [ALONE, FEW]),
    ],
)
def test_beacons_without_a_gateway_are_worth_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sight: str, told: list[str]
) -> None:
    assert warnings(tmp_path, f"{SMALL}sight: {sight}\n{DEVICE}", monkeypatch) == told


def test_a_beacon_may_be_a_reference_point_of_an_uplink(tmp_path: Path) -> None:
    points = "[203.0.113.1, 203.0.113.2, 203.0.113.3]"
    uplinks = f"uplinks: [{{id: east, name: East, references: {points}}}]\n"

    found = loaded(tmp_path, f"{SMALL}sight: {{gateways: [192.0.2.1], beacons: {points}}}\n{uplinks}")

    assert found.configuration.sight.points.beacons == ("203.0.113.1", "203.0.113.2", "203.0.113.3")
    planning = planning_of(found.configuration)
    assert (planning.sees_gateway, planning.sees_beyond) == (True, True)


def test_where_there_is_nobody_nobody_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SMALL + "sight: [192.0.2.1]\nsilent: [192.0.2.1, 192.0.2.200]\n"

    assert mistakes(tmp_path, text, monkeypatch) == [
        f"h.yaml:{text.count(chr(10))}: silent[0]: is watched for answers elsewhere, "
        "write an address at which there is nobody for sure"
    ]


def test_the_shipped_inventory_is_valid() -> None:
    wanted = Order(folder=PROJECT / "config/inventory", files=("example.csv",), customers={"initech": None})
    stock = check(wanted)

    assert (stock.mistakes, stock.warnings, len(stock.index)) == ([], (), 3)


def test_a_proof_that_no_channel_of_a_contact_can_give_is_worth_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL + dedent("""\
        customers:
          - id: acme
            name: Acme
            terms: {met_by: delivered}
            contacts: [{id: duty, name: Duty, channels: [webhook: "https://hooks.acme.example/x"]}]
    """)

    assert warnings(tmp_path, text, monkeypatch) == [
        "h.yaml:7: customers[acme].contacts[duty].channels: none can prove that a notice was delivered, "
        "as met_by asks for: at best accepted, add a channel that can, or each notice to them will be late",
    ]


@pytest.mark.parametrize(
    ("notices", "terms", "wait", "warned"),
    [
        ("{}", "{}", "5m", []),
        (
            "{}",
            "{}",
            "6m",
            ["of 15m to tell, 6m are over before the second channel is tried, write 5m or less"],
        ),
        (
            "{}",
            "{notice_within: 6m}",
            "3m",
            ["of 6m to tell, 3m are over before the second channel is tried, write 2m or less"],
        ),
        (
            "{next_channel_after: 10m}",
            "{}",
            "1m",
            ["of 15m to tell, 10m are over before the second channel is tried, write 5m or less"],
        ),
    ],
)
def test_a_second_channel_that_comes_late_is_worth_a_warning(
    tmp_path: Path, notices: str, terms: str, wait: str, warned: list[str]
) -> None:
    """After five of fifteen minutes at the latest; how long the last channel waits keeps nobody waiting."""
    last = '{webhook: "https://b.example/x", wait: 5m30s}'
    text = SMALL + dedent(f"""\
        notices: {notices}
        customers:
          - id: acme
            name: Acme
            terms: {terms}
            contacts:
              - {{id: duty, name: Duty, channels: [{{webhook: "https://a.example/x", wait: {wait}}}, {last}]}}
              - {{id: boss, name: Boss, channels: [{last}]}}
    """)
    found = [f"{one.wrong}, {one.mend}" for one in loaded(tmp_path, text).warnings]
    assert [one for one in found if "second channel" in one] == warned
