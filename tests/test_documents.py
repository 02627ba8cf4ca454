"""Pages that say something about the code are held to it."""

from __future__ import annotations

import pkgutil
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hostwatch import (
    asked,
    callbacks,
    commands,
    control,
    counter,
    departures,
    desk,
    drilling,
    echo,
    engine,
    enroller,
    exercises,
    httpd,
    hylafax,
    icmp,
    keeper,
    lag,
    linked,
    log,
    outbox,
    outlets,
    pace,
    path,
    prober,
    programs,
    recall,
    returned,
    rounds,
    servicing,
    sight,
    traces,
    watch,
    wheel,
)
from hostwatch.channels import _http, _robot, _segments, _sized, _threads, _typesetter, base, pager
from hostwatch.checkers import asking, confinement, mouth, process, protocol, resolver, services, standstill
from hostwatch.checks import _posts
from hostwatch.commands import ping, run, status
from hostwatch.configuration import checks as limits_of_checks
from hostwatch.configuration import (
    fields,
    heartbeat,
    load,
    mistake,
    network,
    secret,
    service,
    source,
    uplink,
    web,
)
from hostwatch.configuration import sight as sights
from hostwatch.configuration.model import Notices, Schedule
from hostwatch.configuration.packets import Limits
from hostwatch.core import (
    behind,
    bygones,
    causing,
    counting,
    enrolment,
    expression,
    facts,
    judge,
    ladder,
    latency,
    parents,
    parts,
    ports,
    power,
    schedule,
    seeing,
    telling,
    turns,
    warned,
    wiring,
)
from hostwatch.core import uplink as uplinks
from hostwatch.core.blindness import Why
from hostwatch.core.world import World
from hostwatch.gateways import _report, mailbox
from hostwatch.gateways import http as gateways
from hostwatch.gateways import hylafax as fax_servers
from hostwatch.heartbeats import base as heartbeats
from hostwatch.inventory import csv
from hostwatch.messages import having, paper, parted
from hostwatch.messages import text as words
from hostwatch.messages.named import VALUE_CHARS_MAX
from hostwatch.ports import snmp as snmp_ports
from hostwatch.power import _bmc, _conditions, _modbus, modbus, nut, redfish
from hostwatch.power import webhook as pushes
from hostwatch.reach import _ears
from hostwatch.reach import base as base_of_reach
from hostwatch.reports import text as text_report
from hostwatch.snmp import access as snmp_access
from hostwatch.snmp import agent as snmp_agent
from hostwatch.snmp import hearing, usm
from hostwatch.snmp import message as snmp_message
from hostwatch.stock import check
from hostwatch.store import evidence, ledger, present, reader
from hostwatch.store.connection import connect
from hostwatch.web import line as desk_line
from hostwatch.web import server as desk_server
from hostwatch.web import throttle

ROOT = Path(__file__).parent.parent
MIB, KIB = 1024 * 1024, 1024


def test_the_page_of_the_latency_says_how_a_code_is_read() -> None:
    text = (ROOT / "docs" / "latency.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    program = f"{found[1]}\nprint(*map(rtt_us, range(65536)))"
    told = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=True, timeout=30)

    assert [int(time) for time in told.stdout.split()] == [latency.rtt_us(c) or 0 for c in range(65536)]


