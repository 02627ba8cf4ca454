"""Emergencies by people's word, as they come through the control socket: reported, ended and corrected."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from hostwatch.asked import Refused, reference, words
from hostwatch.asked import instant as moment
from hostwatch.core import correcting, instant, reporting
from hostwatch.core.device import State
from hostwatch.core.facts_by_hand import EmergencyCorrected, EmergencyReported, ReportEnded
from hostwatch.core.population import Population
from hostwatch.core.reported import is_reported, silent
from hostwatch.core.reporting import Report
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine
from hostwatch.events import shown
from hostwatch.personal import Vault
from hostwatch.store.ledger import Told

EVIDENCE_MAX: Final = 16
"""Files of one statement."""

DEVICES_MAX: Final = 200
"""Devices of one report."""

NAME_CHARS_MAX: Final = 255
TRIES: Final = 5
"""How often notices are read anew that have changed while they were read."""

SHA256: Final = re.compile(r"[0-9a-f]{64}")

Evidence = tuple[dict[str, Any], ...]


async def correct(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """An emergency was none, as whoever asks says."""
    name = reference(engine.world, request.get("reference"))
    because = words(request, "because")
    if not because:
        raise Refused("cannot correct an emergency without a reason; say why it was none with --because")
    evidence = evidence_of(engine.vault, request)
    why = engine.vault.commit_once(because)
    for _ in range(TRIES):
        kept = await engine.told_of(name)
        if kept.emergency.story.corrected_at is not None:
            when = instant.rfc3339(kept.emergency.story.corrected_at)
            raise Refused(f"{name} was corrected at {when} already")
        done = await engine.do(partial(_correct, kept, author, because, why, evidence))
        if done.facts:
            return {
                "reference": name,
                "told": [f"{one.customer}/{one.contact}" for one in done.notices if one.kind == "correction"],
            }
    raise Refused(f"{name} changes all the time just now; try again")


def _correct(
    kept: Told, author: str, because: str, why: str, evidence: Evidence, world: World, now: datetime
) -> Decision:
    """Nothing, if what the store had was otherwise by now: then it is read anew."""
    name = kept.emergency.reference
    known = world.emergencies.get(name, kept.emergency)
    has_ended = known.ended_at is None and name not in world.emergencies
    if has_ended or known.story.corrected_at is not None or correcting.is_stale(world, kept.notices):
        return Decision()
    said = EmergencyCorrected(at=now, reference=name, because=why, evidence=evidence, actor=author)
    return correcting.correct(world, known, kept.notices, said, because)


async def report(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Devices, or a service of theirs, cannot be used, as whoever asks was told."""
    people, now = engine.world.population, engine.now()
    service, told_by, because = (words(request, key) for key in ("service", "told_by", "because"))
    since, earliest, latest = (moment(request, key) for key in ("since", "earliest", "latest"))
    named = request.get("devices")
    names = [*dict.fromkeys(named.replace(",", " ").split())] if isinstance(named, str) else []
    wrong = [*_wrong_devices(people, names, service), *_wrong_times(since, earliest, latest, now)]
    wrong += ["say whom it was told by, and how, with --told-by"] if not told_by else []
    wrong += ["say what is seen, in words that people are told, with --because"] if not because else []
    if wrong or since is None:
        raise Refused("cannot report an emergency:\n" + "\n".join(wrong))
    vault = engine.vault
    fact = EmergencyReported(
        at=now,
        reference="",
        devices=(),
        service=service,
        customers=(),
        since=since,
        earliest=earliest,
        latest=latest,
        told_by=vault.commit(told_by),
        because=vault.commit_once(because),
        evidence=evidence_of(vault, request),
        actor=author,
    )
    said = Report(
        devices=tuple(names),
        service=service,
        since=since,
        earliest=earliest,
        latest=latest,
        because=because,
        fact=fact,
    )
    told = dict(reporting.already(engine.world, names, service))
    done = await engine.do(partial(_report, said))
    if not done.emergencies:
        raise Refused(f"nothing is reported: an emergency tells of each already: {_already(told)}")
    return {
        "reference": done.emergencies[-1].reference,
        "told": [f"{one.customer}/{one.contact}" for one in done.notices],
        "already": told,
    }


