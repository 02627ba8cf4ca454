"""The catalogues of words: one gettext file per language, compiled when it is first needed.

English stands in the code. A further language is one more folder under `locale/`, and no other edit.
"""

from __future__ import annotations

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ENGLISH = "en"
DOMAIN = "hostwatch.po"

SIMPLIFIED = frozenset({"zh", "zh-cn", "zh-sg", "zh-my", "zh-hans"})
"""Tags that mean Simplified Chinese; Babel's own negotiation would answer them in English."""


@cache
def languages() -> tuple[str, ...]:
    """The languages that can be written, as BCP 47 tags, English first."""
    folders = (resources.files(__package__) / "locale").iterdir()
    return (ENGLISH, *sorted(folder.name.replace("_", "-") for folder in folders if folder.is_dir()))


def resolve(language: str) -> str:
    """The language that a reader of this tag is written to: the nearest we have, else English."""
    tag = language.strip().replace("_", "-").lower()
    if tag in SIMPLIFIED or tag.startswith("zh-hans-"):
        tag = "zh-hans"
    known = {one.lower(): one for one in languages()}
    return known.get(tag) or known.get(tag.partition("-")[0]) or ENGLISH


@cache
def words(language: str) -> NullTranslations:
    """The catalogue of a resolved language."""
    if language == ENGLISH:
        return NullTranslations()
    folder = language.replace("-", "_")
    source = resources.files(__package__) / "locale" / folder / "LC_MESSAGES" / DOMAIN
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=folder))
    compiled.seek(0)
    return GNUTranslations(compiled)