def rows(page: str) -> dict[str, str]:
    """The first cell of each table row, and the rest of the row."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(r"^\| ([^|]+) \|(.+)\|$", text, re.MULTILINE)
    return {name.strip(): rest for name, rest in found}


def seconds(pause: timedelta) -> str:
    return f"{pause.total_seconds():g} s"


LIMITS: dict[str, str] = {
    "hops of a path; packets for each": f"{path.HOPS_DEFAULT}, at most {path.HOPS_MAX}; {path.ATTEMPTS}",
    "time for a path": seconds(2 * (path.LATE_AFTER + path.SPACING + path.TIMEOUT) + path.SLACK),
    "traces under way; begun in a minute": f"{traces.AT_ONCE}; {traces.PER_MINUTE}, one for each /24 or /48",
    "paths on record that a status looks through": f"{status.PATHS_MAX:,}",
    "one configuration file": f"{source.FILE_BYTES_MAX // MIB} MiB",
    "depth, and number of values, of one file": f"{source.DEPTH_MAX}; {source.NODES_MAX:,}",
    "a text, a secret": f"{fields.TEXT_CHARS_MAX} characters; {secret.SECRET_BYTES_MAX // KIB} KiB",
    "mistakes shown": f"{mistake.MISTAKES_MAX:,}",
    "a page; a line of a gateway of pagers; lines of one answer": (
        f"{pager.LINE_MAX_CHARS} characters; {pager.LINE_MAX_BYTES:,} bytes; {pager.ANSWER_MAX_LINES}"
    ),
    "drawing a page for a fax; pages drawn at one time; its bytes": (
        f"{_typesetter.DRAWS_MAX_SECONDS:.0f} s; 1 … 8 ({_typesetter.AT_ONCE});"
        f" {_typesetter.PAGE_MAX_BYTES // MIB} MiB"
    ),
    "a line of a fax server; lines of one answer; its list of what is done": (
        f"{hylafax.LINE_BYTES_MAX:,} bytes; {hylafax.ANSWER_LINES_MAX};"
        f" {hylafax.LISTING_BYTES_MAX // MIB} MiB"
    ),
    "faxes that are told of in one round; those that are remembered as told": (
        f"{fax_servers.PAGES_MAX}; {fax_servers.KNOWN_MAX:,}"
    ),
    "lines of evidence on the pages of a fax; characters of one": (
        f"{paper.ROWS_MAX}; {paper.VALUE_MAX_CHARS}"
    ),
    "reports in one callback; fields of a form": f"{gateways.REPORTS_MAX}; {gateways.FIELDS_MAX}",
    "callbacks of one gateway; their connections, and words, at once and then in a second": (
        f"5; {gateways.EAR_BURST}, {gateways.EAR_RATE}"
    ),
    "a mail that comes back; its parts; recipients of a report": (
        f"{_report.MAIL_BYTES_MAX // 1024} KiB; {_report.PARTS_MAX}; {_report.RECIPIENTS_MAX}"
    ),
    "mails in one reading of the mailbox; that wait to be on record": (
        f"{mailbox.MAILS_MAX}; {mailbox.WAITING_MAX}, each for {mailbox.WAIT_S / 60:.0f} min"
    ),
    "age of a mail in a Maildir; mails known there": (
        f"{mailbox.AGE_MAX_S // 86_400} d; {mailbox.FILES_MAX:,}"
    ),
    "a mailbox that nobody reads": f"{returned.UNREAD_AFTER // timedelta(minutes=1)} min",
    "words of gateways that wait; that are about nothing known yet": (
        f"{callbacks.WAITING_MAX:,}; {callbacks.EARLY_MAX:,},"
        f" for {callbacks.EARLY_FOR // timedelta(minutes=1)} min"
    ),
    "heartbeats; the words of one": f"{heartbeat.HEARTBEATS_MAX}; {heartbeats.WORDS_MAX_CHARS:,} characters",
    "links in the words of one message": str(having.LINKS_MAX),
    "changes by one link": f"{linked.CHANGES_MAX} in {linked.CHANGES_WITHIN // timedelta(hours=1)} h",
    "connections to the desk; from one address that is no proxy; the life of each": (
        f"{desk_server.CONNECTIONS_MAX}; {desk_server.CONNECTIONS_OF_ONE_MAX}; {desk_server.LIFE_S:g} s"
    ),
    "a request to the desk: a header; headers; the body": (
        f"{desk_server.HEADER_MAX_BYTES:,} bytes; {desk_server.HEADERS_MAX};"
        f" {desk_server.BODY_MAX_BYTES // KIB} KiB"
    ),
    "requests of one address, or IPv6 /64, to the desk; of all": (
        f"60 a minute (`web.requests_per_minute`); {throttle.ALL_PER_MINUTE:,} a minute"
    ),
    "addresses that the desk remembers": f"{throttle.ADDRESSES_MAX:,}",
    "what the watch answers the desk; an answer": (
        f"{counter.PER_SECOND} requests a second, {desk_line.REQUEST_MAX_BYTES // KIB} KiB each;"
        f" {desk_line.ANSWER_MAX_BYTES // KIB} KiB"
    ),
    "others whom the page of a link names; people of one customer who have one emergency, where programs add"
    " more": f"{linked.OTHERS_MAX}; {programs.PEOPLE_MAX}",
    "requests that wait for the watch; for how long": f"{desk_line.WAITING_MAX}; {desk_line.WITHIN_S:g} s",
    "tokens of the API; a secret of one": f"{web.TOKENS_MAX}; at least {web.SECRET_CHARS_MIN} characters",
    "an SMS": f"{_segments.SEGMENTS_MAX} segments",
    "values of a template for a gateway": f"{VALUE_CHARS_MAX} characters each",
    "Retry-After of a receiver": f"{_http.RETRY_AFTER_MAX / timedelta(hours=1):g} h",
    "subject of a notice": f"{words.SUBJECT_MAX_CHARS} characters",
    "silences listed for a device in a text report": str(text_report.LINES_MAX),
    "one inventory; devices in all of them": (f"{check.FILE_BYTES_MAX // MIB} MiB; {check.DEVICES_MAX:,}"),
    "a cell of a table; values of a device in a list": (
        f"{csv.CELL_CHARS_MAX:,} characters; {source.ITEM_NODES_MAX:,}"
    ),
    "warnings about devices of inventories": str(check.WARNINGS_MAX),
    "changes in one step of a configuration": str(enrolment.STEP_MAX),
    "changes recorded as the difference of a configuration": (
        f"{enroller.DIFFERENCE_MAX:,}, of them {enroller.DEVICES_LISTED_MAX} devices"
    ),
    "ports of one switch that are asked about; switches whose names of ports are remembered": (
        f"{ports.PORTS_MAX}; {snmp_ports.SWITCHES_KEPT:,}"
    ),
    "readings of a port that make traffic; time of which five minutes must be known": (
        f"at most {counting.GAP_US_MAX // 60_000_000} min apart; a half"
    ),
    "months for which traffic is kept": f"1 … {network.MONTHS_MAX} ({network.Network().traffic_months})",
    "signals whose last silences are kept ready for causes; silences of each": (
        f"{bygones.SIGNALS_MAX:,}; {bygones.EACH_MAX}"
    ),
    "included files": f"{load.INCLUDED_FILES_MAX:,}",
    "packets of one ping": f"({Schedule().attempts})",
    "uplinks; reference points of one": (
        f"{uplink.UPLINKS_MAX}; {uplinks.REFERENCES_MIN} … {uplink.REFERENCES_MAX}"
    ),
    "parts of an emergency of power or of a switch in one notice; groups of them with dates of their own in"
    " its words": f"{parts.PARTS_MAX}; {parted.GROUPS_MAX}",
    "elements named with the source that a warning is about": f"{warned.ELEMENTS_MAX}",
    "devices behind an uplink or a switch, or on a supply, named in a notice": str(behind.NAMED_MAX),
    "devices asked for when a switch behind which they are is silent": str(parents.ASKED_MAX),
    "a slice of the schedule": seconds(schedule.SLICE_MAX),
    "slices in flight": str(prober.SLICES_MAX),
    "a catch-up": f"{prober.CATCH_UP_PER_S:,} targets",
    "ICMP packets read in one turn of the loop": f"{icmp.DRAIN_MAX:,}",
    "targets of one method beside ICMP that are looked at at one time": str(base_of_reach.AT_ONCE_MAX),
    "checks that run at one time, in all; for one device": (
        f"{limits_of_checks.Checks().at_once}, at most {limits_of_checks.AT_ONCE_MAX:,} (`checks.at_once`); "
        f"{services.PER_TARGET_MAX}"
    ),
    "how late a look at a service may begin": f"at most {rounds.LATE_MAX // timedelta(minutes=1)} min",
    "checks that are connected to one address": (
        f"{limits_of_checks.Checks().at_one_address}, at most {limits_of_checks.AT_ONCE_MAX:,} "
        "(`checks.at_one_address`); as many again"
    ),
    "orders and services that the checkers know at one time": (
        f"{process.ORDERS_MAX:,}; {process.DEFINITIONS_MAX:,}"
    ),
    "checks of one service": str(protocol.CHECKS_MAX),
    "one message between the watch and the checkers; one finding in it": (
        f"{protocol.MESSAGE_BYTES_MAX // MIB} MiB; {protocol.FINDING_CHARS_MAX:,} characters"
    ),
    "orders in one message": f"{protocol.ORDERS_MAX:,}",
    "what the checkers have to tell, and the watch has not read": (
        f"{mouth.UNSENT_BYTES_MAX // MIB} MiB; {mouth.UNSENT_BYTES_END // MIB} MiB"
    ),
    "descriptors of the checkers; address space": (
        f"{confinement.FILES_MAX:,}; {confinement.MEMORY_BYTES_MAX // (1024 * MIB)} GiB"
    ),
    "a standstill of the checkers": (
        f"{standstill.STOOD_US // 1000} ms, a tenth of a check's time,"
        f" or {standstill.LONG_US // 1_000_000} s at once"
    ),
    "looks at services under way": f"{servicing.WAITING_MAX:,}",
    "an answer of the checkers": seconds(servicing.GRACE),
    "questions that the checkers do not answer": (
        f"{servicing.BEATS_MAX}, one every {seconds(servicing.BEAT)}"
    ),
    "the pause before checkers are started again": (
        f"{seconds(keeper.PAUSE_MIN)}, doubled up to {seconds(keeper.PAUSE_MAX)}"
    ),
    "complaints of one process of checkers": f"{servicing.COMPLAINTS_MAX:,}",
    "last findings of checks": (
        f"{recall.KEPT_BYTES_MAX // MIB} MiB; {recall.FRESH_MAX:,} that wait to be written"
    ),
    "last findings of what is looked at no more": f"{recall.KEPT_FOR.days} d",
    "packets of neighbours read in one turn of the loop": str(_ears.READ_MAX),
    "receive buffer for packets of neighbours": f"{_ears.BUFFER_BYTES // MIB} MiB",
    "ICMP packets sent in one turn of the loop": (
        f"{departures.BURST_MAX}, or half of the replies that the receive buffer holds if less;"
        f" then a pause of {departures.BURST_EVERY_US // 1000} ms"
    ),
    "packets in a second, in all; towards one /24 or /48": (
        f"{Limits().packets_per_second:,}; {Limits().packets_per_second_and_network:,};"
        " a tenth of that at once"
    ),
    "packets in a second towards what lies behind one uplink": (
        f"{Limits().packets_per_second_and_uplink:,}; a tenth of that at once"
    ),
    "requests for neighbours in a second, on one link": (
        f"{Limits().neighbour_requests_per_second}; a tenth of that at once"
    ),
    "networks that the pace is remembered of": f"{pace.KEYS_MAX:,}",
    "ways for packets to leave (families, sources, interfaces, TTL, DSCP)": str(outlets.OUTLETS_MAX),
    "a turn of the pinger": (
        f"a slot of {wheel.SLOT_US // 1000} ms; twenty together where {icmp.MANY_ASKS} or more are asked"
        " for, else ten, five or two, where late by a second is no matter, so that at most"
        f" {icmp.TICK_PACKETS} first packets"
    ),
    "services of a device": str(service.SERVICES_MAX),
    "services whose waiting for their device ends in one deed": str(telling.AT_ONCE_MAX),
    "a reason that a person gives for a cause, or a name; who ordered it": (
        f"{asked.BECAUSE_CHARS_MAX:,} characters"
    ),
    "others behind one switch that are asked about one outage": str(parents.ASKED_MAX),
    "outages whose cause is found anew when what they hang on is otherwise": f"{causing.AGAIN_MAX:,}",
    "looks judged in one deed; plain answers of a slice without a pause": (
        f"{rounds.VERDICTS_MAX}; {judge.STEP}"
    ),
    "stretches of time remembered in which packets were dropped": f"{echo.DROPS_REMEMBERED:,}",
    "a packet that did not leave because of what was said of another": f"{echo.SENT_AGAIN_MAX} tries",
    "receive buffer of an ICMP socket": f"{echo.RECEIVE_BUFFER_BYTES // MIB} MiB",
    "a standstill of the loop": (
        f"{lag.STOOD_MIN_S:g} s | `lag.py` | recorded as blindness, with a stack in the log at most every"
        f" {lag.STACK_EVERY_S:g} s; from {lag.TROUBLE_S:g} s on the watch is unwell for"
        f" {lag.TROUBLE_FOR_S:g} s"
    ),
    "sight: glances that misses ask for": f"every {sight.PAUSE / timedelta(milliseconds=1):g} ms",
    "sight: answers of each reference point that are remembered": f"{seeing.HEARD_MAX:,}",
    "sight: gateways; beacons": f"{sights.GATEWAYS_MAX}; {sights.BEACONS_MAX}",
    "sight: beacons in each glance after gateways did not suffice": (
        f"{sight.WARY_FOR / timedelta(minutes=1):g} min"
    ),
    "sight: calls of the roll": f"every {sight.CALLS} times",
    "sight: glances remembered": f"{seeing.REMEMBERED_MAX:,}",
    "a retry of a stuck store": f"every {seconds(engine.RETRY_EVERY)}",
    "notices looked at in one go by a round of the outbox": (
        f"{outbox.STEP}; all that are pending at least every {outbox.IDLE.total_seconds():g} s"
    ),
    "people of one exercise; its time; exercises that `hostwatch drill` shows": (
        f"{exercises.PEOPLE_MAX}; 1 s … {exercises.WITHIN_MAX_S / 86_400:g} d; {drilling.LISTED_MAX}"
    ),
    "attempts of exercises under way": f"{turns.EXERCISES_AT_ONCE}, and half",
    "attempts under way": f"{turns.AT_ONCE_MAX}; {base.Channel.at_once} by",
    "attempts of one customer under way": f"{turns.SHARE};",
    "one attempt": seconds(Notices().attempt_timeout),
    "the pause before the ladder starts again": f"({ladder.Pace().round_pause.total_seconds() / 60:g} min)",
    "the pause after a refusal": f"({ladder.Pace().refusal_pause.total_seconds() / 3600:g} h)",
    "a notice that stands in the outbox beyond its time": seconds(outbox.OVERDUE_AFTER),
    "a notice that nobody accepts": f"{Notices().give_up_after / timedelta(hours=1):g} h",
    "what the other side said": f"{base.SAID_MAX_CHARS} characters",
    "answer of a webhook's receiver": f"{_http.ANSWER_MAX_BYTES // KIB} KiB",
    "threads for one service of apprise": str(_threads.THREADS_MAX),
    "messages of one notice to a service of apprise, or to a robot of DingTalk, WeCom or Feishu;"
    " sends to a robot at one time": (f"{_sized.PARTS_MAX}; {_robot.AT_ONCE}"),
    "one SMS by apprise": f"{_segments.SEGMENTS_MAX} segments",
    "request on the control socket": (
        f"{control.REQUEST_MAX_BYTES // KIB} KiB, within {control.REQUEST_WITHIN_S:g} s,"
        f" {control.CONNECTIONS_MAX} at a time"
    ),
    "visitors of the pages": f"{httpd.CONNECTIONS_MAX} at a time",
    "how often a page of metrics is made": f"every {httpd.FRESH_S:g} s, and {httpd.SHARE} times as long",
    "devices whose samples are made in the watch, and are on `/metrics` by themselves": (
        f"{desk.DEVICES_INSIDE_MAX:,}"
    ),
    "time for the samples of all devices": f"{desk.ANSWER_WITHIN_S:g} s",
    "slices that a reader looks back for one that closed late": str(evidence.SLICES_BACK),
    "one field of a log event": f"{log.FIELD_MAX_CHARS:,} characters ({log.BRIEF_MAX_CHARS} on",
    "mistakes recorded of a refused configuration": str(watch.MISTAKES_RECORDED_MAX),
    "commitments to names and addresses remembered, also between runs": f"{ledger.REMEMBERED_MAX:,}",
    "a store that is read through at the start (`quick_check`)": f"{ledger.CHECKED_MAX_BYTES // MIB} MiB",
    "threads for names, reload, metrics": f"{run.NAME_THREADS_MAX}, 1, 2",
    "a reader's transaction": f"{reader.TRANSACTION_MAX_S:g} s",
    "devices that a reader takes at a time; closed slices": (
        f"{present.ROWS_AT_ONCE:,}; {present.SPANS_AT_ONCE:,}"
    ),
    "resolvers; networks or ports of checks": (
        f"{limits_of_checks.RESOLVERS_MAX}; {limits_of_checks.PORTS_MAX:,}"
    ),
    "questions to resolvers at one time; names remembered; addresses of one": (
        f"{resolver.QUESTIONS_MAX}; {resolver.CACHE_MAX:,}; {resolver.ADDRESSES_MAX}"
    ),
    "how long an address is believed; that there is none; that nobody answers": (
        f"{resolver.TTL_MIN_US // 10**6} s … {resolver.TTL_MAX_US // 3_600 // 10**6} h;"
        f" at most {resolver.NEGATIVE_MAX_US // 10**6} s; {resolver.FAULT_US // 10**6} s"
    ),
    "variables in one question by SNMP; in one answer about a table": (
        f"{snmp_agent.AT_ONCE}; {snmp_agent.BULK_AT_ONCE}"
    ),
    "rows of a table by SNMP; variables in one message": (
        f"{snmp_agent.ROWS_MAX:,}; {snmp_message.VARIABLES_MAX:,}"
    ),
    "datagrams that are no answer to a question by SNMP; tries of one": (
        f"{snmp_agent.STRAY_MAX}; 1 … {snmp_access.RETRIES_MAX + 1}"
    ),
    "outlets, of them uncounted ones, and inputs, that upsd is asked for; sent to it at once": (
        f"{nut.OUTLETS_MAX}, {nut.OUTLETS_UNCOUNTED}, {nut.INPUTS_MAX}; {nut.PIECE_BYTES_MAX} bytes"
    ),
    "points of one source; elements of the power model in a row": (f"{power.POINTS_MAX}; {wiring.DEPTH_MAX}"),
    "names in one expression; its depth": f"{expression.NAMES_MAX}; {expression.DEPTH_MAX}",
    "a trap; traps of one address at once, and in a second": (
        f"{hearing.DATAGRAM_BYTES_MAX // KIB} KiB; {hearing.BURST_MAX}, {hearing.RATE_MAX}"
    ),
    "engines and keys of SNMP v3 remembered": f"{snmp_agent.ENGINES_KEPT:,}; {usm.KEYS_KEPT:,}",
    "one question to all resolvers": f"{asking.ASKING_S:g} s",
    "registers of one source by Modbus; in one question; read along without need": (
        f"{modbus.REGISTERS_MAX}; {_modbus.READ_WORDS_MAX}, or {_modbus.READ_BITS_MAX:,} bits;"
        f" {modbus.GAP_MAX}"
    ),
    "links that are followed at a server of Redfish; what is read of it; the length of a link": (
        f"{redfish.STEPS_MAX}; {redfish.THINGS_MAX}; {_bmc.PATH_CHARS_MAX}"
    ),
    "the pause after a login that a server of Redfish refused": f"{_bmc.REFUSED_FOR_US // 60_000_000} min",
    "sources of Redfish of which it is remembered where things stand": f"{redfish.REMEMBERED:,}",
    "a push: its head, headers, body, points": (
        f"{_posts.HEAD_BYTES_MAX // KIB} KiB, {_posts.HEADERS_MAX}, {_posts.BODY_BYTES_MAX // KIB} KiB,"
        f" {pushes.POINTS_MAX}"
    ),
    "pushes at one time; of one address at one time, at once, in a second": (
        f"{_posts.CONNECTIONS_MAX}; {_posts.OF_ONE_ADDRESS_MAX}, {_posts.BURST_MAX}, {_posts.RATE_MAX}"
    ),
    "pushes of one source at once; the time of one": f"{pushes.BURST_MAX}; {_posts.WITHIN_S:g} s",
    "a push whose clock is from ours": f"{pushes.WINDOW_S} s",
    "conditions of one register": str(_conditions.CONDITIONS_MAX),
    "lines of one kind in `hostwatch status`": str(status.LISTED_MAX),
    "targets of `hostwatch ping`": f"{ping.TARGETS_MAX:,}, at most {ping.ATTEMPTS_MAX} packets",
}


@pytest.mark.parametrize("what", LIMITS)
def test_the_table_of_limits_tells_the_truth(what: str) -> None:
    assert LIMITS[what] in rows("limits.md")[what]


def test_every_cause_of_blindness_is_on_the_page_of_judgement() -> None:
    text = (ROOT / "docs" / "judgement.md").read_text(encoding="utf-8")
    table = text.partition("| blind because |")[2].partition("\n\n")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [why.value for why in Why]


def test_every_kind_of_fact_is_on_the_page_of_the_audit() -> None:
    text = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    table = text.partition("## Kinds of facts")[2].partition("\n## ")[0]
    told = {name for name in re.findall(r"`([A-Z]\w+)`", table) if not re.search(rf"no `{name}`", table)}

    assert told | {"WatchStopped"} == set(facts.KINDS)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a few facts, with words that are not ASCII among them."""
    path = tmp_path / "store.db"
    kept = ledger.Ledger(connect(path), "a boot")
    kept.open()
    at = datetime(2026, 10, 1, tzinfo=UTC)
    kept.commit(judge.go_blind(World(), "sight", "网关 silent ‖ “quoted”", at), at)
    kept.commit(judge.was_blind("stopped", "", at, at), at)
    kept.close()
    return path


