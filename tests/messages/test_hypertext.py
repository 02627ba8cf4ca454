"""A notice as HTML: the words of the text and no others, and nothing in it that was not written by us."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import having, hypertext
from hostwatch.messages.sheet import Row, row, rows
from tests.messages.examples import CARRIER, MORE_POWER, NOTICES, ON_BATTERY, OTHER, SILENT, WWW, compose

LANGUAGES = ("en", "zh-CN")
OURS = {
    "html", "head", "meta", "title", "style", "body", "div", "h1", "p", "strong", "table", "tr", "th", "td",
    "br", "span", "bdi", "a",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "dir", "charset", "name", "content", "style", "id", "class", "role", "scope", "colspan",
    "cellpadding", "cellspacing", "border", "href",
}  # fmt: skip


class Read(HTMLParser):
    """What a reader of mail finds in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._title = False
        self._said: list[str] = []
        self._aside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag in ("title", "style"):
            self._aside = tag
        if tag not in ("span", "bdi"):
            self._said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._aside:
            self._aside = ""

    def handle_data(self, data: str) -> None:
        if not self._aside:
            self._said.append(data)

    @property
    def words(self) -> str:
        return "".join(self._said)


def bare(text: str) -> str:
    """Without spaces, and without the colons behind labels: in a table there are none."""
    return "".join(c for c in text if not c.isspace() and c not in ":：")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("heading", NOTICES)
def test_it_has_the_words_of_the_text_and_no_others(heading: str, language: str) -> None:
    kind, stories, options = NOTICES[heading]
    composed = compose(kind, stories, language=language, **options)
    page = hypertext(composed.sheet)

    assert bare(Read(page).words) == bare(composed.text)
    assert f'<html lang="{composed.sheet.language}"' in page


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' style='background:url(//x.example)",
    "</td></table></body>",
    "</title><script>",
    "&lt;b&gt; & &amp; &#x3c;",
    "[x](http://evil.example)",
    "*bold* _soft_ `code` # head",
    "a\r\nBcc: thief@evil.example\r\n\r\n<b>",
    "\u202egnp.exe\u202c",
    "\u2066\u2067web\u2069",
    "web\u200b\u200d\ufeff1",
    "x" * 500,
    "خادم الويب",
    "שרת",
    "🔥💧 web",
    "\x00\x1b[31m\x7f",
    "{{ 7*7 }} %s %(device)s ${x}",
)