def _report(said: Report, world: World, now: datetime) -> Decision:
    """Whoever is no longer in service by now is left out."""
    there = (world.population.devices.get(name) for name in said.devices)
    names = tuple(one.id for one in there if one is not None and one.state is State.IN_SERVICE)
    return reporting.report(world, replace(said, devices=names), now)


def _already(told: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({reference})" for name, reference in told.items())


def _wrong_devices(people: Population, names: Sequence[str], service: str) -> Iterator[str]:
    if not names:
        yield "say which devices, with --device"
    if len(names) > DEVICES_MAX:
        yield f"at most {DEVICES_MAX} devices at once, and these are {len(names)}"
    for name in names:
        device = people.devices.get(name)
        if device is None:
            near = difflib.get_close_matches(name, people.devices, 1, 0.6)
            yield f"there is no device {name}" + (f"; did you mean {near[0]}?" if near else "")
        elif device.state is not State.IN_SERVICE:
            yield f"{name} is {device.state.value}: nobody is owed a word of it"
        elif service and device.service(service) is None:
            there = ", ".join(one.name for one in device.services) or "none"
            yield f"{name} has no service {service}; it has: {there}"


def _wrong_times(
    since: datetime | None, earliest: datetime | None, latest: datetime | None, now: datetime
) -> Iterator[str]:
    if since is None:
        yield "say since when, with --since"
        return
    if since > now or (latest is not None and latest > now):
        yield "it cannot have begun after now: --since, --latest"
    if (earliest is not None and earliest > since) or (latest is not None and latest < since):
        yield "--earliest is not after --since, and --latest not before it"


async def end(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was reported is over, as whoever asks was told."""
    name = reference(engine.world, request.get("reference"))
    because, until = words(request, "because"), moment(request, "at")
    emergency = engine.world.emergencies.get(name)
    if emergency is None:
        raise Refused(f"{name} is over already")
    if not is_reported(emergency):
        raise Refused(f"{name} was seen by our own probes: it ends when these see that; or correct it")
    if not because or until is None:
        raise Refused("say since when it is over, and how that is known, with --at and --because")
    if not emergency.story.first_miss <= until <= engine.now():
        raise Refused("--at lies between its beginning and now")
    why, evidence = engine.vault.commit_once(because), evidence_of(engine.vault, request)

    def deed(world: World, now: datetime) -> Decision:
        known = world.emergencies.get(name)
        if known is None or [*silent(known, world.signals.get)]:
            return Decision()
        said = ReportEnded(at=now, reference=name, until=until, because=why, evidence=evidence, actor=author)
        return reporting.end(world, known, said)

    done = await engine.do(deed)
    if not done.facts:
        known = silent(emergency, engine.world.signals.get)
        still = [f"{shown(one)} since {instant.rfc3339(at)}" for one, at in known]
        raise Refused(f"{name} does not end before these answer our own probes: {', '.join(still)}")
    told = [f"{one.customer}/{one.contact}" for one in done.notices]
    return {"reference": name, "told": told}


DEEDS: Final = {"report-emergency": report, "end-emergency": end, "correct-emergency": correct}


def evidence_of(vault: Vault, request: Mapping[str, Any]) -> Evidence:
    """The files that a statement goes with: their hashes and sizes; of their names a commitment."""
    text = request.get("evidence") or "[]"
    try:
        given = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        given = None
    if not isinstance(given, list) or len(given) > EVIDENCE_MAX:
        raise Refused(f"cannot take the evidence: at most {EVIDENCE_MAX} files, each with its hash")
    return tuple(_file(vault, one) for one in given)


def _file(vault: Vault, given: object) -> dict[str, Any]:
    match given:
        case {"sha256": str(digest), "bytes": int(size), "name": str(name)} if (
            SHA256.fullmatch(digest) and size >= 0 and len(name) <= NAME_CHARS_MAX
        ):
            return {"sha256": digest, "bytes": size, "name": vault.commit_once(name)}
    raise Refused("cannot take the evidence: each file has its SHA-256, its size and its name")
