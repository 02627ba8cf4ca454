"""The example of a kind, turned at a server of a test. It knows the words that all kinds use, and no kind."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML

from hostwatch import checks
from hostwatch.checks import base

WHERE = {"host", "server", "address"}
SECRETS = {"file", "env", "credential"}

UNVERIFIED = {"verify": False}


def _at_once() -> dict[str, dict[str, Any]]:
    """What is written so that a kind speaks TLS from the first byte, whatever the certificate."""
    found: dict[str, dict[str, Any]] = {}
    for kind in checks.kinds():
        settings = checks.room(kind).Settings
        if issubclass(settings, base.Tls):
            found[kind] = UNVERIFIED
        elif "implicit_tls" in settings.model_fields:
            begins = {"implicit_tls": True, "starttls": None, "unprotected_login": True}
            found[kind] = {**begins, "tls": UNVERIFIED}
        elif "tls" in settings.model_fields:
            found[kind] = {"tls": UNVERIFIED}
    return found


AT_ONCE = _at_once()


def example(kind: str) -> Any:
    """What stands in the example of a kind, below its name."""
    (written,) = [YAML(typ="safe").load(checks.room(kind).EXAMPLE)[kind]]
    return written


def aimed(kind: str, port: int, **more: Any) -> dict[str, Any]:
    """The example of a kind, with its server on a port of 127.0.0.1, and with some settings changed.

    A setting that is changed to None is left out.
    """
    module = checks.room(kind)
    written = example(kind)
    if not isinstance(written, dict):
        written = {module.Settings.shorthand: written}
    found: dict[str, Any] = _aimed(written, port)
    if "port" in module.Settings.model_fields:
        found["port"] = port
    if "url" in module.Settings.model_fields:  # it says itself whether TLS is spoken
        found["url"] = f"{'https' if 'tls' in more else 'http'}://127.0.0.1:{port}/"
    return {name: value for name, value in {**found, **more}.items() if value is not None}


def _aimed(written: Any, port: int) -> Any:
    if isinstance(written, list):
        return [_aimed(one, port) for one in written]
    if not isinstance(written, dict):
        return written
    if len(written) == 1 and {*written} <= SECRETS:
        return {"env": "HOSTWATCH_TEST_SECRET"}
    found = {name: _aimed(value, port) for name, value in written.items()}
    for name, value in found.items():
        if name == "port":
            found[name] = port
        elif name in WHERE and isinstance(value, str):
            found[name] = "127.0.0.1"
    return found
