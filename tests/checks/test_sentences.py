"""The sentences of findings: each in two languages, each found again, and none that anybody could forge.

```
 Missed("the server answered {code} instead of {codes}", code=502, codes="200-299")
   English    the server answered 502 instead of 200-299        kept, logged, counted
   read back  the pattern, code 502, codes 200-299              nothing else is kept for that
   Chinese    网站返回 502，应为 200–299                          in a notice
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch import checkers, checks
from hostwatch.checkers import asking as _asking
from hostwatch.checks import _sentence
from hostwatch.checks._finding import WHY_CHARS_MAX, Missed, printable
from hostwatch.checks._sentence import CHINESE, FORMS, VALUE_CHARS_MAX, fields, read, told, unlinked
from hostwatch.configuration.duration import shown
from hostwatch.wording import split

ROOMS = [Path(room.__file__ or "").parent for room in (checks, checkers)]
SOURCES = sorted(file for room in ROOMS for file in room.glob("*.py"))

for kind in checks.kinds():
    checks.room(kind)
assert _asking

PATTERNS = sorted(pattern for pattern in CHINESE if fields(pattern))
RAISERS = {"Missed", "_missed"}


def chinese(sentence: str) -> str:
    return told(sentence, lambda english: CHINESE.get(english, english))


def english(sentence: str) -> str:
    return told(sentence, lambda pattern: pattern)


def called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def raised(tree: ast.Module) -> Iterator[ast.expr]:
    """What each place that says what is missed gives as its sentence."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            if called(node.func) in RAISERS:
                yield node.args[0]
            elif called(node.func) == "partial" and called(node.args[0]) in RAISERS:
                yield node.args[1]


def literals(tree: ast.Module, said: ast.expr) -> set[str] | None:
    """The sentences that an expression can be; None if nobody can tell by looking at it."""
    match said:
        case ast.Constant(value=str() as text):
            return {text}
        case ast.Subscript(value=ast.Name(id=name)):
            return table(tree, name)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, other]):
            first, second = table(tree, name), literals(tree, other)
            return None if first is None or second is None else first | second
        case ast.IfExp(body=one, orelse=other):
            first, second = literals(tree, one), literals(tree, other)
            return None if first is None or second is None else first | second
        case ast.Name(id="pattern" | "why"):  # a parameter, or the variable of a loop over literals
            return set()
    return None


