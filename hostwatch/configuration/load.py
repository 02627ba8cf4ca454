"""From a path to a valid configuration, or to all mistakes of all its files at once."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hostwatch.configuration import (
    canonical,
    files,
    heartbeat,
    place,
    place_rules,
    power_rules,
    rules,
    service_rules,
    sight_rules,
    uplink_rules,
    words,
)
from hostwatch.configuration.mistake import BadConfiguration, Mistake, Wrong, in_order
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.place import Finding
from hostwatch.configuration.secret import Places
from hostwatch.configuration.source import FILE_BYTES_MAX, Node, Reader
from hostwatch.configuration.whereabouts import STORE_PREFIX

INCLUDED_FILES_MAX = 10_000
"""How many files one configuration may include."""

FOLLOWS = "default_factory_not_called"
"""A default that could not be computed because of a mistake that is told anyway."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A configuration that may come into force."""

    configuration: Configuration
    warnings: tuple[Mistake, ...]
    digest: str
    """The SHA-256 of the canonical content, in hexadecimal. Secrets do not enter it."""

    folder: Path
    """The folder of the configuration file, absolute: relative paths begin here."""

    beside: Path = Path()
    """The same folder as the user named it, for the names in mistakes."""

    inventories: tuple[str, ...] = ()
    """The files with many devices each, relative to the main file; they are read elsewhere (`stock`)."""

    places: Mapping[str, str] = field(default_factory=dict)
    """Where the devices of the configuration itself stand, by name; empty without inventories."""

    read: tuple[Mapping[str, Any], ...] = ()
    """What has been read of the inventories: `id` (the name of the file), `devices`, `digest`."""

    supplies: tuple[str, ...] = ()
    """The supplies of the devices in inventories, by name."""

    uplinks: tuple[str, ...] = ()
    """The uplinks and redundancy groups that the devices in inventories are behind, by name."""

    @cached_property
    def tree(self) -> Any:
        """The content, for comparing and recording."""
        content = canonical.tree(self.configuration)
        if self.read:
            content["inventory"] = canonical.ById((one["id"], dict(one)) for one in self.read)
        return content

    def with_inventories(
        self,
        read: Iterable[Mapping[str, Any]],
        warnings: Iterable[Mistake],
        supplies: Iterable[str] = (),
        uplinks: Iterable[str] = (),
    ) -> Loaded:
        """The same when its inventories have been read, with its own digest."""
        warned = (*self.warnings, *warnings)
        whole = replace(
            self, read=tuple(read), warnings=warned, supplies=tuple(supplies), uplinks=tuple(uplinks)
        )
        return replace(whole, digest=canonical.digest(whole.tree))

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.path(self.configuration.store.removeprefix(STORE_PREFIX))

    @property
    def control(self) -> Path:
        """The control socket."""
        if self.configuration.control is not None:
            return self.path(self.configuration.control)
        return self.store.with_name(f"{self.store.name}.sock")

    def path(self, written: str) -> Path:
        """A path of the configuration: relative ones begin in its folder."""
        return Path(os.path.normpath(self.folder / written))


def load(path: Path, *, environment: Mapping[str, str] | None = None, read_secrets: bool = True) -> Loaded:
    """Read, check and assemble. Raises `BadConfiguration` with all mistakes, and nothing else.

    `read_secrets=False` checks a configuration on a machine where its secrets are not at hand; what
    comes of it must not be run.
    """
    places = Places(
        folder=Path(path).parent,
        environment=os.environ if environment is None else environment,
        read_secrets=read_secrets,
    )
    return _Loading(Path(path), places).run()


def _places(root: Node) -> dict[str, str]:
    found = {}
    customers = root.get("customers")
    for customer in customers.items() if customers is not None else ():
        devices = customer.get("devices")
        for device in devices.items() if devices is not None else ():
            name = device.get("id")
            if name is not None and isinstance(name.value, str):
                found[name.value] = f"{name.file}:{name.line}"
    return found


