"""YAML text made into plain values that remember where they stand.

We take the parser's events, never its objects: so depth and size are bounded while reading, nothing
is expanded (anchors, aliases, merge keys and tags are refused), and scalars mean what YAML 1.2 says:
`no`, `off` and `12:30` are text. Whatever the bytes are, the result is values and mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError

from hostwatch.configuration import scalar, syntax
from hostwatch.configuration.mistake import Mistake, Wrong

DEPTH_MAX = 32
"""How deeply lists and mappings may stand in each other."""

NODES_MAX = 2_000_000
"""How many values one configuration may have, over all its files."""

ITEM_NODES_MAX = 1_000
"""How many values one item of a long list may have."""

FILE_BYTES_MAX = 4 * 1024 * 1024
"""The largest file that is read."""


@dataclass(slots=True)
class Node:
    """A value and where it stands. Built while reading, and not changed afterwards."""

    file: str
    line: int
    """Of the key, if it is the value of one; else where it begins. From 1."""

    value: bool | int | float | str | list[Node] | dict[str, Node] | None = None
    bad: bool = False
    """It has been complained about already, so that nothing more need be said about it."""

    def plain(self) -> Any:
        """The value without places."""
        match self.value:
            case list() as items:
                return [item.plain() for item in items]
            case dict() as members:
                return {key: member.plain() for key, member in members.items()}
        return self.value

    def way(self, place: tuple[Any, ...]) -> Iterator[tuple[Any, Node]]:
        """The nodes on the way to a place, each with its step; ends early where nothing stands."""
        node = self
        for step in place:
            match node.value, step:
                case dict() as members, str() if step in members:
                    node = members[step]
                case list() as items, int() if 0 <= step < len(items):
                    node = items[step]
                case _:
                    return
            yield step, node

    def get(self, key: str) -> Node | None:
        """The member of a mapping, if this is one and has it."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> list[Node]:
        """The items of a list, or none if this is not a list."""
        return self.value if isinstance(self.value, list) else []


_TAKEN = Node("", 0, bad=True)
"""Stands for an item that has been taken out of its list."""


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    node: Node
    path: str
    key: str | None = None
    key_line: int = 0
    awaits_value: bool = False
    unusable: bool = False
    """The key that was just read cannot be used: its value is read and dropped."""

    first_lines: dict[str, int] = field(default_factory=dict)


class Reader:
    """Reads files one after the other, sharing one allowance of nodes, and collects the mistakes."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.nodes_left = NODES_MAX
        self.too_many = f"more than {NODES_MAX} values in all"

    def read(self, name: str, data: bytes) -> Node | None:
        """The file's one document; None if its text cannot be used, which is then a mistake."""
        try:
            text = syntax.decode(data)
        except syntax.Unreadable as unreadable:
            self._say(name, unreadable.line, "", unreadable.wrong)
            return None
        return _Document(self, name).build(text)

    def items(self, name: str, text: str, key: str) -> Iterator[Node]:
        """The items of the list under `key`, which is all that the file has; none of them is kept."""
        document = _Document(self, name)
        self.nodes_left = ITEM_NODES_MAX
        self.too_many = f"more than {ITEM_NODES_MAX} values in one item"
        for _ in document.steps(text):
            yield from document.finished(key)
        root = document.root
        if root is None:
            return
        if not isinstance(root.value, dict):
            document.say(root.line, Wrong("is not a mapping", f"write a list under {key}:"), "")
            return
        for other, node in root.value.items():
            if other != key:
                document.say(node.line, Wrong("is not known here", f"write {key}: alone"), other)
            elif not isinstance(node.value, list):
                document.say(
                    node.line, Wrong("is not a list", "write one item per line, each after a hyphen"), key
                )
        if key not in root.value:
            document.say(root.line, Wrong("is missing", "add it"), key)

    def _say(self, name: str, line: int, key: str, wrong: Wrong) -> None:
        self.mistakes.append(
            Mistake(file=name, line=line, key=key, wrong=wrong.wrong, mend=wrong.mend),
        )


class _Stop(Exception):
    """The rest of the file is not read. The mistake has been noted."""


