"""The interface for programs: JSON, a bearer's token, mistakes as `application/problem+json` (RFC 9457).

What may be done is decided in the watch, which alone knows the tokens; here requests are only read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from hostwatch.web import openapi
from hostwatch.web.line import Line

ROOT: Final = "/api/"
V1: Final = f"{ROOT}v1"
REFERENCE: Final = re.compile(r"E-[0-9]{6,12}")
TOKEN_CHARS_MAX: Final = 200
FIELDS: Final = {"by": 100, "customer": 63, "contact": 63}
"""What the body of a request may say, and in how many characters."""

CODES: Final = {
    "done": 200,
    "made": 201,
    "nobody": 401,
    "forbidden": 403,
    "missing": 404,
    "over": 409,
    "wrong": 422,
    "broken": 503,
}
"""What the watch says of a request, as codes of HTTP."""


class Api:
    """Reads requests, has the watch decide, and answers."""

    def __init__(self, line: Line, url: str) -> None:
        self._line = line
        self._description = json.dumps(openapi.document(url), ensure_ascii=False)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """What there is."""
        router.add_get(f"{V1}/openapi.json", self._described)
        router.add_get(f"{V1}/emergencies/{{reference}}/acknowledgements", self._listed)
        router.add_post(f"{V1}/emergencies/{{reference}}/acknowledgements", self._made)

    async def _described(self, _: web.Request) -> web.Response:
        return web.Response(text=self._description, content_type="application/json")

    async def _listed(self, request: web.Request) -> web.Response:
        customer = request.query.get("customer", "")
        if len(customer) > FIELDS["customer"]:
            return problem(422, f"customer has at most {FIELDS['customer']} characters")
        asked = {"reference": _reference(request), "customer": customer}
        return _answered(await self._line.ask("api-list", token=_bearer(request), **asked))

    async def _made(self, request: web.Request) -> web.Response:
        token, reference = _bearer(request), _reference(request)
        if request.content_type != "application/json":
            return problem(415, "send Content-Type: application/json")
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            return problem(400, "the body is not JSON")
        if not isinstance(body, dict):
            return problem(422, "the body is to be an object")
        odd = sorted(str(key)[:50] for key in body.keys() - {*FIELDS})
        if odd:
            return problem(422, f"not known: {', '.join(odd)[:200]}; known: {', '.join(FIELDS)}")
        if any(not isinstance(value, str) for value in body.values()):
            return problem(422, "each field is to be a text")
        long = [
            f"{name} has at most {FIELDS[name]} characters" for name in body if len(body[name]) > FIELDS[name]
        ]
        if long:
            return problem(422, "; ".join(long))
        return _answered(await self._line.ask("api-acknowledge", token=token, reference=reference, **body))


def _bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if kind.lower() == "bearer" and token.isascii() and len(token) <= TOKEN_CHARS_MAX else ""


def _reference(request: web.Request) -> str:
    found = request.match_info["reference"]
    return found if REFERENCE.fullmatch(found) else ""


def _answered(told: Mapping[str, Any]) -> web.Response:
    code = CODES.get(str(told.get("state")), 503)
    if code >= 400:
        answer = problem(code, str(told.get("error", "the watch cannot do it now")))
        if code == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="hostwatch"'
        return answer
    return web.Response(
        text=json.dumps(told["answer"], ensure_ascii=False), status=code, content_type="application/json"
    )


def problem(code: int, detail: str) -> web.Response:
    """A mistake, for programs and for those who write them."""
    body = {
        "type": "about:blank",
        "title": openapi.TITLES.get(code, "Error"),
        "status": code,
        "detail": detail,
    }
    return web.Response(
        text=json.dumps(body, ensure_ascii=False), status=code, content_type="application/problem+json"
    )