def checked(store: Path) -> subprocess.CompletedProcess[str]:
    """Run the program that the page shows."""
    text = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return subprocess.run(
        [sys.executable, "-I", "-c", found[1], str(store)], capture_output=True, text=True, timeout=30
    )


def test_the_program_on_the_page_of_the_audit_finds_a_record_right(store: Path) -> None:
    assert checked(store).stdout == "3 entries, all leaves right\n"


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE facts SET body = replace(body, 'silent', 'broken') WHERE seq = 1",
        "UPDATE facts SET recorded_at = recorded_at + 1 WHERE seq = 2",
        "DELETE FROM facts WHERE seq = 2",
        "UPDATE facts SET seq = 9 WHERE seq = 3",
    ],
)
def test_and_finds_one_that_was_tampered_with_wrong(store: Path, tampering: str) -> None:
    """Who may write the file may drop the triggers too."""
    with sqlite3.connect(store) as thief:
        for (name,) in thief.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            thief.execute(f"DROP TRIGGER {name}")
        assert thief.execute(tampering).rowcount == 1
    thief.close()

    done = checked(store)

    assert done.returncode == 1
    assert "is not what was recorded" in done.stderr


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    here = (ROOT / page).parent
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]

    assert [link for link in links if not (here / link).exists()] == []


def test_each_decision_has_a_number_of_its_own() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(record.name[:4]) for record in records]
    headings = [record.read_text(encoding="utf-8").split(". ", 1)[0] for record in records]

    assert numbers == list(range(1, len(records) + 1))
    assert headings == [f"# {number}" for number in numbers]


def test_the_first_page_has_a_row_for_each_command() -> None:
    table = re.findall(
        r"^\| (`hostwatch .*?) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {verb for row in table for verb in re.findall(r"`hostwatch ([a-z-]+)", row)}

    assert told == {one.name.replace("_", "-") for one in pkgutil.iter_modules(commands.__path__)}
