"""The API, and its description: every answer is one that is described there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostwatch.web import openapi
from hostwatch.web.api import FIELDS
from tests.daemon.running import Running
from tests.web.desk import REFERENCE, URL, WEB, Answer, Desk, open_desk

PATH = "/api/v1/emergencies/{reference}/acknowledgements"
HERE = PATH.format(reference=REFERENCE)
NOC, ACME, LOOKER, GLOBEX = ("n" * 32, "a" * 32, "l" * 32, "g" * 32)
TOKENS = f"""\
api:
  tokens:
    - {{name: noc-bridge, secret: {{file: noc}}, operator: true, rights: [look, acknowledge]}}
    - {{name: acme-desk, secret: {{file: acme}}, customer: acme, rights: [look, acknowledge]}}
    - {{name: looker, secret: {{file: looker}}, customer: acme}}
    - {{name: globex, secret: {{file: globex}}, customer: globex, rights: [look, acknowledge]}}
{WEB}"""


def fits(schema: dict[str, Any], value: Any, whole: dict[str, Any]) -> str:
    """Why a value does not fit a schema of ours; empty if it does. Knows as much of it as ours use."""
    if "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kinds = schema.get("type", [])
    known = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    allowed = tuple(known[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        return f"{value!r} is no {kinds}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is none of {schema['enum']}"
    if isinstance(value, list):
        return next((why for one in value if (why := fits(schema["items"], one, whole))), "")
    if isinstance(value, dict):
        missing = [name for name in schema.get("required", []) if name not in value]
        more = [name for name in value if name not in schema["properties"]]
        if missing or (more and schema.get("additionalProperties") is False):
            return f"missing {missing}, and odd {more}"
        parts = [(schema["properties"][name], value[name]) for name in value if name in schema["properties"]]
        return next((why for part, one in parts if (why := fits(part, one, whole))), "")
    return ""


class Program:
    """Somebody who calls the API, and compares what comes with its description."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.whole = json.loads(desk.ask("GET", "/api/v1/openapi.json").text)
        self.seen: set[tuple[str, str]] = set()

    def call(self, method: str, path: str, body: Any = None, token: str = NOC, **headers: str) -> Answer:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers.setdefault("Content_Type", "application/json")
        text = "" if body is None else body if isinstance(body, str | bytes) else json.dumps(body)
        answer = self.desk.ask(method, path, text.encode() if isinstance(text, str) else text, **headers)
        described = self.whole["paths"][PATH][method.lower()]["responses"][str(answer.code)]
        kind = answer.headers["content-type"].partition(";")[0]
        assert fits(described["content"][kind]["schema"], json.loads(answer.text), self.whole) == "", answer
        self.seen.add((method, str(answer.code)))
        return answer


def test_programs_see_and_say_who_has_it(start: Callable[..., Running], tmp_path: Path) -> None:
    for name, secret in (("noc", NOC), ("acme", ACME), ("looker", LOOKER), ("globex", GLOBEX)):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    with open_desk(start, tmp_path, web=TOKENS) as desk:
        program = Program(desk)
        assert program.whole == openapi.document(URL)
        refused(program)
        assert json.loads(program.call("GET", HERE).text) == {
            "reference": REFERENCE,
            "count": 0,
            "results": [],
        }
        told = program.call("POST", HERE, {"by": "Chen Wei", "contact": "boss"}, token=ACME)
        said = {"reference": REFERENCE, "customer": "acme", "contact": "boss", "again": False}
        assert (told.code, json.loads(told.text)) == (201, said)
        again = program.call("POST", HERE, {"by": "Chen Wei", "contact": "boss", "customer": "acme"})
        assert (again.code, json.loads(again.text)) == (200, said | {"again": True})
        (one,) = json.loads(program.call("GET", HERE, token=LOOKER).text)["results"]
        assert (one["customer"], one["contact"], one["by"], one["how"]) == ("acme", "boss", "Chen Wei", "api")
        assert desk.known() == [("boss", "Chen Wei", "api")]
        explained = desk.watch.command("explain", REFERENCE).stdout
        assert "acme/boss: has it (api, recorded by API token acme-desk)" in explained
        codes = {(method, code) for method, code in program.seen}
        unseen = {
            ("GET", "409"),
            ("POST", "409"),
            ("GET", "429"),
            ("POST", "429"),
            ("GET", "503"),
            ("POST", "503"),
        }
        described = {
            (method.upper(), code)
            for method in ("get", "post")
            for code in program.whole["paths"][PATH][method]["responses"]
        }
        assert described - codes == unseen, "each that is described was seen, but for these"


def refused(program: Program) -> None:
    """Who may not, and what makes no sense; the reasons are for whoever writes the program."""
    good = {"by": "Chen Wei"}
    assert program.call("GET", HERE, token="").headers["www-authenticate"].startswith("Bearer")
    cases: list[tuple[str, str, Any, str, int]] = [
        ("GET", HERE, None, "n" * 31, 401),
        ("GET", HERE, None, "N" * 32, 401),
        ("POST", HERE, good, "", 401),
        ("POST", HERE, good, LOOKER, 403),
        ("POST", HERE, good | {"customer": "globex"}, ACME, 403),
        ("GET", f"{HERE}?customer=globex", None, ACME, 403),
        ("GET", HERE, None, GLOBEX, 404),
        ("POST", HERE, good, GLOBEX, 404),
        ("GET", PATH.format(reference="E-000002"), None, NOC, 404),
        ("GET", PATH.format(reference="..%2f..%2fetc"), None, NOC, 404),
        ("POST", HERE, "{", NOC, 400),
        ("POST", HERE, "[" * 5000, NOC, 400),
        ("POST", HERE, [], NOC, 422),
        ("POST", HERE, {}, NOC, 422),
        ("POST", HERE, {"by": 7}, NOC, 422),
        ("POST", HERE, good | {"how": "cli"}, NOC, 422),
        ("POST", HERE, {"by": "a\nb"}, NOC, 422),
        ("POST", HERE, {"by": "x" * 1001}, NOC, 422),
        ("POST", HERE, good | {"contact": "bos"}, NOC, 422),
        ("POST", HERE, {"by": "x" * 9000}, NOC, 413),
        ("GET", f"{HERE}?customer=%0a", None, NOC, 422),
    ]
    for method, path, body, token, code in cases:
        answer = program.call(method, path, body, token)
        assert (answer.code, path, body) == (code, path, body), answer.text
    assert program.call("POST", HERE, "by=x", Content_Type="text/plain").code == 415
    assert "did you mean boss?" in program.call("POST", HERE, good | {"contact": "bos"}).text
    assert program.desk.known() == []


def test_the_fields_that_are_described_are_those_that_are_read() -> None:
    """Nothing is asked for that would be dropped."""
    told = openapi.ASKED["properties"]
    assert {name: told[name]["maxLength"] for name in told} == FIELDS