def everywhere(name: str) -> list[tuple[Kind, Story]]:
    """Stories in which whatever comes from outside is this."""
    part = dataclasses.replace(MORE_POWER.parts[0], on=name, devices=(name, name))
    return [
        ("emergency", dataclasses.replace(SILENT, device=name, address=name, why=name, failing=(name,))),
        ("emergency", dataclasses.replace(SILENT, answering=(name,), method=name)),
        ("emergency", dataclasses.replace(WWW, device=name, service=name, why=f"http: answer: {name}")),
        ("update", dataclasses.replace(MORE_POWER, devices=(name, name), parts=(part, MORE_POWER.parts[1]))),
        ("emergency", dataclasses.replace(CARRIER, uplink=name, devices=(name,), members=(name, name))),
        ("warning", dataclasses.replace(ON_BATTERY, about=name, elements=(name,), why=name)),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_comes_from_outside_stays_text(name: str) -> None:
    for kind, story in everywhere(name):
        people: dict[str, Any] = {"customer_name": name, "contact_name": name, "site": name}
        composed = compose(kind, (story,), **people)
        read = Read(hypertext(composed.sheet))

        assert {*read.elements} <= OURS - {"a"}
        assert {attribute for attribute, _ in read.attributes} <= ATTRIBUTES - {"href"}
        assert bare(read.words) == bare(composed.text)
        assert all(line.isprintable() for line in composed.text.split("\n"))
        assert composed.text.count("\n") == len(composed.text.splitlines()), "no line was added"


@given(name=st.text(max_size=60))
def test_whatever_a_name_is_it_adds_no_element(name: str) -> None:
    plain, odd = (
        Read(hypertext(compose("emergency", (dataclasses.replace(SILENT, device=device),)).sheet))
        for device in ("x", name)
    )

    def but_for_spans(found: Read) -> list[str]:
        return [element for element in found.elements if element not in ("span", "bdi")]

    assert but_for_spans(odd) == but_for_spans(plain)


def test_names_that_are_read_from_right_to_left_turn_nothing_else_round() -> None:
    story = dataclasses.replace(SILENT, device="خادم الويب")

    assert "<bdi>خادم الويب</bdi> (192.0.2.17) has" in hypertext(compose("emergency", (story,)).sheet)


@pytest.mark.parametrize("heading", NOTICES)
def test_nothing_is_fetched_run_or_counted(heading: str) -> None:
    kind, stories, options = NOTICES[heading]
    page = hypertext(compose(kind, stories, language="zh-CN", **options).sheet)

    for word in (
        "http:",
        "https:",
        "//",
        "url(",
        "src=",
        "href=",
        "<script",
        "<img",
        "<link",
        "@import",
        "cid:",
    ):
        assert word not in page


def test_there_is_a_button_only_where_it_leads_to_a_page() -> None:
    sheet = compose("emergency", (SILENT,), language="zh-CN").sheet
    page = hypertext(sheet, acknowledge_url='https://watch.dc.example/a?t="x"&y=1')

    assert '<a class="key" href="https://watch.dc.example/a?t=&quot;x&quot;&amp;y=1"' in page
    assert ">我来处理</a>" in page
    for nowhere in ("", "javascript:alert(1)", "/a", "ftp://x.example/"):
        assert "<a " not in hypertext(sheet, acknowledge_url=nowhere)


def test_of_several_emergencies_each_has_a_link_of_its_own() -> None:
    links = {"E-000042": "https://watch.dc.example/a?x&y", "E-000043": "https://watch.dc.example/b"}
    asked = having.asked(compose("emergency", (SILENT, OTHER)), links, "en")
    page = hypertext(asked.sheet, acknowledge_url=having.only(links))

    assert re.findall(r'<a class="link" href="([^"]*)"[^>]*>(.*?)</a>', page) == [
        ("https://watch.dc.example/a?x&amp;y", '<span style="white-space:nowrap">E-000042</span>'),
        ("https://watch.dc.example/b", '<span style="white-space:nowrap">E-000043</span>'),
    ]
    assert "Do you take care of it?" in page
    assert 'class="key"' not in page
    assert asked.text.count("https://") == 2


@pytest.mark.parametrize(
    ("line", "label", "value"),
    [
        ("Device: a: b, address 192.0.2.17", "Device", "a: b, address 192.0.2.17"),
        ("设备：甲：乙，地址 192.0.2.17", "设备", "甲：乙，地址 192.0.2.17"),
        ("The device itself answers us.", "", "The device itself answers us."),
        ("3 more at other times: the report has them.", "", "3 more at other times: the report has them."),
        ("Of them 2 (a: b):", "", "Of them 2 (a: b):"),
        (f"{'long ' * 13}: b", "", f"{'long ' * 13}: b"),
    ],
)
def test_a_label_is_what_stands_before_the_first_colon(line: str, label: str, value: str) -> None:
    found = row(line)

    assert (found.label, found.value) == (label, value)


def test_what_is_set_in_below_a_line_makes_it_a_heading() -> None:
    block = (
        "About: power",
        "On a: 2 devices",
        "  Since: now",
        "On b: 1 devices",
        "  Since: then",
        "Seen: it",
    )

    assert [*rows(block)] == [
        Row("About", "power", ": "),
        Row("", "On a: 2 devices", is_heading=True),
        Row("Since", "now", ": "),
        Row("", "On b: 1 devices", is_heading=True),
        Row("Since", "then", ": "),
        Row("Seen", "it", ": "),
    ]
