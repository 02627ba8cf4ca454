"""`hostwatch contacts`: who is told now, or at another instant: of what, by which ways, in which order.

Who is authorised is read from the record, as it was valid at that instant; names and ways from the
configuration. Exit code 0 when somebody of each customer is authorised, 1 when of some nobody is, 2 when the
record cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch import contactways
from hostwatch.clock import SystemClock
from hostwatch.commands import USAGE, Refused, add_config, says_why
from hostwatch.configuration import customer as written
from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.moment import begins, checked
from hostwatch.configuration.people import quiet_of
from hostwatch.configuration.zones import zone_of
from hostwatch.contactways import Personal
from hostwatch.control import ask
from hostwatch.core import canonical, quiet
from hostwatch.core.population import Customer
from hostwatch.core.quiet import Owed
from hostwatch.core.roster import Called, Person, Right
from hostwatch.core.rotation import Rotation
from hostwatch.core.verification import Book
from hostwatch.store.reader import Reader

HELP = "show who is told now, of what, by which ways, and who is on call next"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="CUSTOMER",
        help="only this customer's people; verify [CUSTOMER [CONTACT]] sends codes;"
        " confirm CUSTOMER CONTACT CODE notes that somebody told one",
    )
    add_config(parser)
    parser.add_argument(
        "--channel", default="", metavar="KIND", help="verify: only by this channel, such as sms"
    )
    parser.add_argument("--by", default="", metavar="NAME", help="confirm: who told the code")
    parser.add_argument(
        "--at",
        type=_typed,
        metavar="WHEN",
        help="a day or an instant, of the site's zone: 2026-11-01, 2026-11-01T09:00; now, if not given",
    )
    parser.add_argument(
        "--right", choices=[*Right], help="who holds this right then: operations, say, or maintenance"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _typed(text: str) -> str:
    try:
        return checked(text)
    except Wrong as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None


@says_why(2)
def run(options: argparse.Namespace) -> int:
    """0: somebody of each customer is authorised, 1: of some nobody, 2: the record cannot be read."""
    loaded = load(options.config, read_secrets=False)
    match options.words:
        case ["verify", *whom] if len(whom) <= 2:
            return _verify(loaded.control, whom, options.channel)
        case ["confirm", customer, contact, code]:
            return _confirm(loaded.control, customer, contact, code, options.by)
        case [] | [_]:
            return _asked(options, loaded)
    raise Refused(
        "write contacts [CUSTOMER], contacts verify [CUSTOMER [CONTACT]], or contacts confirm CUSTOMER"
        " CONTACT CODE"
    )


def _asked(options: argparse.Namespace, loaded: Loaded) -> int:
    """Who is told, or holds a right."""
    named = options.words[0] if options.words else None
    configuration = loaded.configuration
    site = configuration.site.timezone
    at = SystemClock().now() if options.at is None else begins(options.at, zone_of(site))
    with Reader(loaded.store) as reader:
        customers = reader.customers_at(at)
        if named is not None and named not in customers:
            raise Refused(f"there is no customer {named} on record at that time")
        chosen = [one for name, one in sorted(customers.items()) if named in (None, name)]
        if options.right is not None:
            return _holding(chosen, Right(options.right), at, as_json=options.json)
        book = reader.ways_at(at)
        told = [describe(configuration, one, at, book, reader.personal) for one in chosen]
    if options.json:
        print(json.dumps(canonical.plain(told), ensure_ascii=False))
    else:
        _show(told, ZoneInfo(site))
    return int(any(not one["told"] for one in told))


def _holding(chosen: Iterable[Customer], right: Right, at: datetime, *, as_json: bool) -> int:
    """Who holds a right: 0 if somebody of each customer does, 1 if of some nobody."""
    held = [{"customer": one.id, "right": right, "held_by": [*one.holding(right, at)]} for one in chosen]
    if as_json:
        print(json.dumps(canonical.plain({"at": at, "customers": held}), ensure_ascii=False))
    else:
        for one in held:
            names = ", ".join(one["held_by"]) or "nobody"
            print(f"{one['customer']}: {right} is held by {names}")
    return int(any(not one["held_by"] for one in held))


def _verify(control: Path, whom: list[str], channel: str) -> int:
    """Send codes."""
    customer, contact = (*whom, "", "")[:2]
    answer = ask(control, "verify-contacts", within_s=60, customer=customer, contact=contact, channel=channel)
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    for one in answer["asked"]:
        print(f"{one['customer']}/{one['contact']}: a code goes by {one['channel']}")
    for one in answer["under_way"]:
        print(f"{one['customer']}/{one['contact']}: a code is on its way by {one['channel']} already")
    if answer["more"]:
        print(f"{answer['more']:,} more are to be asked: do so again when these are through")
    return 0


def _confirm(control: Path, customer: str, contact: str, code: str, by: str) -> int:
    """Somebody told a code."""
    answer = ask(
        control, "confirm-contact", within_s=30, customer=customer, contact=contact, code=code, by=by
    )
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    for one in answer["verified"]:
        print(f"{customer}/{contact}: {one['channel']} is verified")
    if answer["change"]:
        print(f"{customer}/{contact}: the change is confirmed from a known way")
    return 0


def describe(
    configuration: Configuration, customer: Customer, at: datetime, book: Book, personal: Personal
) -> dict[str, Any]:
    """All of it as plain data; instants are aware UTC."""
    mine = next((one for one in configuration.customers if one.id == customer.id), None)
    known = {} if mine is None else {contact.id: contact for contact in mine.contacts}
    called = customer.called(at)

    def ways(contact: str) -> list[dict[str, Any]]:
        """None where the configuration does not know them any more."""
        if mine is None or contact not in known:
            return []
        return [*_ways(configuration, mine, known[contact], at)]

    in_order = sorted(called, key=lambda one: customer.contacts.index(one.who))
    counting = customer.counting(at)
    return {
        "customer": customer.id,
        "at": at,
        "within_s": int(customer.terms.notice_within.total_seconds()),
        "told": [
            {
                **_called(one),
                "counts": one.who in counting,
                "name": known[one.who].name if one.who in known else None,
                "ways": ways(one.who),
                "recorded": contactways.of_contact(book, customer.id, one.who, personal),
                "change": contactways.change_of(book, customer.id, one.who),
            }
            for one in in_order
        ],
        "not_told": [*_not_told(customer, called)],
        "rotations": [_rotation(one, at) for one in customer.roster.rotations],
    }


def _called(one: Called) -> dict[str, Any]:
    return {
        "contact": one.who,
        "instead_of": one.instead_of or None,
        "rotation": one.rotation or None,
        "of": {
            "devices": [*one.place.bound.devices],
            "services": [*one.place.bound.services],
            "kinds": [*one.place.bound.concerns],
        },
    }


def _not_told(customer: Customer, called: tuple[Called, ...]) -> Iterator[dict[str, Any]]:
    people = {person.id: person for person in customer.roster.people}
    for name in customer.contacts:
        if name not in {one.who for one in called}:
            person = people.get(name, Person(id=name))
            yield {"contact": name, "on_call": person.on_call, "deputy": person.deputy or None}


def _ways(
    configuration: Configuration, mine: written.Customer, contact: written.Contact, at: datetime
) -> Iterator[dict[str, Any]]:
    """The ways as they would be tried of an emergency whose verdict falls at the instant."""
    settings = configuration.notices_of(mine)
    kinds = [rung.kind for rung in contact.channels]
    hours = quiet_of(configuration, mine, contact)
    for place in quiet.order(kinds, hours, Owed(due=at + settings.within, within=settings.within), at):
        rung = contact.channels[place]
        wait = rung.wait or settings.next_channel_after
        yield {"channel": rung.kind, "wait_ms": wait // timedelta(milliseconds=1)}


def _rotation(rotation: Rotation, at: datetime) -> dict[str, Any]:
    turn, change = rotation.turn(at), rotation.next_change(at)
    return {
        "rotation": rotation.id,
        "on_call": None if turn is None else turn.who,
        "since": None if turn is None else turn.since,
        "until": change,
        "next": rotation.on_call(change),
    }


def _show(told: list[dict[str, Any]], zone: ZoneInfo) -> None:
    console = Console()
    for customer in told:
        minutes = customer["within_s"] / 60
        when = _text(customer["at"], zone)
        console.print(f"[bold]{customer['customer']}[/bold]: told within {minutes:g} min, at {when}")
        if not customer["told"]:
            console.print("  [red]nobody is authorised: nobody would be told[/red]")
        table = Table("contact", "name", "why", "of", "ways, in their order")
        for one in customer["told"]:
            kinds = contactways.marked((way["channel"] for way in one["ways"]), one["recorded"])
            ways = " → ".join(kinds) or "not in the configuration"
            table.add_row(one["contact"], escape(one["name"] or ""), _why(one), _of(one["of"]), ways)
        for one in customer["not_told"]:
            why = "not on call" if one["on_call"] else "not authorised, or away"
            table.add_row(f"[dim]{one['contact']}[/dim]", "", f"[dim]{why}[/dim]", "[dim]nothing[/dim]", "")
        console.print(table)
        for one in customer["rotations"]:
            until = _text(one["until"], zone)
            console.print(
                f"  {one['rotation']}: {one['on_call'] or 'nobody'} on call until {until}, then {one['next']}"
            )


def _why(one: dict[str, Any]) -> str:
    said = [
        "on call" + f" ({one['rotation']})" if one["rotation"] else "authorised",
        *([f"stands in for {one['instead_of']}"] if one["instead_of"] else []),
        *([] if one["counts"] else ["does not count"]),
    ]
    return ", ".join(said)


def _of(bound: dict[str, list[str]]) -> str:
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in bound.items() if names) or "everything"


def _text(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(" ", "minutes")
