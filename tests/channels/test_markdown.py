"""Services that read Markdown show what a device is called, and nothing that its name would have them do."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hostwatch.channels import _markdown, apprise, base
from tests.channels import servers
from tests.messages.examples import NOTICES, SILENT, compose
from tests.messages.test_hypertext import HOSTILE

Around = Callable[..., base.Surroundings]
MORE = (
    "[x](http://evil.example)", "[x][y]", "![x](http://evil.example/p.png)", "<http://evil.example|pay here>",
    "<b>", "@everyone", "**a** __b__ ~~c~~ ||d||", "`a` ``b``", "# a", "> a", "- a", "1. a", "\\[x](http://y)",
    "===", "a_b_c",
)  # fmt: skip


class Shown(HTMLParser):
    """What a service shows."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.text = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("strikethrough").render(markdown))
        self.close()

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def bare(text: str) -> str:
    return "".join(text.replace(_markdown.JOINER, "").split())


@pytest.mark.parametrize("name", [*HOSTILE, *MORE])
def test_a_name_is_shown_as_it_is(name: str) -> None:
    text = compose("emergency", (dataclasses.replace(SILENT, device=name, why=name),)).text
    shown = Shown(_markdown.inert(text))

    assert shown.elements <= {"p"}
    assert bare(shown.text) == bare(text)
    assert "@everyone" not in shown.text


@given(text=st.text("ab\\`*_[]()<>~|@#+-=!:/1. \n", max_size=30))
def test_nothing_but_paragraphs_comes_of_any_text(text: str) -> None:
    assert Shown(_markdown.inert("x" + text)).elements <= {"p"}


@pytest.mark.parametrize(
    "sign", ["# a", "## a", "> a", "- a", "+ a", "1. a", "1) a", "===", "---", "    - a"]
)
def test_no_line_begins_with_a_sign(sign: str) -> None:
    shown = Shown(_markdown.inert(f"x\n{sign}\n\n{sign.strip()}\n"))

    assert shown.elements <= {"p"}
    assert bare(shown.text) == bare(f"x{sign}{sign}")


@pytest.mark.parametrize("heading", NOTICES)
def test_our_own_words_stay_what_they_are(heading: str) -> None:
    kind, stories, options = NOTICES[heading]
    text = compose(kind, stories, language="zh-CN", **options).text

    assert bare(Shown(_markdown.inert(text)).text) == bare(text)


TOKENS = {
    "mmost://{at}/" + "a" * 24: "read, though nothing is said of it",
    "rocket://" + "1" * 17 + "/" + "b" * 24 + "@{at}/%23room": "said to come",
}


@pytest.mark.parametrize("url", TOKENS, ids=[url.partition(":")[0] for url in TOKENS])
async def test_what_such_a_service_is_sent_has_no_sign_in_it(message, surroundings, url):
    text = compose("emergency", (dataclasses.replace(SILENT, device=MORE[0]),)).text
    told = dataclasses.replace(message, text=text, subject=text.splitlines()[0])
    async with servers.receiver() as receiver:
        settings = apprise.Settings.model_validate(url.format(at=f"{servers.LOOPBACK}:{receiver.port}"))
        await apprise.build(settings, surroundings()).send(told)

    sent = json.loads(receiver.requests[0].body)["text"]
    assert "\\[x\\]\u2060(http://evil.example)" in sent
    assert "E-000042" in sent
    assert "2026-10-03 14:05:00 +08:00" in sent, "what is no sign has no backslash"
    assert Shown(sent).elements <= {"p", "h1"}, "the title is apprise's own"


async def test_html_is_made_of_the_text_where_a_service_wants_it(message, surroundings):
    told = dataclasses.replace(message, subject="<b>a</b>", text="<b>a</b>\n\n[x](http://y) & <i>\n")
    async with servers.receiver() as receiver:
        url = f"json://{servers.LOOPBACK}:{receiver.port}/?format=html"
        await apprise.build(apprise.Settings.model_validate(url), surroundings()).send(told)

    sent = json.loads(receiver.requests[0].body)["message"]
    assert "&lt;i&gt;" in sent
    assert "<i>" not in sent