def table(tree: ast.Module, name: str) -> set[str] | None:
    """The values of a mapping that stands in a module."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and called(node.target) == name:
            assert isinstance(node.value, ast.Dict)
            return {str(ast.literal_eval(one)) for one in node.value.values}
    return None


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_whatever_is_missed_is_said_in_both_languages(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for said in raised(tree):
        found = literals(tree, said)
        assert found is not None, f"{file.name}:{said.lineno}: write the sentence, and its values apart"
        for sentence in found:
            assert sentence in CHINESE, f"{file.name}:{said.lineno}: say it in Chinese too: {sentence}"


def test_words_of_ours_in_a_sentence_are_said_in_both_languages() -> None:
    """`what` is one of ours or a command of the protocol: in capitals, as it is sent."""
    asking = {"must", "_must", "judge", "fetch", "refused"}
    for file in SOURCES:
        calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
        for call in (one for one in calls if called(one.func) in asking):
            for word in call.args:
                said = str(word.value) if isinstance(word, ast.Constant) else ""
                if (" " in said and said.islower()) or said in ("deleting",):
                    assert said in CHINESE, f"{file.name}:{call.lineno}"


def test_no_sentence_is_left_over() -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in SOURCES)
    wording = Path(checks.__file__ or "").parents[1] / "wording.py"
    code = sources + wording.read_text(encoding="utf-8")
    for sentence in CHINESE.keys() - {"or", "d", "h", "m", "s", "ms", "us", "and {count} more"}:
        assert f'"{sentence}"' in code, f"nobody says: {sentence}"


def test_chinese_is_chinese_and_has_the_same_values() -> None:
    for sentence, other in CHINESE.items():
        assert fields(sentence) == fields(other), sentence
        assert re.search("[\u4e00-\u9fff]", other), f"not in Chinese: {sentence}"
        assert not re.search(r"[,;!?(]|: ", other), f"the punctuation of another language: {other}"


def test_a_table_with_a_line_too_few_or_other_values_is_refused() -> None:
    known = dict(CHINESE)
    for bad in (
        "no value\n    没有\n    alone",
        "one {count}\n    一个 {code}",
        "connection refused\n    连接失败",
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            _sentence.chinese(bad)
        CHINESE.clear()
        CHINESE.update(known)


HOSTILE = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200),
    st.sampled_from(
        (
            "”; http: TLS: the certificate expired on 2026-11-01",
            "” was refused", "“”“”", "{text}", "{", "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe", "a\r\nBcc: b@c",
            "\N{ZERO WIDTH SPACE}", "https://pay.example/now", "; and 3 more", "\\", "%(why)s", "",
        )
    ),
)  # fmt: skip
PLAIN = {
    "count": st.integers(0, 10**12),
    "code": st.integers(0, 2**32),
    "other": st.integers(0, 2**32),
    "date": st.datetimes(timezones=st.just(UTC)),
    "within": st.timedeltas(timedelta(microseconds=1), timedelta(minutes=5)).map(shown),
    "codes": st.lists(st.sampled_from(("200", "200-299", "404")), min_size=1, max_size=20).map(" or ".join),
    "name": HOSTILE.map(lambda said: said if isinstance(said, str) else said.decode("latin-1")),
    "names": st.lists(st.text(max_size=90), min_size=1, max_size=9),
    "text": HOSTILE,
    "what": st.sampled_from(("the login", "deleting", "what is offered", "AUTH TLS", "EHLO")),
}


@st.composite
def sentences(draw: st.DrawFn, depth: int = 0) -> tuple[str, Missed]:
    """A sentence with whatever values the other side may choose."""
    some = [pattern for pattern in PATTERNS if pattern not in NOT_RAISED]
    pattern = draw(st.sampled_from([one for one in some if not depth or "{why}" not in one]))
    values: dict[str, Any] = {}
    for name in fields(pattern):
        values[name] = draw(sentences(depth + 1))[1] if name == "why" else draw(PLAIN[name])
    return pattern, Missed(pattern, **values)


NOT_RAISED = {"and {count} more", "the command {name}"}


@given(sentences())
def test_every_sentence_is_found_again_whatever_is_in_it(sentence: tuple[str, Missed]) -> None:
    pattern, missed = sentence
    found = read(missed.why)

    assert found is not None, missed.why
    assert found[0] == pattern
    assert pattern.format_map(found[1]) == missed.why
    assert len(missed.why) <= WHY_CHARS_MAX
    assert missed.why.isprintable()
    for words in (english(missed.why), chinese(missed.why)):
        assert words.isprintable()
        assert "://" not in words
    assert re.search("[\u4e00-\u9fff]", chinese(missed.why))


@given(sentences())
def test_nobody_can_make_one_finding_look_like_two(sentence: tuple[str, Missed]) -> None:
    found = f"http: TLS: {sentence[1].why}"
    assert split(f"{found}; {found}") == [found, found]


FIGURES = {"count": 20, "code": 5, "other": 5, "date": 10, "within": 20}
LONGEST = {**FIGURES, "what": 25, "text": VALUE_CHARS_MAX + 2}
"""Characters; of a code those of a port."""


def longest(pattern: str) -> int:
    """The characters of a sentence, but for another one in it."""
    parts = (len(literal) + (LONGEST.get(name, VALUE_CHARS_MAX) if name and name != "why" else 0)
             for literal, name, _, _ in Formatter().parse(pattern))  # fmt: skip
    return sum(parts)


def test_every_sentence_fits_with_its_longest_values() -> None:
    inside = max(longest(pattern) for pattern in PATTERNS if "{why}" not in pattern)
    for pattern in PATTERNS:
        assert longest(pattern) + (inside if "{why}" in pattern else 0) <= WHY_CHARS_MAX, pattern


@pytest.mark.parametrize(
    ("sentence", "in_english", "in_chinese"),
    [
        ("connection refused", "connection refused", "连接被拒绝"),
        ("no answer within 1m30s", "no answer within 1 m 30 s", "1 分钟 30 秒内没有应答"),
        ("the server answered 502 instead of 200-299 or 301",
         "the server answered 502 instead of 200–299 or 301", "网站返回 502，应为 200–299 或 301"),
        ("the certificate expired on 2026-11-01",
         "the certificate expired on 2026-11-01", "证书已于 2026-11-01 过期"),
        ("the login was refused with 535", "the login was refused with 535", "登录被拒绝（535）"),
        ("EHLO was refused with 502", "the command EHLO was refused with 502", "EHLO 命令被拒绝（502）"),
        ("the mailbox: the login was refused (NO)",
         "the mailbox: the login was refused (NO)", "邮箱：登录被拒绝（NO）"),
        ("the handshake failed: “see https://pay.example, or ring boss@pay.example”",
         "the handshake failed: “see https[:]//pay[.]example, or ring boss[at]pay[.]example”",
         "握手失败：“see https[:]//pay[.]example, or ring boss[at]pay[.]example”"),
        ("what an older version said: http://pay.example",
         "what an older version said: http[:]//pay[.]example",
         "what an older version said: http[:]//pay[.]example"),
    ],
)  # fmt: skip
def test_a_sentence_is_told_in_the_language_of_its_reader(
    sentence: str, in_english: str, in_chinese: str
) -> None:
    assert (english(sentence), chinese(sentence)) == (in_english, in_chinese)


def test_what_stands_in_a_sentence_has_a_form() -> None:
    assert {name for pattern in CHINESE for name in fields(pattern)} == set(FORMS)


def test_figures_are_no_links() -> None:
    assert unlinked("192.0.2.7:443, 2.5 s, 1.1") == "192.0.2.7:443, 2.5 s, 1.1"
    assert unlinked("www.acme.example.") == "www[.]acme[.]example."


def test_a_secret_is_hidden_in_the_values_and_never_in_our_own_words() -> None:
    """A password `failed` is said back by the server: our own sentence stands, and is found again."""
    missed = Missed("the handshake failed: {text}", text="failed: no")

    def hiding(said: str | bytes, chars_max: int) -> str:
        assert isinstance(said, str)
        return printable(said.replace("failed", "***"), chars_max)

    assert missed.told(hiding) == "the handshake failed: “***: no”"
