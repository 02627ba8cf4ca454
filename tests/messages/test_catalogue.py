"""The catalogues: every word translated, none new, none left over; and who is written to in which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from hostwatch import messages
from hostwatch.checks.base import CHINESE
from hostwatch.messages import catalogue

PACKAGE = Path(messages.__file__).parent
CATALOGUES = sorted(PACKAGE.glob("locale/*/LC_MESSAGES/hostwatch.po"))


def strings(message: Message) -> list[str]:
    """The translation, in all its plural forms."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


PLACEHOLDER = re.compile(r"%\([a-z]+\)[sd]|%[sd]")


def in_the_code() -> set[str]:
    """Every msgid that the code asks for, plural forms by their singular."""
    found = extract_from_dir(PACKAGE, method_map=[("**.py", "python")])
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def translated(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file, abort_invalid=True) if message.id]


def test_there_is_a_catalogue():
    assert [path.parts[-3] for path in CATALOGUES] == ["zh_Hans"]
    assert messages.languages() == ("en", "zh-Hans")


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_word_is_translated_and_none_is_left_over(path):
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in translated(path)}

    assert known - CHINESE.keys() == in_the_code() - CHINESE.keys(), "sentences of checks may stand here too"
    for message in translated(path):
        assert strings(message), f"not translated: {message.id}"
        assert all(strings(message)), f"not translated: {message.id}"
        assert not message.fuzzy, f"to be looked at: {message.id}"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_translation_fills_in_the_same_values(path):
    for message in translated(path):
        ids = [message.id] if isinstance(message.id, str) else message.id
        for string in strings(message):
            expected = sorted(PLACEHOLDER.findall(ids[-1]))
            assert sorted(PLACEHOLDER.findall(string)) == expected, message.id


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh_CN", "zh-Hans"), ("ZH-cn", "zh-Hans"),
        ("zh-SG", "zh-Hans"), ("zh-Hans", "zh-Hans"), ("zh-Hans-CN", "zh-Hans"), ("en", "en"),
        ("en-GB", "en"), ("fr", "en"),
        ("zh-TW", "en"), ("zh-Hant", "en"), ("", "en"), ("../../etc", "en"),
    ],
)  # fmt: skip
def test_who_is_written_to_in_which_language(asked, written):
    assert messages.resolve(asked) == written


def test_english_needs_no_catalogue():
    assert catalogue.words("en").gettext("no answer") == "no answer"
    assert catalogue.words("zh-Hans").gettext("no answer") == "无应答"
