"""Pages for people: plain HTML, readable without style sheets and scripts, on a telephone and in the dark."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

from hostwatch.messages.having import Page

STYLE: Final = """
:root{color-scheme:light dark}
body{margin:0 auto;padding:1.25rem;max-width:36rem;font:1.0625rem/1.5 system-ui,"Noto Sans SC",sans-serif;
overflow-wrap:anywhere;background:#fff;color:#1a1a1a}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem}
.note{color:#595959;font-size:.9375rem}
label{display:block;margin:1.25rem 0 .25rem}
input,button{font:inherit;box-sizing:border-box;width:100%;padding:.75rem;border-radius:.5rem}
input{border:1px solid #767676;background:#fff;color:#1a1a1a}
button{margin:1rem 0;border:1px solid #0b5c34;background:#0b5c34;color:#fff;font-weight:600;cursor:pointer}
button.back{background:transparent;color:inherit;border-color:#767676;font-weight:400}
button:focus-visible,input:focus-visible{outline:3px solid #2f6fde;outline-offset:2px}
@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}.note{color:#b8b8b8}
input{background:#222;color:#eee;border-color:#8a8a8a}
button{background:#187a48;border-color:#187a48;color:#fff}}
"""

HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{HASH}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def html(page: Page, form: str = "") -> str:
    """A page. `form`: what shows that its button was pressed on a page of ours."""
    says = "".join(f"<p>{escape(one)}</p>" for one in page.says)
    notes = "".join(f'<p class="note">{escape(one)}</p>' for one in page.notes)
    return (
        f'<!doctype html><html lang="{escape(page.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex, nofollow">'
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(page.title)}</h1>{says}{_form(page, form)}{notes}</main></body></html>"
    )


def _form(page: Page, form: str) -> str:
    if not page.button and not page.back:
        return ""
    hidden = f'<input type="hidden" name="form" value="{escape(form)}">'
    if page.back:
        return (
            f'<form method="post">{hidden}'
            f'<button class="back" name="do" value="withdraw">{escape(page.back)}</button></form>'
        )
    return (
        f'<form method="post">{hidden}<label for="by">{escape(page.field)}</label>'
        f'<input id="by" name="by" maxlength="100" autocomplete="name" value="{escape(page.name)}">'
        f'<button name="do" value="acknowledge">{escape(page.button)}</button></form>'
    )