class _Document:
    """Builds the nodes of one file."""

    def __init__(self, reader: Reader, name: str) -> None:
        self.reader = reader
        self.name = name
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.documents = 0

    def build(self, text: str) -> Node | None:
        for _ in self.steps(text):
            pass
        return self.root

    def steps(self, text: str) -> Iterator[None]:
        """Read event by event. At the end the root is there, or what is wrong has been said."""
        parsed = YAML(typ="safe", pure=True).parse(text)
        while True:
            try:
                event = next(parsed, None)
                if event is None:
                    break
                self._take(event)
            except _Stop:
                self.root = None
                return
            except MarkedYAMLError as error:
                line, wrong = syntax.explain(error)
                self.say(line, wrong, "")
                self.root = None
                return
            except Exception as error:  # the parser's own faults: any input may be a mistake, none a crash
                name = type(error).__name__
                self.say(1, Wrong(f"this is not valid YAML ({name})", "check the whole file"), "")
                self.root = None
                return
            yield
        if self.root is None:
            self.say(1, Wrong("the file is empty", "write a configuration, or remove the file"))

    def finished(self, key: str) -> Iterator[Node]:
        """The item of the list under `key` that has just been read; it is forgotten here."""
        if len(self.stack) == 2 and self.stack[0].key == key:
            items = self.stack[1].node.items()
            if items and items[-1] is not _TAKEN:
                yield items[-1]
                items[-1] = _TAKEN
                self.reader.nodes_left = ITEM_NODES_MAX

    def say(self, line: int, wrong: Wrong, key: str | None = None) -> None:
        if key is None:
            key = self._path()
        self.reader._say(self.name, line, key, wrong)

    def _path(self) -> str:
        if not self.stack:
            return ""
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            return f"{top.path}[{len(top.node.value)}]"
        if top.key is None:
            return top.path
        name = syntax.shown_key(top.key)
        return f"{top.path}.{name}" if top.path else name

    def _take(self, event: Any) -> None:
        match event:
            case events.ScalarEvent():
                self._scalar(event)
            case events.MappingStartEvent() | events.SequenceStartEvent():
                self._open(event)
            case events.MappingEndEvent() | events.SequenceEndEvent():
                self.stack.pop()
            case events.AliasEvent():
                line = event.start_mark.line + 1
                self.say(line, Wrong("aliases (*name) are not used here", "write the value out, or quote it"))
                self._place(Node(self.name, line, bad=True))
            case events.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    line = event.start_mark.line + 1
                    self.say(line, Wrong("a second document begins here", "remove the line ---"))
                    raise _Stop

    def _scalar(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if self._is_key():
            self._key(event, line)
            return
        node = Node(self.name, line)
        self._refuse_extras(event, node)
        try:
            node.value = scalar.meaning(event.value, plain=event.style is None)
        except Wrong as wrong:
            self.say(line, wrong)
            node.bad = True
        self._place(node)

    def _open(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if len(self.stack) >= DEPTH_MAX:
            self.say(line, Wrong(f"this stands more than {DEPTH_MAX} levels deep", "make it flatter"), "")
            raise _Stop
        mapping = isinstance(event, events.MappingStartEvent)
        if self._is_key():
            top = self.stack[-1]
            wrong = Wrong("a list or mapping cannot be a key", "write a name followed by a colon")
            self.say(line, wrong, top.path)
            top.key, top.awaits_value, top.unusable = None, True, True
            self.stack.append(_Open(Node(self.name, line, {} if mapping else []), top.path))
            return
        node = Node(self.name, line, {} if mapping else [])
        self._refuse_extras(event, node)
        path = self._path()
        self._place(node)
        self.stack.append(_Open(node, path))

    def _refuse_extras(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self.say(node.line, Wrong("anchors (&name) are not used here", "write the value out each time"))
        if event.tag is not None:
            self.say(node.line, Wrong("tags (!name) are not used here", "remove the tag"))
            node.bad = isinstance(event, events.ScalarEvent)

    def _is_key(self) -> bool:
        return (
            bool(self.stack)
            and isinstance(self.stack[-1].node.value, dict)
            and not self.stack[-1].awaits_value
        )

    def _key(self, event: Any, line: int) -> None:
        top, key = self.stack[-1], str(event.value)
        top.key, top.key_line, top.awaits_value, top.unusable = key, line, True, False
        name = syntax.shown_key(key)
        if event.anchor is not None or event.tag is not None:
            self.say(line, Wrong("anchors and tags are not used here", "write the key alone"), top.path)
        if not scalar.is_text(key):
            top.unusable = True
            self.say(line, Wrong("a key holds something that is no character", "remove the escape"), top.path)
        elif key == "<<" and event.style is None:
            top.unusable = True
            self.say(line, Wrong("merge keys (<<) are not used here", "write the keys out"), top.path)
        elif key in top.first_lines:
            top.unusable = True
            path = f"{top.path}.{name}" if top.path else name
            first = top.first_lines[key]
            self.say(line, Wrong(f"is written twice, first in line {first}", "remove one of the two"), path)
        else:
            top.first_lines[key] = line

    def _place(self, node: Node) -> None:
        """Put a value where it belongs; a key's value stands where its key stands."""
        self.reader.nodes_left -= 1
        if self.reader.nodes_left < 0:
            self.say(node.line, Wrong(self.reader.too_many, "split the site"), "")
            raise _Stop
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        match top.node.value:
            case list() as items:
                items.append(node)
            case dict() as members:
                node.line = top.key_line or node.line
                if not top.unusable and top.key is not None:
                    members[top.key] = node
                top.awaits_value = False
