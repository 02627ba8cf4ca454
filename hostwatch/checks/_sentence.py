"""The sentences of findings: patterns of ours in English, filled in with values, and the same in Chinese.

A finding keeps its sentence in English, as a text. It can be read back into pattern and values at any time:
each value has a form of its own, by its name, and what the other side said stands in quotation marks and
holds none. So nobody who is checked can make one sentence look like another, and whoever words a notice
finds the sentence again in another language, without anything more being kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from string import Formatter
from typing import Final, NamedTuple

VALUE_CHARS_MAX: Final = 60
"""The longest value in a sentence."""

Translate = Callable[[str], str]
"""A pattern or a word in another language; the same if it is not known there."""

Shown = Callable[[str | bytes, int], str]
"""Makes something printable, of so many characters at most, and hides what is secret in it."""

CHINESE: Final[dict[str, str]] = {}
"""All patterns and words in Simplified Chinese, of every kind of check that is loaded."""


class _Form(NamedTuple):
    """How a value of a name looks in a sentence."""

    shape: str
    """A regular expression for it."""

    write: Callable[[object, Shown], str]
    tell: Callable[[str, Translate], str] = lambda written, _translate: written
    """The same for readers of another language."""


def chinese(table: str) -> None:
    """Say patterns and words in Chinese too: lines in turns, English and Chinese.

    Whoever raises `Missed` does so for all his sentences.
    """
    lines = [line.strip() for line in table.strip().splitlines()]
    for english, other in zip(lines[::2], lines[1::2], strict=True):
        if CHINESE.setdefault(english, other) != other:
            raise ValueError(f"said in Chinese in two ways: {english}")
        if fields(english) != fields(other):
            raise ValueError(f"not the same values in Chinese: {english}")


def fields(pattern: str) -> frozenset[str]:
    """The names of the values in a pattern."""
    return frozenset(name for _, name, _, _ in Formatter().parse(pattern) if name)


def filled(pattern: str, values: Mapping[str, object], shown: Shown) -> str:
    """A sentence in English. Only in the values can anything be secret: the rest is ours."""
    if not values:
        return pattern
    return pattern.format_map({name: FORMS[name].write(value, shown) for name, value in values.items()})


def read(sentence: str) -> tuple[str, dict[str, str]] | None:
    """The pattern of a sentence and its values; None if it is of no pattern that is known."""
    if sentence in CHINESE:
        return sentence, {}
    for pattern in CHINESE:
        found = _matcher(pattern).fullmatch(sentence)
        if found is not None and all(read(why) for name, why in found.groupdict().items() if name == "why"):
            return pattern, found.groupdict()
    return None


def told(sentence: str, translate: Translate) -> str:
    """A sentence for whoever reads another language; as it is, if it is of no pattern that is known."""
    found = read(sentence)
    if found is None:
        return unlinked(sentence)
    pattern, values = found
    return translate(pattern).format_map(
        {name: FORMS[name].tell(value, translate) for name, value in values.items()}
    )


def unlinked(said: str) -> str:
    """What came from outside, so that no program that shows it makes a link of it: `www[.]acme[.]example`."""
    return re.sub(r"\.(?=[^\W\d_])", "[.]", said.replace("://", "[:]//").replace("@", "[at]"))


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    parts = []
    for literal, name, _, _ in Formatter().parse(pattern):
        parts.append(re.escape(literal))
        if name:
            parts.append(f"(?P<{name}>{FORMS[name].shape})")
    return re.compile("".join(parts))


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARS_MAX else text[: VALUE_CHARS_MAX - 1] + "…"


def _plain(value: object, _shown: Shown) -> str:
    return str(value)


def _count(value: object, _shown: Shown) -> str:
    return f"{value:,}"


def _text(value: object, shown: Shown) -> str:
    said = value if isinstance(value, str | bytes) else str(value)
    return "“" + re.sub("[“”]", '"', shown(said, VALUE_CHARS_MAX)) + "”"


def _names(value: object, shown: Shown) -> str:
    return _cut(", ".join(_name(one, shown) for one in value))  # type: ignore[attr-defined]


def _name(value: object, shown: Shown) -> str:
    return re.sub(r"[^\w.:%\[\]*+=…-]", "?", shown(str(value), VALUE_CHARS_MAX)) or "?"


def _codes(value: object, _shown: Shown) -> str:
    return _cut(str(value))


def _why(value: object, shown: Shown) -> str:
    return value.told(shown)  # type: ignore[attr-defined, no-any-return]


def _date(value: object, _shown: Shown) -> str:
    return value.isoformat()[:10]  # type: ignore[attr-defined, no-any-return]


def _tell_within(written: str, translate: Translate) -> str:
    return " ".join(f"{many} {translate(unit)}" for many, unit in re.findall(r"([0-9]+)([a-z]+)", written))


def _tell_what(written: str, translate: Translate) -> str:
    return translate("the command {name}").format(name=written) if written.isupper() else translate(written)


def _tell_codes(written: str, translate: Translate) -> str:
    return f" {translate('or')} ".join(one.replace("-", "–") for one in written.split(" or "))


FORMS: Final[Mapping[str, _Form]] = {
    "count": _Form(r"[0-9][0-9,]*", _count),
    "code": _Form(r"[0-9]+", _plain),
    "other": _Form(r"[0-9]+", _plain),
    "date": _Form(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", _date),
    "within": _Form(r"(?:[0-9]+[a-z]{1,2})+", _plain, _tell_within),
    "codes": _Form(r"[0-9][0-9or …-]*", _codes, _tell_codes),
    "name": _Form(r"[^\s“”;]+", _name),
    "names": _Form(r"[^\s“”;]+(?:, [^\s“”;]+)*(?:,? ?…)?", _names),
    "text": _Form("“[^“”]*”", _text, lambda written, _translate: unlinked(written)),
    "what": _Form(r"[A-Za-z][A-Za-z0-9 ]*", _plain, _tell_what),
    "why": _Form(".+", _why, told),
}
"""The values that a sentence may have, by their names.

`name` and `names` are what we or the operator wrote; whatever the other side says is a `text`. `what` is a
word of ours, that is said in Chinese too, or a command; `why` another sentence, at the end.
"""

chinese(
    """
    or
        或
    d
        天
    h
        小时
    m
        分钟
    s
        秒
    ms
        毫秒
    us
        微秒
    resolving the name
        解析域名
    connecting
        建立连接
    TLS handshake
        TLS 握手
    greeting
        服务器问候
    login
        登录
    answer
        应答
    content
        内容
    the command {name}
        {name} 命令
    and {count} more
        另有 {count} 项
    """
)
