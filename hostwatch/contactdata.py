"""What stands in a notice about contact data only while it is sent: codes, names, and addresses half hidden.

A code is made of our own key and the name of its notice, and kept nowhere: the record has a hash of it,
under the same key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from hostwatch.core.emergency import Notice

CODE_DIGITS = 8

Shown = Callable[[str], str]
"""The kind and the address of a way, by what it leads to; empty if that is not known any more."""


class Codes:
    """Codes that go with notices."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, notice: str) -> str:
        """The code of a notice: digits, since they are told by telephone, in any language."""
        number = int.from_bytes(self._mac(f"code {notice}"), "big")
        return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"

    def hashed(self, notice: str, code: str) -> str:
        """What the record has of it."""
        return self._mac(f"answer {notice} {code}").hex()[:32]

    def digest(self, notice: str) -> str:
        """The same of the right one."""
        return self.hashed(notice, self.of(notice))

    def _mac(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()


def typed(text: str) -> str:
    """A code as people type it, with spaces or hyphens; empty if it can be none."""
    digits = re.sub(r"[ -]", "", text)
    return digits if re.fullmatch(rf"[0-9]{{{CODE_DIGITS}}}", digits) else ""


def grouped(code: str) -> str:
    """As people read it: `1234 5678`."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


def masked(address: str) -> str:
    """An address by its first and last signs: `o…s@a…e`, `+86…34`."""
    if "@" in address:
        return "@".join(_ends(part, 1, 1) for part in address.split("@"))
    digits = address.replace(" ", "")
    return _ends(digits, 3, 2) if len(digits) >= 8 else _ends(digits, 1, 1)


def _ends(text: str, first: int, last: int) -> str:
    return f"{text[:first]}…{text[-last:]}" if len(text) > first + last else "…"


def filled(notice: Notice, codes: Codes, shown: Shown, *, person: str, site: str) -> Notice:
    """A notice about contact data as it is sent; any other is as it was. What is there already stays."""
    care = notice.stories[0].contact
    if care is None:
        return notice
    told = replace(
        care,
        code=care.code or (grouped(codes.of(notice.id)) if care.asks else ""),
        person=person,
        site=site,
        address=care.address or shown(care.way),
        old=care.old or _all(care.lost, shown),
        new=care.new or _all(care.gained, shown),
    )
    return replace(notice, stories=(replace(notice.stories[0], contact=told),))


def _all(ways: Iterable[str], shown: Shown) -> tuple[str, ...]:
    return tuple(text for text in map(shown, ways) if text)
