"""Texts for services that read Markdown out of whatever they are sent: nothing in them is a sign any more.

To some apprise says that Markdown comes; by itself it would put a backslash before every sign, and not all of
them take those away again. Others are told nothing, and look for it all the same.
"""

from __future__ import annotations

import re
from typing import Final

from hostwatch.channels import base

RENDERED_BY: Final = frozenset(
    {"discord", "guilded", "mmost", "mmosts", "nctalk", "nctalks", "revolt", "ryver", "schan", "zulip"}
)
"""The schemes of the others."""

JOINER: Final = "\u2060"
"""A word joiner: takes no room, and stands between two signs that mean something only together."""

_SIGNS: Final = re.compile(r"[\\`*_\[\]~|]|(?m:^(?=\s*(?:[#>+=-]|[0-9]{1,9}[.)])))")
_TOGETHER: Final = re.compile(r"(\](?=\()|<|@|&(?=#?\w))")


def inert(text: str) -> str:
    """A text that is shown as it is: no links, tags, headings, lists or code, and nobody called by an @."""
    apart = _TOGETHER.sub(rf"\1{JOINER}", text)
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}" if sign[0] else JOINER, apart)


_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://\S*", re.I)


def apart(message: base.Message) -> str:
    """The text, for services that show text: no tags, nobody called by an @, no links but our own."""
    told = (one for one in message.payload.get("emergencies", ()) if isinstance(one, dict))
    own = {message.acknowledge_url, *(str(one.get("acknowledge_url")) for one in told)}

    def harmless(found: re.Match[str]) -> str:
        return found[0] if found[0] in own else found[0].replace("://", f":{JOINER}//")

    linkless = _ADDRESS.sub(harmless, message.text)
    return _TOGETHER.sub(lambda found: f"{found[0]}{JOINER}", linkless)
