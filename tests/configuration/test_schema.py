"""The JSON Schema for editors: complete, in the words of the configuration, true to the examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostwatch import channels, checks, heartbeats, ports
from hostwatch.configuration import schema
from hostwatch.configuration.source import Reader

PROJECT = Path(__file__).parents[2]
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}


def misfits(value: Any, shape: dict[str, Any], whole: dict[str, Any], path: str = "") -> Iterator[str]:
    """Where a value does not fit: as much of JSON Schema as our own schemas use."""
    if "$ref" in shape:
        yield from misfits(value, whole["$defs"][shape["$ref"].rpartition("/")[2]], whole, path)
    if "anyOf" in shape and all(list(misfits(value, choice, whole, path)) for choice in shape["anyOf"]):
        yield f"{path}: fits none of the choices"
    if value not in shape.get("enum", [value]) or value != shape.get("const", value):
        yield f"{path}: is another word"
    if "type" in shape and not isinstance(value, TYPES[shape["type"]]):
        yield f"{path}: is no {shape['type']}"
    elif isinstance(value, str) and not re.search(shape.get("pattern", ""), value):
        yield f"{path}: does not match {shape['pattern']}"
    elif isinstance(value, int) and not shape.get("minimum", value) <= value <= shape.get("maximum", value):
        yield f"{path}: is out of range"
    elif isinstance(value, list):
        yield from misfits_inside_list(value, shape, whole, path)
    elif isinstance(value, dict):
        yield from misfits_inside_mapping(value, shape, whole, path)


def misfits_inside_list(
    items: list[Any], shape: dict[str, Any], whole: dict[str, Any], path: str
) -> Iterator[str]:
    if len(items) < shape.get("minItems", 0):
        yield f"{path}: has too few items"
    for number, item in enumerate(items):
        yield from misfits(item, shape.get("items", {}), whole, f"{path}[{number}]")


def misfits_inside_mapping(
    members: dict[str, Any], shape: dict[str, Any], whole: dict[str, Any], path: str
) -> Iterator[str]:
    if len(members) > shape.get("maxProperties", len(members)):
        yield f"{path}: has too many keys"
    yield from (f"{path}.{key}: is missing" for key in shape.get("required", ()) if key not in members)
    for key, item in members.items():
        if key in shape.get("properties", {}):
            yield from misfits(item, shape["properties"][key], whole, f"{path}.{key}")
        elif shape.get("additionalProperties") is False:
            yield f"{path}.{key}: is unknown"
        else:
            yield from misfits(item, shape.get("additionalProperties", {}), whole, f"{path}.{key}")


def read(text: bytes) -> Any:
    node = Reader().read("x", text)
    assert node is not None
    return node.plain()


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("example.yaml", schema.main_file()),
        ("hostwatch.yaml", schema.main_file()),
        ("customers.d/globex.yaml", schema.customer_file()),
    ],
)
def test_the_shipped_files_fit(path: str, whole: dict[str, Any]) -> None:
    assert list(misfits(read((PROJECT / "config" / path).read_bytes()), whole, whole)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"interval: 2s", b"interval: 2"),
        (b"interval: 2s", b"interval: 2 s"),
        (b"language: zh-CN", b"language: de"),
        (b"- email: ops@acme.example", b"- emial: ops@acme.example"),
        (b"- email: ops@acme.example", b"- ops@acme.example"),
        (b"id: acme-web-1", b"id: Acme"),
        (b"misses: 2", b"misses: 11"),
        (b"mail:", b"mial:"),
        (b"store: sqlite", b"store: postgresql"),
        (b"from: noc@dc.example", b"form: noc@dc.example"),
        (b"customers:", b"sight: {gateway: [192.0.2.1]}\ncustomers:"),
        (b"customers:", b"services: {www: {checks: [tpc: 80]}}\ncustomers:"),
        (b"customers:", b"services: {www: {check: [tcp: 80]}}\ncustomers:"),
    ],
)
def test_what_does_not_fit_is_seen(old: bytes, new: bytes) -> None:
    text = (PROJECT / "config/example.yaml").read_bytes()
    whole = schema.main_file()
    assert old in text

    assert list(misfits(read(text.replace(old, new)), whole, whole)) != []


@pytest.mark.parametrize(
    "text",
    [
        b"include: [a.yaml, 'b/*.yaml']",
        b"listen: off",
        b"listen: null",
        b"sight: ['fe80::1%eth0']",
        b"sight: {gateways: [192.0.2.1], quorum: 1, beacons: [203.0.113.9]}",
        b"mail: {smtp: 'smtps://m.example', from: a@b.example, username: u, password: {file: x}}",
        b"services: {www: {checks: [tcp: 80, tcp: {port: 443, timeout: 5s}], require: any, obliges: false}}",
        b"customers: [{id: a, name: A, devices: [{id: d, address: 192.0.2.1, services: [www, email]}]}]",
        b"customers: [{id: a, name: A, devices: [{id: d, address: 192.0.2.1, services: {www: null}}]}]",
        b"customers: [{id: a, name: A, contacts: [{id: d, name: D, channels: [email: {address: a@b.cd}]}]}]",
    ],
)
def test_short_and_long_forms_fit(text: bytes) -> None:
    whole = schema.main_file()
    value = {"site": {"name": "x", "timezone": "UTC"}, "store": "sqlite:///x.db", **read(text)}

    assert list(misfits(value, whole, whole)) == []


def test_it_is_one_document_that_knows_every_kind_of_channel() -> None:
    whole = schema.main_file()
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(whole)))

    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(whole["$defs"]["Rung"]["properties"]) == {*channels.kinds(), "wait"}
    assert set(whole["$defs"]["Check"]["properties"]) == set(checks.kinds())
    assert set(whole["$defs"]["Heartbeat"]["properties"]) == {*heartbeats.kinds(), "every", "id"}
    assert set(whole["$defs"]["Ports"]["properties"]) == {*ports.kinds(), "interval"}
    assert {reference.removeprefix("#/$defs/") for reference in references} == set(whole["$defs"])


def test_every_setting_is_described() -> None:
    whole = schema.main_file()
    ours = {
        name: shape
        for name, shape in whole["$defs"].items()
        if "channels" not in name and name not in ("Rung", "Check", "Heartbeat", "Source", "Ports")
    }
    shapes = {"": whole, **ours}
    silent = [
        f"{name}.{key}"
        for name, shape in shapes.items()
        for key, inner in shape.get("properties", {}).items()
        if "description" not in inner
        and "description" not in whole["$defs"].get(inner.get("$ref", "").rpartition("/")[2], {})
    ]

    assert silent == []
