"""The rules of the house, each as a check that reads the sources and complains.

Every check is also shown a small house in which its rule is broken, so that none of them can sleep.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from hostwatch import checks

ROOT = Path(__file__).parents[1]
Complaints = Iterator[str]
Check = Callable[[Path], Complaints]

MODULE_LINES = 400
FUNCTION_LINES = 70

LAYERS: dict[str, set[str]] = {
    "core": set(),
    "sla": {"core"},
    "promises": {"core"},
    "store": {"core"},
    "messages": {"core"},
    "reports": {"core", "sla", "room"},
    "channels": {"core", "configuration", "hylafax", "messages", "room", "unprivileged"},
    "checks": {"core", "configuration", "carrier", "room"},
    "checkers": {
        "core",
        "configuration",
        "checks",
        "gateways",
        "power",
        "ports",
        "snmp",
        "clock",
        "carrier",
        "garbage",
        "log",
        "unprivileged",
    },
    "power": {"core", "configuration", "checks", "room", "snmp"},
    "ports": {"core", "configuration", "checks", "room", "snmp"},
    "gateways": {"configuration", "checks", "hylafax", "room"},
    "heartbeats": {"configuration", "channels", "room"},
    "snmp": {"core", "configuration", "checks"},
    "configuration": {"core", "channels", "checks", "heartbeats", "ports", "power", "reach"},
    "inventory": {"core", "configuration", "room"},
    "web": {"core", "configuration", "messages", "checkers", "log"},
    "stock": {"core", "configuration", "inventory", "store", "unprivileged"},
    "reach": {"core", "configuration", "carrier", "clock", "icmp", "pace", "pinger", "room"},
}
"""What each package may import beside itself. `configuration` gives rooms the types of their settings."""

DOORS = {"watch": {"daemon", "commands.run"}, "daemon": {"commands.run"}, "cli": {"__main__"}}
"""The modules that know everyone, and who alone may know them."""

PURE = ("core", "sla", "promises")
PURE_IMPORTS = {
    *(
        "__future__",
        "abc",
        "array",
        "bisect",
        "collections",
        "collections.abc",
        "dataclasses",
        "datetime",
        "decimal",
    ),
    *("enum", "fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re"),
    *("types", "typing"),
}
IMPURE_METHODS = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp", "localtime"}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}

KINDS_ROOMS = (
    "channels",
    "checks",
    "gateways",
    "heartbeats",
    "ports",
    "power",
    "reach",
    "reports",
    "inventory",
)
"""Rooms where a file is a kind: one kind never imports another."""

WORDS = {
    "alert": "notice or emergency",
    "incident": "emergency or outage",
    "monitor": "check",
    "endpoint": "target",
    "blip": "silence",
}
WORDS_INSIDE = {
    "host": "device",
    "node": "device",
    "status": "outcome or state",
    "success": "outcome",
    "job": "check",
}
"""Words that protocols and libraries use too, and that are banned only where we name our own things."""

OUR_OWN = ("core", "sla", "promises", "store", "messages", "reports")

FOREIGN = {
    "a package registry": re.compile(
        "py" + r"pi\.org|python" + r"hosted|/simp" + r"le/|(?<!emit-)index-" + "url"
    ),
    "a path of one machine": re.compile(r"(?<![\w.$}])/(work|root|home/\w+|Users)/"),
    "a number of the tracker": re.compile(r"\b[Ii]ssue #?\d"),
}
TEXTS = {
    ".py",
    ".md",
    ".yaml",
    ".toml",
    ".sql",
    ".txt",
    ".service",
    ".conf",
    ".po",
    ".sh",
    ".cfg",
    ".json",
    "",
}


def modules(root: Path, *packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Names, without `hostwatch.`, and trees of all modules, or of those in some packages."""
    for file in sorted((root / "hostwatch").rglob("*.py")):
        parts = file.relative_to(root / "hostwatch").with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if not packages or parts[0] in packages:
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """The full names of everything that a module imports, wherever it does so."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str() as module):
                if module.split(".")[0] == "hostwatch":
                    yield from (f"{module}.{alias.name}" for alias in node.names)
                else:
                    yield module


def own(tree: ast.Module) -> Iterator[str]:
    """What a module imports of hostwatch, without that word; empty for the package itself."""
    for name in imports(tree):
        if name.split(".")[0] == "hostwatch":
            yield name.partition(".")[2]


def arrows_point_down(root: Path) -> Complaints:
    for name, tree in modules(root, *LAYERS):
        package = name.split(".")[0]
        for other in own(tree):
            version = other == "" and package not in PURE
            if not version and other.split(".")[0] not in LAYERS[package] | {package}:
                yield f"{name} imports {other or 'hostwatch'}"


def nobody_knows_those_who_know_everyone(root: Path) -> Complaints:
    for name, tree in modules(root):
        for other in own(tree):
            door = other.split(".")[0]
            if door in DOORS and name not in DOORS[door] | {door}:
                yield f"{name} imports {other}"


def kinds_do_not_know_each_other(root: Path) -> Complaints:
    for name, tree in modules(root, *KINDS_ROOMS):
        for other in own(tree):
            room, _, kind = other.partition(".")
            file = root / "hostwatch" / room / f"{kind.split('.')[0]}.py"
            if room != name.split(".")[0] or name == room or f"{room}.{kind.split('.')[0]}" == name:
                continue
            if file.exists() and kind.split(".")[0] != "base" and not kind.startswith("_"):
                yield f"{name} imports {other}"


def the_pure_import_little(root: Path) -> Complaints:
    for name, tree in modules(root, *PURE):
        for other in imports(tree):
            if other.split(".")[0] != "hostwatch" and other not in PURE_IMPORTS:
                yield f"{name} imports {other}"


def the_pure_have_no_clock_no_chance_and_no_voice(root: Path) -> Complaints:
    for name, tree in modules(root, *PURE):
        for node in ast.walk(tree):
            yield from (f"{name}:{line}: {what}" for line, what in _impure(node))


def _impure(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Await() | ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
            yield node.lineno, "awaits"
        case ast.Global():
            yield node.lineno, "keeps state in a global"
        case ast.Call(func=ast.Attribute(attr=attr), args=[]) if attr == "astimezone":
            yield node.lineno, "uses the zone of the machine"
        case ast.Call(func=ast.Attribute(attr=attr)) if attr in IMPURE_METHODS:
            yield node.lineno, f"calls .{attr}()"
        case ast.Call(func=ast.Name(id=called)) if called in IMPURE_CALLS:
            yield node.lineno, f"calls {called}()"


def modules_and_functions_are_small(root: Path) -> Complaints:
    for file in sorted((root / "hostwatch").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > MODULE_LINES:
            yield f"{file.name} has {lines} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield f"{file.name}: {node.name} has {length} lines"


def packages_say_what_they_are(root: Path) -> Complaints:
    for folder in sorted({file.parent for file in (root / "hostwatch").rglob("*.py")}):
        room = folder / "__init__.py"
        if not room.exists() or not ast.get_docstring(ast.parse(room.read_text(encoding="utf-8"))):
            yield f"{folder.name} has no docstring"


def things_have_one_name(root: Path) -> Complaints:
    for name, tree in modules(root):
        banned = WORDS | (WORDS_INSIDE if name.split(".")[0] in OUR_OWN else {})
        for node in ast.walk(tree):
            for given in _given(node):
                found = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", given)}
                for word in found & banned.keys():
                    yield f"{name}: {given} should be named {banned[word]}"


def _given(node: ast.AST) -> Iterator[str]:
    """Names that the code gives to things; what libraries called theirs is not our choice."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case (
            ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store())
        ):
            yield name


