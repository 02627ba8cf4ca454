"""Emergencies by people's word, as they come through the control socket: a false alarm is corrected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from hostwatch.asked import Refused, reference, words
from hostwatch.core import correcting, instant
from hostwatch.core.facts_by_hand import EmergencyCorrected
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine
from hostwatch.personal import Vault
from hostwatch.store.ledger import Told

EVIDENCE_MAX: Final = 16
"""Files of one statement."""

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


DEEDS: Final = {"correct-emergency": correct}


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