class _Loading:
    """One run over the files; collects mistakes as it goes."""

    def __init__(self, path: Path, places: Places) -> None:
        self.path = path
        self.places = places
        self.reader = Reader()

    def run(self) -> Loaded:
        root = self._read(self.path)
        if root is None:
            raise BadConfiguration(self.reader.mistakes)
        self._include(root)
        inventories = self._inventories(root)
        configuration = self._validate(root)
        if configuration is None or self.reader.mistakes:
            raise BadConfiguration(self.reader.mistakes)
        folder = Path(os.path.abspath(self.path)).parent  # noqa: PTH100 - links are not to be resolved
        loaded = Loaded(
            configuration=configuration,
            warnings=in_order(self._placed(root, self._warnings(configuration))),
            digest=canonical.digest(canonical.tree(configuration)),
            folder=folder,
            beside=self.path.parent,
            inventories=inventories,
            places=_places(root) if inventories else {},
        )
        self._add(root, rules.among_terms(configuration))
        self._add(root, rules.among_addresses(configuration))
        self._add(root, sight_rules.mistakes(configuration))
        self._add(root, uplink_rules.mistakes(configuration))
        self._add(root, service_rules.mistakes(configuration))
        self._add(root, power_rules.mistakes(configuration))
        self._add(root, heartbeat.mistakes(configuration))
        self._add(root, place_rules.mistakes(configuration))
        self._add(root, rules.about_control(loaded.control, is_set=configuration.control is not None))
        if self.reader.mistakes:
            raise BadConfiguration(self.reader.mistakes)
        return loaded

    def _read(self, path: Path) -> Node | None:
        try:
            contents = files.read(path, bytes_max=FILE_BYTES_MAX)
        except Wrong as wrong:
            self._complain(str(path), None, "", wrong)
            return None
        return self.reader.read(str(path), contents.data)

    def _complain(self, file: str, line: int | None, key: str, wrong: Wrong) -> None:
        self.reader.mistakes.append(
            Mistake(file=file, line=line, key=key, wrong=wrong.wrong, mend=wrong.mend)
        )

    def _include(self, root: Node) -> None:
        """Append one customer for each included file to the customers of the main file."""
        asked = root.get("include")
        if asked is None:
            return
        customers = root.get("customers")
        if customers is None and isinstance(root.value, dict):
            customers = root.value["customers"] = Node(asked.file, asked.line, [])
        for name in self._named(asked, "include"):
            customer = self._read(self.path.parent / name)
            if customer is not None and customers is not None and isinstance(customers.value, list):
                customers.value.append(customer)

    def _inventories(self, root: Node) -> tuple[str, ...]:
        asked = root.get("inventory")
        return () if asked is None else tuple(self._named(asked, "inventory"))

    def _named(self, asked: Node, key: str) -> list[str]:
        """The names of the files that a key asks for, each once."""
        patterns = asked.items() if isinstance(asked.value, list) else [asked]
        found: dict[str, None] = {}
        for node in patterns:
            if not isinstance(node.value, str) or not node.value or "\0" in node.value:
                continue  # a mistake of its own, said by the model
            for name in self._matches(node, key):
                found.setdefault(os.path.normpath(name))
                if len(found) > INCLUDED_FILES_MAX:
                    wrong = Wrong(f"more than {INCLUDED_FILES_MAX} files are included", "split the site")
                    self._complain(node.file, node.line, key, wrong)
                    return []
        return list(found)

    def _matches(self, node: Node, key: str) -> list[str]:
        """The names that a pattern fits, sorted; a name without wildcards must exist."""
        pattern = str(node.value)
        if not glob.has_magic(pattern):
            if os.path.lexists(self.path.parent / pattern):
                return [pattern]
            wrong = Wrong(f"there is no file {pattern}", "check the path, which is relative to this file")
            self._complain(node.file, node.line, key, wrong)
            return []
        part = os.path.dirname(pattern)  # noqa: PTH120 - a pattern is no path yet
        folder = self.path.parent / part
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):  # noqa: PTH112 - never raises
            wrong = Wrong(f"the folder {part} may not be read by this user", "check its owner and mode")
            self._complain(node.file, node.line, key, wrong)
            return []
        return sorted(glob.glob(pattern, root_dir=self.path.parent))  # noqa: PTH207 - absolute patterns too

    def _validate(self, root: Node) -> Configuration | None:
        configuration = None
        try:
            configuration = Configuration.model_validate(root.plain(), context=self.places)
        except ValidationError as error:
            details = error.errors(include_url=False)
            self._add(root, ((it["loc"], words.explain(it)) for it in details if it["type"] != FOLLOWS))
        self._add(root, rules.among_names(root))
        self._add(root, rules.among_channels(root))
        return configuration

    def _warnings(self, configuration: Configuration) -> Iterator[Finding]:
        yield from rules.warnings(configuration)
        yield from sight_rules.warnings(configuration)
        yield from uplink_rules.warnings(configuration)
        yield from service_rules.warnings(configuration)
        yield from power_rules.warnings(configuration)
        yield from place_rules.warnings(configuration)

    def _add(self, root: Node, findings: Iterator[Finding]) -> None:
        self.reader.mistakes.extend(self._placed(root, findings))

    def _placed(self, root: Node, findings: Iterator[Finding]) -> Iterator[Mistake]:
        for steps, wrong in findings:
            found = place.mistake(root, steps, wrong)
            if found is not None:
                yield found
