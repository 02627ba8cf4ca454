"""The validation library's findings in plain words, whatever a channel's model asks of its settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from hostwatch.configuration.words import explain


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        (str, 7, "is a number where text is expected, put it in quotes"),
        (str, None, "is empty, write text, or remove the key"),
        (int, "x", "is text where a whole number is expected, write one without quotes"),
        (int, 1.5, "is not a whole number, write one"),
        (float, "x", "is text where a number is expected, write a number without quotes"),
        (bool, "yes!", "is text where true or false is expected, write true or false"),
        (list[str], "x", "is text where a list is expected, write one item per line, each after a hyphen"),
        (
            dict[str, str],
            ["x"],
            "is a list where a mapping is expected, write keys and values, one `key: value` per line",
        ),
        (Literal["a", "b"], "c", "is not one of the words known here, write 'a' or 'b'"),
        (Annotated[int, Field(gt=3)], 3, "is out of range, write more than 3"),
        (Annotated[int, Field(lt=3)], 3, "is out of range, write less than 3"),
        (Annotated[int, Field(ge=3)], 2, "is out of range, write at least 3"),
        (Annotated[int, Field(le=3)], 4, "is out of range, write at most 3"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "has too many items, write at most 1"),
        (Annotated[list[int], Field(min_length=1)], [], "has too few items, write at least 1"),
        (
            Annotated[str, Field(pattern="^a$")],
            "b",
            "is not written as it must be, write something that matches ^a$",
        ),
        (Annotated[str, Field(min_length=3)], "ab", "string should have at least 3 characters"),
        (Annotated[int, Field(multiple_of=2)], 3, "input should be a multiple of 2"),
    ],
)
def test_a_finding_in_plain_words(shape: Any, value: Any, expected: str) -> None:
    with pytest.raises(ValidationError) as invalid:
        TypeAdapter(shape).validate_python(value)

    assert str(explain(invalid.value.errors()[0])) == expected
