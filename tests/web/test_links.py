"""A link is good for one emergency, one person and a while, and for nothing else; it names nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hostwatch.core.emergency import Emergency, Notice, notice_id
from hostwatch.links import PURPOSE, TOKEN_CHARS, Links, bytes_of, links_of, written
from tests.messages.examples import SILENT

URL = "https://status.dc.example"
KEY = b"a key of a store"
AT = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
DAYS = timedelta(days=30)


def opened(number: int = 42, at: datetime = AT) -> Emergency:
    reference = f"E-{number:06d}"
    told = replace(SILENT, reference=reference)
    return Emergency(reference=reference, signal="web-1", opened_at=at, story=told)


def notice(contact: str = "duty", of: Emergency | None = None, customer: str = "acme") -> Notice:
    emergency = of or opened()
    return Notice(
        id=notice_id(emergency.reference, "emergency", customer, contact),
        kind="emergency",
        customer=customer,
        contact=contact,
        emergencies=(emergency.reference,),
        stories=(emergency.story,),
        created_at=emergency.opened_at,
    )


def test_a_link_says_whose_and_what_and_until_when_to_us_alone() -> None:
    links = Links(KEY, URL, DAYS)
    link = links.link(notice(), opened())
    token = link.removeprefix(f"{URL}/a/")

    assert (len(token), token.isalnum(), token.isascii()) == (TOKEN_CHARS, True, True)
    found = links.read(token)
    assert found is not None
    assert (found.reference, found.until) == ("E-000042", AT + DAYS)
    assert links.is_of(found, "acme", "duty", opened())
    others = [("acme", "boss"), ("globex", "duty"), ("acm", "eduty")]
    assert not any(links.is_of(found, *other, opened()) for other in others)
    raw = bytes_of(token)
    assert raw is not None
    assert not any(word in raw for word in (b"acme", b"duty"))


def test_it_is_the_same_in_every_try_and_another_for_everybody_else() -> None:
    links = Links(KEY, URL, DAYS)
    again = replace(notice(), attempts=())
    assert links.link(notice(), opened()) == links.link(again, opened())
    others = {
        links.link(notice("boss"), opened()),
        links.link(notice(customer="globex"), opened()),
        links.link(notice(of=opened(43)), opened(43)),
        Links(b"a key of another store", URL, DAYS).link(notice(), opened()),
        links.link(notice(), opened()),
    }
    assert len(others) == 5


def test_flipped_bit_by_bit_it_is_none() -> None:
    links = Links(KEY, URL, DAYS)
    raw = bytes_of(links.token(notice(), opened()))
    assert raw is not None
    for place in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        assert links.read(written(bytes(flipped))) is None, place
    assert links.read(written(raw)) is not None


def test_of_another_store_another_purpose_or_another_life_it_is_none() -> None:
    links, elsewhere = Links(KEY, URL, DAYS), Links(b"a key of another store", URL, DAYS)
    assert elsewhere.read(links.token(notice(), opened())) is None
    raw = bytes_of(links.token(notice(), opened()))
    assert raw is not None
    other = links._signature(PURPOSE + b"-other", raw[:-16])
    assert links.read(written(raw[:-16] + other)) is None

    found = links.read(links.token(notice(), opened()))
    assert found is not None
    later = opened(at=AT + timedelta(days=1))  # the same number, after the store was begun anew
    assert not links.is_of(found, "acme", "duty", later)


def test_what_is_no_link_is_none() -> None:
    links = Links(KEY, URL, DAYS)
    token = links.token(notice(), opened())
    odd = [
        "",
        "a",
        token[:-1],
        token + "a",
        "é" * TOKEN_CHARS,
        "z" * TOKEN_CHARS,
        "\0" * TOKEN_CHARS,
        "=" * 39,
    ]
    assert [links.read(one) for one in odd] == [None] * len(odd)


def test_only_what_lasts_and_is_begun_has_links() -> None:
    links, emergency = Links(KEY, URL, DAYS), opened()
    there = {emergency.reference: emergency}
    assert list(links_of(links, notice(), there)) == [emergency.reference]
    assert links_of(links, notice(), {}) == {}, "it is over"
    assert links_of(None, notice(), there) == {}, "there are no pages"
    for kind in ("recovery", "withdrawn", "warning", "cleared"):
        assert links_of(links, replace(notice(), kind=kind), there) == {}
