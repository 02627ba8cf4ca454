"""What leaves by every channel, in each language, is what it was: `scripts/golden` writes it anew.

Look at the difference before you commit it: what stands in these files is what people read.
"""

from __future__ import annotations

import dataclasses
import re

import pytest

from hostwatch import messages
from hostwatch.channels import _phone, _segments, base, pager, voice
from hostwatch.channels.pager import LINE_MAX_CHARS
from tests.messages import forms
from tests.messages.examples import NOTICES, ZONE, compose
from tests.messages.test_hypertext import HOSTILE, everywhere
from tests.messages.test_spoken import sayable

LANGUAGES = forms.LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("heading", NOTICES)
def test_each_notice_leaves_as_it_did(heading: str, language: str) -> None:
    for path, text in forms.files(heading, language):
        kept = forms.FOLDER / path
        assert kept.exists(), f"{path} is missing: run scripts/golden"
        assert text == kept.read_text(encoding="utf-8"), f"{path} is otherwise: run scripts/golden"


def test_every_example_has_its_files_and_no_file_is_left_over() -> None:
    kept = {path.relative_to(forms.FOLDER).as_posix() for path in forms.FOLDER.rglob("*.*")}
    names = {forms.name(heading) for heading in NOTICES}

    assert len(names) == len(NOTICES)
    assert kept == {f"{tag}/{name}.{end}" for tag in LANGUAGES for name in names for end in ("txt", "html")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("heading", NOTICES)
def test_each_form_keeps_its_limits(heading: str, language: str) -> None:
    message = forms.told(heading, language).message
    for signature in ("", "【成都一号机房】"):
        text = _phone.written(message, signature)
        assert _segments.segments(text) <= 2
        assert message.named["reference"] in text
    line = pager.one_line(message)

    assert len(line) <= LINE_MAX_CHARS
    assert line.isascii()
    assert line.isprintable()
    assert "?" not in line, "nothing that we write ourselves is beyond a pager"
    for said in (voice.written(message, "1"), message.spoken["what"]):
        assert sayable(said)
        assert not re.search(r"[0-9]{3}|[0-9][:-]", said), "figures are said in words"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outside", HOSTILE)
def test_no_name_takes_a_form_beyond_its_limits(outside: str, language: str) -> None:
    message = forms.told("An emergency", language).message
    for kind, story in everywhere(outside):
        subject = compose(kind, (story,), language=language).subject
        brief = messages.brief([story], kind, zone=ZONE, repeat=True, late=True)
        odd = dataclasses.replace(message, subject=subject, brief=brief)

        assert _segments.segments(_phone.written(odd, "【成都一号机房】")) <= 2
        assert len(pager.one_line(odd)) <= LINE_MAX_CHARS
        assert pager.one_line(odd).isascii()


@pytest.mark.parametrize("heading", NOTICES)
def test_the_same_facts_stand_in_each_language(heading: str) -> None:
    english, chinese = (forms.told(heading, language).message for language in LANGUAGES)

    def facts(message: base.Message) -> dict[str, object]:
        told = {"subject", "text", "language"}
        return {name: value for name, value in message.payload.items() if name not in told}

    assert facts(english) == facts(chinese)
    assert english.brief == chinese.brief
    assert english.named == chinese.named
    assert english.html.count("<tr") == chinese.html.count("<tr")
    assert english.text.count("\n") == chinese.text.count("\n")
