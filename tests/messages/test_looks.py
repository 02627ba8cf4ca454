"""What a mail looks like, as a browser measures it: on a telephone, at a desk, by day and in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from hostwatch.messages import hypertext
from tests.browser import Browser, Mode, browser
from tests.messages import faxed, pictures
from tests.messages.examples import NOTICES, SILENT, compose
from tests.messages.test_hypertext import HOSTILE, everywhere

LANGUAGES = ("en", "zh-CN")
MODES: tuple[Mode, ...] = get_args(Mode)
FONT_LEAST_PX = 16
CONTRAST_LEAST = 4.5
"""WCAG 2.2, 1.4.3."""

MEASURED = """
(() => {
  const parts = colour => colour.match(/[0-9.]+/g).map(Number)
  const light = ([r, g, b]) => {
    const one = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    return 0.2126 * one(r) + 0.7152 * one(g) + 0.0722 * one(b)
  }
  const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)]
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
  }
  const ground = element => {
    for (; element; element = element.parentElement) {
      const found = parts(getComputedStyle(element).backgroundColor)
      if (found.length < 4 || found[3] > 0) return found
    }
    return [255, 255, 255]
  }
  const inverted = colour => colour.slice(0, 3).map(c => 255 - c)
  const found = { contrast: 99, inverted: 99, font: 99, right: 0, texts: 0, styled: [] }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode
    if (!node.data.trim()) continue
    const style = getComputedStyle(node.parentElement)
    const [ink, paper] = [parts(style.color), ground(node.parentElement)]
    const range = document.createRange()
    range.selectNodeContents(node)
    found.texts += 1
    found.contrast = Math.min(found.contrast, contrast(ink, paper))
    found.inverted = Math.min(found.inverted, contrast(inverted(ink), inverted(paper)))
    found.font = Math.min(found.font, parseFloat(style.fontSize))
    found.right = Math.max(found.right, range.getBoundingClientRect().right)
  }
  return { ...found, needs: document.documentElement.scrollWidth, has: innerWidth }
})()
"""


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


def measured(screen: Browser, page: str, *, width: int = 360, mode: Mode = "light") -> dict[str, Any]:
    screen.show(page, width=width, mode=mode)
    found: dict[str, Any] = screen.ask(MEASURED)
    assert found["texts"] > 3
    assert screen.others == []
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_can_be_read_on_a_telephone(screen: Browser, language: str, mode: Mode) -> None:
    for heading, (kind, stories, options) in NOTICES.items():
        sheet = compose(kind, stories, language=language, **options).sheet
        sheet = replace(sheet, asks="?", links=(("E-000042", "https://watch.example/a"),))
        found = measured(screen, hypertext(sheet, acknowledge_url="https://watch.example/a"), mode=mode)

        assert found["needs"] <= found["has"] == 360, heading
        assert found["right"] <= 360, heading
        assert found["font"] >= FONT_LEAST_PX, heading
        assert found["contrast"] >= CONTRAST_LEAST, heading
        assert found["inverted"] >= CONTRAST_LEAST, f"{heading}: where a client turns the colours round"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_makes_it_wider_than_the_screen(screen: Browser, name: str) -> None:
    for kind, story in everywhere(name):
        page = hypertext(compose(kind, (story,), customer_name=name).sheet)

        assert measured(screen, page)["needs"] <= 360
        if len(name) > 200:
            assert measured(screen, re.sub(r"(?s)<style>.*</style>", "", page))["needs"] <= 360


def test_without_its_styles_it_is_still_readable(screen: Browser) -> None:
    page = hypertext(compose("emergency", (SILENT,)).sheet)
    bare = re.sub(r' style="[^"]*"', "", re.sub(r"(?s)<style>.*</style>", "", page))
    found = measured(screen, bare)

    assert found["needs"] <= 360
    assert found["contrast"] >= CONTRAST_LEAST
    assert screen.ask("document.querySelector('h1').innerText") == compose("emergency", (SILENT,)).subject


def test_at_a_desk_lines_are_not_too_long(screen: Browser) -> None:
    for mode in MODES:
        screen.show(hypertext(compose("emergency", (SILENT,)).sheet), width=1280, mode=mode)
        box = screen.ask(
            "JSON.parse(JSON.stringify(document.querySelector('#notice').getBoundingClientRect()))"
        )

        assert box["width"] <= 700
        assert abs(box["left"] - (1280 - box["right"])) <= 1, "it stands in the middle"


def test_by_day_and_in_the_dark_it_has_grounds_of_its_own(screen: Browser) -> None:
    grounds = []
    for mode in MODES:
        screen.show(hypertext(compose("emergency", (SILENT,)).sheet), mode=mode)
        grounds.append(screen.ask("getComputedStyle(document.body).backgroundColor"))

    assert grounds == ["rgb(255, 255, 255)", "rgb(23, 23, 23)"]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_reader_of_screens_finds_headings_and_tables(screen: Browser, width: int) -> None:
    screen.show(hypertext(compose("emergency", (SILENT,)).sheet), width=width)
    tree = screen.do("Accessibility.getFullAXTree")["nodes"]
    found = [
        (one["role"]["value"], one.get("name", {}).get("value", "")) for one in tree if not one["ignored"]
    ]

    assert ("heading", compose("emergency", (SILENT,)).subject) in found
    assert sum(role == "table" for role, _ in found) == 1
    assert [name for role, name in found if role == "rowheader"] == [
        "Reference", "Device", "Silent since", "What we saw", "Declared an emergency",
    ]  # fmt: skip
    assert ("cell", "acme-web-1, address 192.0.2.17") in found


def test_the_pictures_of_the_page_are_those_that_are_taken(screen: Browser) -> None:
    page = (pictures.DOCS.parent / "notices.md").read_text(encoding="utf-8")
    kept = {f"{one.name}.webp" for one in pictures.KEPT} | {*faxed.kept()}

    assert {path.name for path in pictures.DOCS.iterdir()} == kept
    assert set(re.findall(r"pictures/([^\s\")]+)", page)) == kept
    assert pictures.take(screen, pictures.KEPT[0]).startswith(b"RIFF")
