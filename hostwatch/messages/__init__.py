"""The words of a notice, in the language of the customer, and the same as data.

A text is never stronger than the proof: a device did not answer our pings, and that is all we say.
"""

from __future__ import annotations

from hostwatch.messages.aloud import spoken
from hostwatch.messages.brief import brief
from hostwatch.messages.catalogue import languages, resolve
from hostwatch.messages.data import payload
from hostwatch.messages.hypertext import hypertext
from hostwatch.messages.named import NAMES, named
from hostwatch.messages.paper import page
from hostwatch.messages.text import Composed, compose

__all__ = [
    "NAMES",
    "Composed",
    "brief",
    "compose",
    "hypertext",
    "languages",
    "named",
    "page",
    "payload",
    "resolve",
    "spoken",
]
