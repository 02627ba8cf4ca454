"""What a new configuration changes, and what of a configuration may be recorded for ever.

List items that have an `id` are matched by it, so that moving a customer is no change; only contacts
are told in their order, so that theirs is one. A secret is never shown, but that it changed is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hostwatch.configuration import canonical
from hostwatch.configuration.model import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is no longer as it was; None where there was, or is, nothing."""

    path: str
    """Such as `customers[acme].devices[acme-web-1].address`."""

    before: Any
    after: Any
    """JSON types."""

    def as_json(self) -> dict[str, Any]:
        """The same as a plain mapping, for the record."""
        return {"path": self.path, "before": self.before, "after": self.after}


def describe(
    old: Configuration | None, new: Configuration, commit: canonical.Commit | None = None
) -> tuple[Change, ...]:
    """All changes, in the order of the new configuration. With `commit` fit for the record."""
    return of_trees({} if old is None else canonical.tree(old), canonical.tree(new), commit)


def of_trees(before: Any, after: Any, commit: canonical.Commit | None = None) -> tuple[Change, ...]:
    """The same of contents as `canonical.tree` makes them."""
    return tuple(
        Change(path=path, before=canonical.plain(was, commit), after=canonical.plain(now, commit))
        for path, was, now in _changes("", before, after)
    )


def between(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The changes between two contents as they were recorded: by `public_content`, of any two runs.

    Values are compared as the record has them, so a change of a secret alone is not seen.
    """
    return tuple(
        Change(path=path, before=canonical.plain(was), after=canonical.plain(now))
        for path, was, now in _changes("", _recorded(before or {}), _recorded(after))
    )


def _recorded(content: Any) -> Any:
    """A recorded content as a tree: lists whose items have an `id` are known by it again."""
    match content:
        case dict():
            return {key: _recorded(item) for key, item in content.items()}
        case list() if content and all(isinstance(item, dict) and "id" in item for item in content):
            return canonical.ById((item["id"], _recorded(item)) for item in content)
        case list():
            return [_recorded(item) for item in content]
    return content


def public_content(content: Any, commit: canonical.Commit) -> dict[str, Any]:
    """A tree for the record: no secrets, and what is personal as commitments only."""
    recorded: dict[str, Any] = canonical.plain(content, commit)
    return recorded


def _changes(path: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    was, now = _named(was, now), _named(now, was)
    if not isinstance(was, dict) or not isinstance(now, dict):
        if was != now:
            yield path, was, now
        return
    if path.endswith(".contacts") and was.keys() == now.keys() and [*was] != [*now]:
        yield path, [*was], [*now]
    for key in dict.fromkeys((*now, *was)):
        step = f"{path}[{key}]" if isinstance(now, canonical.ById) else f"{path}.{key}" if path else key
        if key in was and key in now:
            yield from _changes(step, was[key], now[key])
        elif isinstance(now.get(key), canonical.ById):
            yield from _changes(step, canonical.ById(), now[key])
        elif was.get(key) != now.get(key):
            yield step, was.get(key), now.get(key)


def _named(value: Any, other: Any) -> Any:
    """An empty list has no names to be known by; it is of the kind of the other."""
    return canonical.ById() if value == [] and isinstance(other, canonical.ById) else value
