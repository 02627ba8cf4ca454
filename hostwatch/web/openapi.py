"""The description of the API for programs, as OpenAPI 3.1 has it."""

from __future__ import annotations

from typing import Any, Final

TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

TEXT: Final = {"type": "string", "maxLength": 1000}
ID: Final = {"type": "string", "maxLength": 63}
ACKNOWLEDGEMENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["customer", "contact", "by", "how", "at"],
    "additionalProperties": False,
    "properties": {
        "customer": ID,
        "contact": {"type": ["string", "null"], "description": "Null: somebody who is no contact."},
        "by": {"type": ["string", "null"], "description": "Who has it; null if the name was erased."},
        "how": {"type": "string", "enum": ["on behalf", "cli", "api", "link", "reply", "keypress"]},
        "at": {"type": "string", "format": "date-time"},
    },
}
LIST: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["reference", "count", "results"],
    "additionalProperties": False,
    "properties": {
        "reference": {"type": "string"},
        "count": {"type": "integer"},
        "results": {"type": "array", "items": {"$ref": "#/components/schemas/Acknowledgement"}},
    },
}
MADE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["reference", "customer", "contact", "again"],
    "additionalProperties": False,
    "properties": {
        "reference": {"type": "string"},
        "customer": ID,
        "contact": {"type": ["string", "null"]},
        "again": {"type": "boolean", "description": "It was known already, and nothing was noted."},
    },
}
ASKED: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["by"],
    "additionalProperties": False,
    "properties": {
        "by": {**TEXT, "description": "Who has it, by name.", "maxLength": 100},
        "customer": {**ID, "description": "Whose person; needed if it concerns several customers."},
        "contact": {**ID, "description": "Which of their contacts; absent: none of them."},
    },
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def document(url: str) -> dict[str, Any]:
    """The whole description."""
    reference = {
        "name": "reference",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^E-[0-9]{6,12}$"},
    }
    customer = {
        "name": "customer",
        "in": "query",
        "schema": ID,
        "description": "Those of this customer alone.",
    }
    path = {
        "parameters": [reference],
        "get": {
            "operationId": "listAcknowledgements",
            "summary": "Who has an emergency. Needs the right to look.",
            "parameters": [customer],
            "responses": _answers({"200": "AcknowledgementList"}, (401, 403, 404, 409, 422, 429, 503)),
        },
        "post": {
            "operationId": "acknowledge",
            "summary": "Somebody has an emergency; again changes nothing. Needs the right to acknowledge.",
            "requestBody": {"required": True, "content": _json("Asked")},
            "responses": _answers(
                {"201": "Acknowledged", "200": "Acknowledged"},
                (400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
            ),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "hostwatch", "version": "1", "description": "docs/api.md says what it all means."},
        "servers": [{"url": url}],
        "security": [{"token": []}],
        "paths": {"/api/v1/emergencies/{reference}/acknowledgements": path},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Acknowledgement": ACKNOWLEDGEMENT,
                "AcknowledgementList": LIST,
                "Acknowledged": MADE,
                "Asked": ASKED,
                "Problem": PROBLEM,
            },
        },
    }


def _json(schema: str, kind: str = "application/json") -> dict[str, Any]:
    return {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _answers(well: dict[str, str], wrong: tuple[int, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {
        code: {"description": "Done" if code == "200" else "Noted", "content": _json(schema)}
        for code, schema in well.items()
    }
    for code in wrong:
        content = _json("Problem", "application/problem+json")
        found[str(code)] = {"description": TITLES[code], "content": content}
    return found
