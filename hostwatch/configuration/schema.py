"""The configuration as JSON Schema (draft 2020-12), for editors that complete and check while typing.

It knows shapes and words; rules between settings are left to `check-config`.
"""

from __future__ import annotations

from typing import Any

from hostwatch.configuration.customer import Customer
from hostwatch.configuration.model import Configuration

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def main_file() -> dict[str, Any]:
    """The schema of the main file."""
    return {"$schema": DIALECT, **Configuration.model_json_schema(), "title": "hostwatch configuration"}


def customer_file() -> dict[str, Any]:
    """The schema of an included file, which holds one customer."""
    return {"$schema": DIALECT, **Customer.model_json_schema(), "title": "hostwatch customer"}
