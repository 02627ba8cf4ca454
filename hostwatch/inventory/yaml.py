"""Inventories as YAML: a list of devices under `devices:`, each with the line where it stands.

The plain part of YAML is the same as in the configuration, and read by the same reader, item by item.
"""

from __future__ import annotations

from collections.abc import Iterator

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.source import Node, Reader
from hostwatch.inventory.base import Item, Page

SUFFIXES = (".yaml", ".yml")
PROGRESS_EVERY = 1_000
LIST = "devices"


def read(page: Page) -> Iterator[Item]:
    """The devices, an item each."""
    reader = Reader()
    for number, node in enumerate(reader.items(page.name, page.text(), LIST)):
        _pass_on(reader, page)
        if number % PROGRESS_EVERY == 0:
            page.progress(node.line)
        if isinstance(node.value, dict):
            yield _item(node, node.value)
        elif not node.bad:
            wrong = Wrong("is not a mapping", "write the keys and values of a device")
            page.say(node.line, f"{LIST}[{number}]", wrong)
    _pass_on(reader, page)


def _pass_on(reader: Reader, page: Page) -> None:
    for found in reader.mistakes:
        page.say(found.line, found.key, Wrong(found.wrong, found.mend))
    reader.mistakes.clear()


def _item(node: Node, members: dict[str, Node]) -> Item:
    lines = {key: member.line for key, member in members.items()}
    return Item(node.line, {key: member.plain() for key, member in members.items()}, lines, False)
