"""The page of a link in a browser: on a telephone and a desk, by day and in the dark, in both languages."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.browser import Browser, Mode, browser
from tests.daemon.running import Running
from tests.web.desk import REFERENCE, free_port, open_desk

WIDTHS = (360, 1280)
CHINESE = ("name: Boss,", "name: 陈伟, language: zh-CN,")
FACTS = """({
  wide: document.documentElement.scrollWidth <= window.innerWidth,
  button: (r => [Math.round(r.width), Math.round(r.height)])(
    document.querySelector("button").getBoundingClientRect()),
  ink: getComputedStyle(document.body).color,
  ground: getComputedStyle(document.body).backgroundColor,
  on: getComputedStyle(document.querySelector("button")).color,
  key: getComputedStyle(document.querySelector("button")).backgroundColor,
  soft: getComputedStyle(document.querySelector(".note")).color,
  size: parseFloat(getComputedStyle(document.body).fontSize),
  language: document.documentElement.lang,
  scripts: document.scripts.length,
})"""


def test_a_person_presses_it_in_a_browser(start: Callable[..., Running], tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    web = f"web: {{url: '{url}', listen: '127.0.0.1:{port}', requests_per_minute: 1000}}\nlisten:"
    with open_desk(start, tmp_path, CHINESE, web=web, url=url) as desk, browser(tmp_path) as seen:
        link, other = url + desk.path("duty"), url + desk.path("boss")
        for width in WIDTHS:
            for mode in ("light", "dark"):
                seen.visit(link, width=width, mode=mode)
                looks_well(seen, mode, "en", width)
                kept(seen, f"page-{width}-{mode}")
        seen.visit(other, width=WIDTHS[0])
        looks_well(seen, "light", "zh-Hans", WIDTHS[0])
        assert f"{REFERENCE}：是否由您负责处理？" in seen.ask("document.body.innerText")
        kept(seen, "page-zh")
        assert desk.known() == [], "whoever only looks acknowledges nothing"

        seen.press("button[value=acknowledge]")
        assert desk.known() == [("boss", "陈伟", "link")]
        assert f"{REFERENCE} 由您负责处理" in seen.ask("document.body.innerText")
        kept(seen, "had-zh")
        seen.visit(link, width=WIDTHS[0])
        assert "陈伟 has it since" in seen.ask("document.body.innerText")
        kept(seen, "page-other-has")
        assert {one.split("?")[0] for one in seen.asked_for} <= {link, f"{url}/favicon.ico"}


def looks_well(seen: Browser, mode: Mode, language: str, width: int) -> None:
    found = seen.ask(FACTS)
    assert (found["wide"], found["language"], found["scripts"]) == (True, language, 0)
    assert found["button"][1] >= 44, "a thumb finds it"
    assert found["button"][0] > (width - 60 if width < 600 else 200)
    assert found["size"] >= 16
    pairs = [(found["ink"], found["ground"]), (found["soft"], found["ground"]), (found["on"], found["key"])]
    assert [contrast(*pair) >= 4.5 for pair in pairs] == [True] * 3, (mode, found)
    assert (brightness(found["ground"]) < 0.2) is (mode == "dark")


def contrast(one: str, other: str) -> float:
    """By WCAG 2: 4.5 is enough for every eye that reads at all."""
    light, dark = sorted((brightness(one), brightness(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def brightness(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def kept(seen: Browser, name: str) -> None:
    """A picture, for whoever names a folder to look at them."""
    picture, folder = seen.picture(), os.environ.get("HOSTWATCH_PICTURES")
    assert picture.startswith(b"\x89PNG")
    if folder:
        (Path(folder) / f"{name}.png").write_bytes(picture)
