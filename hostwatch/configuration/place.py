"""Where a mistake stands: from the steps of a validation to a file, a line and a key for people."""

from __future__ import annotations

import re
from typing import Any

from hostwatch.configuration.fields import ID_PATTERN
from hostwatch.configuration.mistake import Mistake, Wrong
from hostwatch.configuration.source import Node
from hostwatch.configuration.syntax import shown_key

Steps = tuple[Any, ...]
Finding = tuple[Steps, Wrong]
"""Where something is wrong, and what."""


def mistake(root: Node, steps: Steps, wrong: Wrong) -> Mistake | None:
    """The mistake at a place; None if that place has been complained about already.

    What is missing has the line of the mapping in which it should stand.
    """
    node, key, depth = root, "", 0
    for step, found in root.way(steps):
        key, node, depth = key + _shown(step, found, top=not key), found, depth + 1
        if node.bad:
            return None
    missing = steps[depth : depth + 1]
    if missing and isinstance(missing[0], str) and (node.value is None or isinstance(node.value, dict)):
        key += f".{shown_key(missing[0])}" if key else shown_key(missing[0])
    return Mistake(file=node.file, line=node.line, key=key, wrong=wrong.wrong, mend=wrong.mend)


def _shown(step: Any, node: Node, *, top: bool) -> str:
    if isinstance(step, int):
        return f"[{identifier(node) or step}]"
    return shown_key(step) if top else f".{shown_key(step)}"


def identifier(node: Node) -> str | None:
    """The `id` of a mapping, if it has a good one."""
    found = node.get("id")
    value = found.value if found is not None else None
    return value if isinstance(value, str) and re.fullmatch(ID_PATTERN, value) else None
