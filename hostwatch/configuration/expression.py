"""Expressions over what power and ports hang on, and over uplinks, as they are written."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from hostwatch.configuration.fields import TEXT_CHARS_MAX
from hostwatch.configuration.mistake import Wrong
from hostwatch.core import expression


def _check(value: str) -> str:
    if len(value) > TEXT_CHARS_MAX:
        raise Wrong(f"has {len(value)} characters", f"write at most {TEXT_CHARS_MAX}")
    try:
        return str(expression.parse(value))
    except ValueError as error:
        raise Wrong(str(error), "write a name, any(a, b) where one is enough, or all(a, b)") from None


Expression = Annotated[str, AfterValidator(_check), Field(examples=["ups-a", "any(ups-a, grid-2)"])]
"""One name, or several of which any or all are needed; in the shortest form."""

Uplinks = Annotated[str, AfterValidator(_check), Field(examples=["main", "any(main, backup)"])]
"""The same over uplinks: one, or a redundancy group."""
