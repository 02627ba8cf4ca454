"""A notice as HTML, for mail: the same words as the text, laid out for a telephone, a desk, and the dark.

Nothing is fetched from anywhere, nothing runs, nothing counts who reads. Without styles it is a heading,
tables and sentences; a client that throws the style sheet away has those within the elements. What comes from
outside is text, and nothing but text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final
from urllib.parse import urlsplit

from hostwatch.messages import catalogue
from hostwatch.messages.sheet import Row, Sheet, row, rows

LIGHT: Final = {"ground": "#ffffff", "ink": "#1b1b1b", "soft": "#4a4a4a", "line": "#c9c9c9"}
DARK: Final = {"ground": "#171717", "ink": "#ededed", "soft": "#c2c2c2", "line": "#4a4a4a"}

EDGES: Final = {
    "emergency": "#c62828",
    "update": "#c62828",
    "reminder": "#c62828",
    "recovery": "#2e7d32",
    "cleared": "#2e7d32",
    "warning": "#b26a00",
}
"""What kind of notice it is, for a quick eye; the words say it too."""

OTHER_EDGE: Final = "#55708f"

_RIGHT_TO_LEFT: Final = r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
_TURNED: Final = re.compile(rf"{_RIGHT_TO_LEFT}+(?:[^\S\n]+{_RIGHT_TO_LEFT}+)*")
"""Words that are read from right to left; they must not turn round what stands beside them."""

_WHOLE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{2}:[0-9]{2}"
    r"|(?<![\w.-])(?=[\w.-]{3,24}(?![\w.-]))[\w.]+(?:-[\w.]+)+",
    re.ASCII,
)
"""What stands on one line: an instant, and a name with hyphens that is short enough for a telephone."""

_FONT: Final = (
    "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'PingFang SC','Microsoft YaHei',"
    "'Noto Sans CJK SC',sans-serif"
)

STYLE: Final = f"""
:root {{ color-scheme: light dark; supported-color-schemes: light dark; }}
a[x-apple-data-detectors], u + #notice a:not(.key):not(.link) {{ color: inherit !important;
 text-decoration: none !important; font: inherit !important; }}
th, td {{ display: block; }}
td {{ padding-bottom: 10px !important; }}
@media (min-width: 620px) {{
 th, td {{ display: table-cell; padding-bottom: 6px !important; }}
 th.row {{ width: 30%; padding-right: 16px !important; }}
 h1 {{ font-size: 24px !important; }}
}}
@media (prefers-color-scheme: dark) {{
 body, #notice {{ background-color: {DARK["ground"]} !important; color: {DARK["ink"]} !important; }}
 .soft {{ color: {DARK["soft"]} !important; }}
 .line {{ border-color: {DARK["line"]} !important; }}
 .link {{ color: #a8c7fa !important; }}
 .key {{ background-color: #a8c7fa !important; color: #0b1f3a !important; }}
}}
""".strip()


def hypertext(sheet: Sheet, *, acknowledge_url: str = "") -> str:
    """The whole page. With an address there is a button that leads there: a person says that they have it."""
    first = "margin:0 0 16px;font-size:20px;line-height:1.35;font-weight:600"
    parts = [
        f'<h1 style="{first}">{_said(sheet.first)}</h1>',
        *(f'<p style="margin:0 0 16px"><strong>{_said(mark)}</strong></p>' for mark in sheet.marks),
        *_button(sheet, acknowledge_url),
        *(_table([*rows(block)]) for block in sheet.blocks),
        *(_step(row(step)) for step in sheet.steps),
        *_links(sheet),
        f'<p class="soft line" style="margin:24px 0 0;padding-top:12px;border-top:1px solid {LIGHT["line"]};'
        f'color:{LIGHT["soft"]}">{"<br>".join(map(_said, sheet.closing))}</p>',
    ]
    return _page(sheet, "\n".join(parts))


def _page(sheet: Sheet, content: str) -> str:
    colours = f"background-color:{LIGHT['ground']};color:{LIGHT['ink']}"
    words = f"font-family:{_FONT};font-size:16px;line-height:1.5;overflow-wrap:anywhere;word-break:break-word"
    edge = EDGES.get(sheet.kind, OTHER_EDGE)
    return f"""<!DOCTYPE html>
<html lang="{escape(sheet.language)}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{escape(sheet.first)}</title>
<style>
{STYLE}
</style>
</head>
<body style="margin:0;padding:0;{colours}">
<div id="notice" role="article" style="max-width:640px;margin:0 auto;padding:16px;{colours};{words}">
<div style="border-left:5px solid {edge};padding-left:12px">
{content}
</div>
</div>
</body>
</html>
"""


def _table(found: Sequence[Row]) -> str:
    lines = "\n".join(_rows(found))
    return (
        '<table role="table" class="line" cellpadding="0" cellspacing="0" border="0" style="width:100%;'
        f"border-collapse:collapse;border-top:1px solid {LIGHT['line']};margin:0 0 16px;font-size:16px"
        f'">\n{lines}\n</table>'
    )


def _rows(found: Sequence[Row]) -> Iterator[str]:
    inherit = "text-align:left;vertical-align:top"
    for one in found:
        if one.is_heading:
            yield (
                f'<tr role="row"><th role="rowheader" scope="rowgroup" colspan="2" style="{inherit};'
                f'padding:10px 0 4px;font-weight:600">{_said(one.value)}</th></tr>'
            )
        elif one.label:
            yield (
                f'<tr role="row"><th role="rowheader" scope="row" class="row soft" style="{inherit};'
                f'padding:6px 8px 0 0;font-weight:400;color:{LIGHT["soft"]}">{_said(one.label)}</th>'
                f'<td role="cell" style="{inherit};padding:6px 0 0">{_said(one.value)}</td></tr>'
            )
        else:
            yield (
                f'<tr role="row"><td role="cell" colspan="2" style="{inherit};padding:6px 0 0">'
                f"{_said(one.value)}</td></tr>"
            )


def _step(step: Row) -> str:
    label = f"<strong>{_said(step.label + step.colon)}</strong>" if step.label else ""
    return f'<p style="margin:0 0 12px">{label}{_said(step.value)}</p>'


def _button(sheet: Sheet, url: str) -> Iterator[str]:
    """Where the address is of no page of the web there is none."""
    if urlsplit(url).scheme not in ("http", "https"):
        return
    words = catalogue.words(sheet.language).gettext("I have it")
    yield (
        f'<p style="margin:0 0 20px"><a class="key" href="{escape(url)}" style="display:inline-block;'
        "padding:12px 24px;border-radius:6px;background-color:#0b57d0;color:#ffffff;font-weight:600;"
        f'text-decoration:none">{escape(words)}</a></p>'
    )


def _links(sheet: Sheet) -> Iterator[str]:
    """A link for each of several emergencies, far enough from the next for a thumb."""
    known = [(name, url) for name, url in sheet.links if urlsplit(url).scheme in ("http", "https")]
    if known:
        yield f'<p style="margin:0">{_said(sheet.asks)}</p>'
    for name, url in known:
        yield (
            f'<p style="margin:0"><a class="link" href="{escape(url)}" style="display:inline-block;'
            f'padding:10px 0;color:#0b57d0">{_said(name)}</a></p>'
        )


def _said(text: str) -> str:
    """A text as HTML: itself, whatever stands in it."""
    found = _TURNED.sub(lambda turned: f"<bdi>{turned[0]}</bdi>", escape(text))
    return _WHOLE.sub(lambda whole: f'<span style="white-space:nowrap">{whole[0]}</span>', found)
