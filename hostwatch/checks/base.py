"""What every check is: one way to find out whether an application runs, told apart by its module's name.

A check's module holds three things: `Settings`, the pydantic model of what is written about it; `EXAMPLE`, an
example of it in YAML, as it stands in a configuration; and `probe(settings, visit)`, which does one run: it
returns if all is well, and raises `Missed` if the application does not do what it should. Whatever else is
raised is our own failure. Nothing else in the house knows a kind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import ModuleType
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from hostwatch.checks._failed import failed
from hostwatch.checks._finding import (
    VALUE_CHARS_MAX,
    Fault,
    Finding,
    Missed,
    Phase,
    Said,
    Step,
    of_data,
    printable,
)
from hostwatch.checks._line import Again, Line, connect, connect_beside
from hostwatch.checks._sentence import CHINESE, Translate, chinese, told, unlinked
from hostwatch.checks._tls import Tls
from hostwatch.checks._visit import Names, Policy, Surroundings, Visit
from hostwatch.configuration.duration import Duration, between, shown
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section

__all__ = (
    "CHINESE", "VALUE_CHARS_MAX", "Again", "Fault", "Finding", "Line", "Missed", "Names", "Phase",
    "Policy", "Port", "Said", "Settings", "Step", "Surroundings", "Tls", "Translate", "Visit", "chinese",
    "connect", "connect_beside", "failed", "of_data", "printable", "run", "told", "unlinked", "within",
)  # fmt: skip

TIMEOUT_DEFAULT: Final = timedelta(seconds=10)

Port = Annotated[int, Field(ge=1, le=65_535, strict=True)]


class Settings(Section):
    """What is written about every check: a mapping, or just the one value that most need."""

    shorthand: ClassVar[str] = ""
    """The field that a bare value fills, as in `{tcp: 443}`."""

    timeout: Annotated[Duration, between("100ms", "1m")] = TIMEOUT_DEFAULT
    """How long the whole check may take, whatever the other side does."""

    authorisation: Text | None = Field(default=None, validate_default=True)
    """Where the customer's written permission is, for a check that logs in, writes or delivers mail."""

    @property
    def intrudes(self) -> str:
        """What the check does that needs the customer's permission (`colocation C6`); empty if nothing."""
        return ""

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        bare = cls.shorthand and isinstance(value, str | int) and not isinstance(value, bool)
        return {cls.shorthand: value} if bare else value

    @model_validator(mode="after")
    def _is_permitted(self) -> Settings:
        if self.intrudes and not self.authorisation:
            raise Wrong(
                f"{self.intrudes}, which needs the customer's written permission",
                'write under authorisation: where that is kept, such as "letter of 2026-03-01"',
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema for editors allows the bare value as well."""
        short = [{"type": "integer"}, {"type": "string"}] if cls.shorthand else []
        return {"anyOf": [*short, handler(core)]} if short else handler(core)


async def run(module: ModuleType, settings: Settings, visit: Visit) -> Finding:
    """One run of a check of a kind, within its time. Raises nothing that the network or a server caused."""
    return await within(settings.timeout, lambda: module.probe(settings, visit), visit)


async def within(longest: timedelta, look: Callable[[], Awaitable[None]], visit: Visit) -> Finding:
    """One look of any kind, within its time; what it leaves open is closed."""
    try:
        async with asyncio.timeout(longest.total_seconds()) as visit.deadline:
            await look()
    except TimeoutError:
        if visit.is_decided:
            return visit.finding()
        if visit.known is None and visit.step is Step.RESOLVE:  # the resolver is ours, not the customer's
            return visit.finding(Fault(f"no answer from the resolver within {shown(longest)}"))
        return visit.finding(visit.known or Missed("no answer within {within}", within=shown(longest)))
    except (Missed, Fault) as error:
        return visit.finding(error)
    except OSError as error:
        return visit.finding(failed(error))
    except Exception as error:  # our own mistake is not the customer's: UNKNOWN, and it is said
        return visit.finding(Fault(f"the check itself failed: {type(error).__name__}: {error}"))
    finally:
        visit.close()
    return visit.finding()