def nothing_names_a_machine_or_a_registry(root: Path) -> Complaints:
    for file in _texts(root):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for what, pattern in FOREIGN.items():
                if pattern.search(line):
                    yield f"{file.relative_to(root)}:{number} names {what}"


def _texts(root: Path) -> Iterator[Path]:
    """Every text that belongs to the project: what git would keep, or all files of a house without git."""
    if (root / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
        )
        files = [root / name for name in listed.stdout.split("\0") if name]
    else:
        files = [*root.rglob("*")]
    yield from sorted(file for file in files if file.is_file() and file.suffix in TEXTS)


CHECKS: tuple[Check, ...] = (
    arrows_point_down,
    nobody_knows_those_who_know_everyone,
    kinds_do_not_know_each_other,
    the_pure_import_little,
    the_pure_have_no_clock_no_chance_and_no_voice,
    modules_and_functions_are_small,
    packages_say_what_they_are,
    things_have_one_name,
    nothing_names_a_machine_or_a_registry,
)

LONG_FUNCTION = "def long():\n" + "    pass\n" * FUNCTION_LINES
BROKEN: list[tuple[Check, str, str]] = [
    (arrows_point_down, "core/a.py", "from hostwatch.store import rows"),
    (arrows_point_down, "core/a.py", "def f():\n    import hostwatch.engine"),
    (arrows_point_down, "core/a.py", "from hostwatch import log"),
    (arrows_point_down, "sla/a.py", "from hostwatch.reports import text"),
    (arrows_point_down, "store/a.py", "from hostwatch.clock import Clock"),
    (arrows_point_down, "channels/a.py", "from hostwatch.engine import Engine"),
    (nobody_knows_those_who_know_everyone, "engine.py", "from hostwatch.daemon import Service"),
    (nobody_knows_those_who_know_everyone, "sight.py", "from hostwatch.watch import Watch"),
    (nobody_knows_those_who_know_everyone, "commands/ping.py", "from hostwatch import cli"),
    (kinds_do_not_know_each_other, "channels/email.py", "from hostwatch.channels import webhook"),
    (kinds_do_not_know_each_other, "channels/email.py", "from hostwatch.channels.webhook import Settings"),
    (the_pure_import_little, "core/a.py", "import random"),
    (the_pure_import_little, "sla/a.py", "from time import monotonic"),
    (the_pure_import_little, "core/a.py", "import pydantic"),
    (the_pure_have_no_clock_no_chance_and_no_voice, "core/a.py", "when = datetime.now(UTC)"),
    (the_pure_have_no_clock_no_chance_and_no_voice, "core/a.py", "async def f(): pass"),
    (the_pure_have_no_clock_no_chance_and_no_voice, "core/a.py", "print(1)"),
    (the_pure_have_no_clock_no_chance_and_no_voice, "sla/a.py", "open('x')"),
    (the_pure_have_no_clock_no_chance_and_no_voice, "sla/a.py", "when.astimezone()"),
    (the_pure_have_no_clock_no_chance_and_no_voice, "core/a.py", "def f():\n    global x"),
    (modules_and_functions_are_small, "engine.py", "\n" * (MODULE_LINES + 1)),
    (modules_and_functions_are_small, "engine.py", LONG_FUNCTION),
    (packages_say_what_they_are, "power/__init__.py", "import re"),
    (packages_say_what_they_are, "power/nut.py", "'''A kind without a room.'''"),
    (things_have_one_name, "engine.py", "class AlertSender: pass"),
    (things_have_one_name, "core/a.py", "def look(host): pass"),
    (things_have_one_name, "sla/a.py", "node_count = 1"),
    (nothing_names_a_machine_or_a_registry, "a.py", "URL = 'https://" + "py" + "pi.org'"),
    (nothing_names_a_machine_or_a_registry, "a.py", "PATH = '/wo" + "rk/main'"),
    (nothing_names_a_machine_or_a_registry, "a.py", "# see iss" + "ue 2"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_house(check: Check) -> None:
    assert [*check(ROOT)] == []


@pytest.mark.parametrize(("check", "path", "text"), BROKEN)
def test_the_check_complains(check: Check, path: str, text: str, tmp_path: Path) -> None:
    for name in (
        "__init__.py",
        "channels/__init__.py",
        "channels/webhook.py",
        "core/__init__.py",
        "core/good.py",
    ):
        _write(tmp_path / "hostwatch" / name, '"""A good module."""\nfrom datetime import UTC, datetime\n')
    assert [*check(tmp_path)] == [], "the house must be in order before it is broken"
    _write(tmp_path / "hostwatch" / path, text)
    assert len([*check(tmp_path)]) == 1


def test_every_check_has_been_seen_to_complain() -> None:
    assert {check for check, _, _ in BROKEN} == set(CHECKS)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def missing(words: Iterable[str], pages: str) -> list[str]:
    """The words that no page has as a word of its own, in code."""
    return [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", pages)]


def docs() -> str:
    """What the pages show as code: between backquotes, and in blocks."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").rglob("*.md")))
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def settings(schema: object) -> Iterator[str]:
    """Every key that a configuration may have."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for inner in schema.values():
            yield from settings(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from settings(inner)


def metrics() -> set[str]:
    """The names of all metrics: every text in the module that looks like one."""
    tree = ast.parse((ROOT / "hostwatch" / "metrics.py").read_text(encoding="utf-8"))
    texts = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {text for text in texts if re.fullmatch(r"(hostwatch|probe)_[a-z_]+", text)}


def test_every_command_is_documented() -> None:
    files = (ROOT / "hostwatch" / "commands").glob("*.py")
    verbs = sorted(file.stem.replace("_", "-") for file in files if not file.stem.startswith("_"))
    assert "run" in verbs
    assert missing((f"hostwatch {verb}" for verb in verbs), docs()) == []


def of_checks() -> set[str]:
    """The kinds of checks and their settings, which have a page of their own, made from the models."""
    found = {*checks.kinds()}
    for kind in checks.kinds():
        found |= {*settings(checks.room(kind).Settings.model_json_schema())}
    return found


def test_every_setting_is_documented() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "hostwatch", "config-schema"], cwd=ROOT, capture_output=True, check=True
    )
    keys = sorted(set(settings(json.loads(printed.stdout))) - of_checks())
    assert {"interval", "misses", "contacts"} <= set(keys)
    assert missing(keys, docs()) == []


def test_every_metric_is_documented() -> None:
    assert len(metrics()) > 5
    assert missing(sorted(metrics()), docs()) == []


def test_what_is_not_documented_is_missed() -> None:
    assert missing(["interval", "inter", "run"], "`interval: 5m` `hostwatch run-all`") == ["inter", "run"]
