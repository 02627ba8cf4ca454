"""A notice as Alertmanager has it: an entry for each emergency, known by its labels, firing or resolved.

What an entry is known by must be the same from the first notice to the last, or the end would not end it.
So the labels hold only what an emergency keeps: nothing of its words, its extent or its severity changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hostwatch.channels import base
from hostwatch.core import instant

EMERGENCY: Final = "HostwatchEmergency"
WARNING: Final = "HostwatchWarning"
EXERCISE: Final = "HostwatchExercise"
"""The values of `alertname`."""

EXERCISE_LASTS: Final = timedelta(minutes=15)
"""Nobody tells of the end of an exercise: so long its entry fires."""

ENDS: Final = frozenset({"recovery", "withdrawn", "correction", "cleared"})
"""The kinds of notices after which an entry is resolved."""

RECEIVER: Final = "hostwatch"
FIRING: Final = "firing"
RESOLVED: Final = "resolved"
NEVER: Final = "0001-01-01T00:00:00Z"
"""How Alertmanager writes the end of what has none."""

_OFFSET, _PRIME = 0xCBF29CE484222325, 0x100000001B3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One emergency, or one warning to operators."""

    labels: Mapping[str, str]
    """What it is known by, none empty."""

    annotations: Mapping[str, str]
    """The notice in the words of its reader."""

    starts: str
    """By RFC 3339, as all instants here."""

    ends: str | None
    """When it ended, never before it started; None while it lasts."""

    @property
    def fingerprint(self) -> str:
        """What Alertmanager itself reckons of the labels (FNV-1a, 64 bits)."""
        found = _OFFSET
        for name in sorted(self.labels):
            for byte in f"{name}\0{self.labels[name]}\0".encode().replace(b"\0", b"\xff"):
                found = (found ^ byte) * _PRIME & 0xFFFFFFFFFFFFFFFF
        return f"{found:016x}"


def told(message: base.Message, now: datetime) -> tuple[Told, ...]:
    """What a notice tells of, in its order."""
    payload = message.payload
    ended = payload.get("kind") in ENDS
    annotations = {"summary": message.subject, "description": message.text}
    lasts_until = instant.rfc3339(now + EXERCISE_LASTS) if payload.get("exercise") else None
    found = []
    for one in payload.get("emergencies", ()):
        starts = one.get("first_miss") or instant.rfc3339(now)
        ends = _ended_at(payload, one) or instant.rfc3339(now)
        found.append(
            Told(
                labels=_labels(payload, one),
                annotations=annotations | _link(one),
                starts=starts,
                ends=max(starts, ends) if ended else lasts_until,
            )
        )
    return tuple(found)


def _link(one: Mapping[str, Any]) -> dict[str, str]:
    """Where its reader says that they have it: no label, for it is another in each notice."""
    link = one.get("acknowledge_url")
    return {"acknowledge_url": str(link)} if link else {}


def _labels(payload: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, str]:
    warning, exercise = one.get("warning"), payload.get("exercise")
    named = {
        "alertname": EXERCISE if exercise else WARNING if warning else EMERGENCY,
        "severity": "info" if exercise else "warning" if warning else "critical",
        "exercise": "true" if exercise else None,
        "site": payload.get("site"),
        "customer": payload.get("customer", {}).get("id"),
        "reference": one.get("reference"),
        "device": one.get("device"),
        "warning": warning,
        "about": one.get("about"),
    }
    return {name: str(value).replace("\0", "") for name, value in named.items() if value}


def _ended_at(payload: Mapping[str, Any], one: Mapping[str, Any]) -> str | None:
    """When what it is about ended; None where that is not known: it is only no longer watched."""
    match payload.get("kind"):
        case "recovery":
            ended: str | None = one.get("first_answer")
        case "cleared":
            ended = one.get("verdict")
        case _:
            ended = None
    return ended


def webhook(message: base.Message, now: datetime) -> dict[str, Any]:
    """The same as Alertmanager's own webhook has it, version 4: what many receivers understand already."""
    entries = told(message, now)
    common = _common([one.labels for one in entries])
    state = RESOLVED if message.payload.get("kind") in ENDS else FIRING
    return {
        "receiver": RECEIVER,
        "status": state,
        "alerts": [
            {
                "status": state,
                "labels": _sorted(one.labels),
                "annotations": _sorted(one.annotations),
                "startsAt": _brief(one.starts),
                "endsAt": NEVER if one.ends is None else _brief(one.ends),
                "generatorURL": "",
                "fingerprint": one.fingerprint,
            }
            for one in entries
        ],
        "groupLabels": common,
        "commonLabels": common,
        "commonAnnotations": _common([one.annotations for one in entries]),
        "externalURL": "",
        "version": "4",
        "groupKey": _group_key(entries, common),
        "truncatedAlerts": 0,
    }


def _group_key(entries: Sequence[Told], common: Mapping[str, str]) -> str:
    """As Alertmanager writes them: which entries, and what they have in common."""
    which = "{}"
    if len(entries) > 1:
        references = _quoted("|".join(one.labels.get("reference", "") for one in entries))
        which = f"{{}}/{{reference=~{references}}}"
    return f"{which}:{{{', '.join(f'{name}={_quoted(value)}' for name, value in common.items())}}}"


def _common(all_of_them: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What is the same in all."""
    first = all_of_them[0] if all_of_them else {}
    return _sorted(
        {name: value for name, value in first.items() if all(one.get(name) == value for one in all_of_them)}
    )


def _sorted(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in sorted(values)}


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _brief(when: str) -> str:
    """An instant without the zeros behind its second, as Go writes it."""
    second, dot, fraction = when.removesuffix("Z").partition(".")
    return f"{second}{dot}{fraction}".rstrip("0").rstrip(".") + "Z" if dot else when
