"""The page `docs/checks.md`, made from the models of all kinds:  scripts/pages

What is told of a setting stands at the setting, so that nobody has to write it twice.
"""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import BaseModel

from hostwatch import checks, wording
from hostwatch.checks import base
from hostwatch.checks.base import Step
from hostwatch.configuration.duration import shown

PLACE: Final = Path(__file__).parents[2] / "docs" / "checks.md"

OPENING: Final = """\
# Checks of applications

A ping tells that a device answers. A check tells that an application on it runs: it connects as a customer's
customers do, says what they say, and looks at what comes back. `scripts/pages` makes this page from the code.

A check runs in a process of its own, without rights and without the record. It ends within its `timeout`
whatever the other side does; what it may read, follow and connect to is bounded ([limits.md](limits.md)).
Whatever is the application's fault is a miss, with the step that failed and what is wrong in plain words.
Whatever is our own fault, such as a resolver of ours that does not answer, is unknown, and no miss.

Where only one setting is needed it may be written alone: `tcp: 443` means `tcp: {port: 443}`.

## Steps

Each check goes through some of these, in this order; a miss says in which one it happened. Notices say it in
the customer's language, and what is wrong as well ([notices.md](notices.md)).

| step | what is done | what a miss there mostly means | in notices |
|---|---|---|---|
"""

STEPS: Final = {
    Step.RESOLVE: (
        "the name becomes an address",
        "the name does not exist, or has no address of this family",
    ),
    Step.CONNECT: (
        "a connection is made",
        "the application does not run, a filter is in between, or its queue is full",
    ),
    Step.TLS: (
        "TLS is agreed upon, and the certificate examined",
        "a certificate that has expired, is for another name, or by an unknown authority",
    ),
    Step.GREETING: ("the server says who it is", "another application has the port, or it is overloaded"),
    Step.LOGIN: ("we say who we are", "the account was changed, or what the server asks for is down"),
    Step.ANSWER: ("we ask, and something comes back", "the application runs, and does not work"),
    Step.CONTENT: (
        "what came is held against what was expected",
        "the application works, and says something wrong",
    ),
}

COMMON: Final = """
## Settings of every check

"""

OF_TLS: Final = """
## Settings of TLS

Where a setting is said to be a mapping of TLS, these stand in it; `tls: {}` takes them as they are.

"""

HEAD: Final = "| setting | what is written | if absent | meaning |\n|---|---|---|---|\n"


def page() -> str:
    """All of it."""
    parts = [OPENING, *(_step(step, *told) for step, told in STEPS.items())]
    parts += [COMMON, HEAD, *_rows(base.Settings), OF_TLS, HEAD, *_rows(base.Tls)]
    for kind in checks.kinds():
        parts += _kind(kind, checks.room(kind))
    return "".join(parts)


def _step(step: Step, done: str, means: str) -> str:
    words = wording.STEPS[step]
    return f"| {step} | {done} | {means} | {words}, {base.CHINESE[words]} |\n"


def _kind(kind: str, module: ModuleType) -> list[str]:
    settings: type[base.Settings] = module.Settings
    told = inspect.cleandoc(module.__doc__ or "")
    parts = [f"\n## {kind}\n\n{told}\n\n```yaml\n{module.EXAMPLE.strip()}\n```\n\n"]
    if settings.shorthand:
        parts.append(f"A bare value is the `{settings.shorthand}`.\n\n")
    own = [*_rows(settings, besides=(base.Settings, base.Tls))]
    if own:
        parts += [HEAD, *own]
    if base.Tls in settings.__mro__:
        parts.append("\nThe settings of TLS stand beside these.\n")
    return parts


def _rows(model: type[BaseModel], besides: tuple[type[BaseModel], ...] = (), before: str = "") -> list[str]:
    """A row for each setting, and for those within it."""
    schema = _object(model.model_json_schema(by_alias=True))
    known = {name for other in besides if other is not model for name in other.model_fields}
    found = []
    for name, field in model.model_fields.items():
        word = field.alias or name
        if name in known and field.description == _inherited(name, besides):
            continue
        meaning = _cell(field.description or "")
        default = (
            "–" if field.is_required() else _cell(_default(field.get_default(call_default_factory=True)))
        )
        inner = _section(field.annotation)
        what = _written(schema["properties"][word]) if inner is None else _mapping(inner)
        absent = "must be written" if field.is_required() else default
        found.append(f"| `{before}{word}` | {what} | {absent} | {meaning} |\n")
        if inner is not None and inner is not base.Tls:
            found += _rows(inner, before=f"{before}{word}.")
    return found


def _inherited(name: str, besides: tuple[type[BaseModel], ...]) -> str | None:
    for other in besides:
        if name in other.model_fields:
            return other.model_fields[name].description
    return None


def _object(schema: dict[str, Any]) -> dict[str, Any]:
    """The mapping of a schema that allows a bare value too."""
    if "properties" in schema:
        return schema
    inner: dict[str, Any] = next(one for one in schema.get("anyOf", []) if "properties" in one)
    return inner


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model that is written there, if it is one; that of a list as well."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    for one in getattr(annotation, "__args__", ()):
        found = _section(one)
        if found is not None:
            return found
    return None


def _mapping(inner: type[BaseModel]) -> str:
    return "a mapping of [TLS](#settings-of-tls)" if inner is base.Tls else "a mapping"


def _written(schema: dict[str, Any]) -> str:
    """What may be written, in words."""
    if "anyOf" in schema:
        words = [_written(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(words))
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    match schema.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "integer" | "number":
            return _number(schema)
        case "array":
            return f"a list: {_written(schema.get('items', {}))}"
        case "object":
            return "a mapping"
        case "string" if "5s" in schema.get("examples", []):
            return "a duration, such as `5s`"
    return "text"


def _number(schema: dict[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None and most is None:
        return "a number"
    return f"{'…' if least is None else f'{least:,}'} … {'' if most is None else f'{most:,}'}".strip()


def _default(value: Any) -> str:
    if value is None or value in ("", (), {}):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, timedelta):
        return f"`{shown(value)}`"
    if isinstance(value, tuple | list):
        return ", ".join(f"`{one}`" for one in value)
    if isinstance(value, BaseModel):
        return "all as below"
    return f"`{value}`"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def main() -> None:
    """Write it."""
    PLACE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
