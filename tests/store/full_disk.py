"""Fill a small file system with a story, free it, and go on; says in JSON what happened."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hostwatch.core import facts
from hostwatch.core.world import Decision
from hostwatch.store.connection import connect
from hostwatch.store.errors import StoreError
from tests.store.stories import Story, device, population


def commit(story: Story, number: int) -> None:
    happened = facts.BlindBegan(at=story.now, why="late", detail=f"{number} " + "x" * 2000)
    story.do(Decision(facts=(happened,), alive_at=story.now))


def recorded(story: Story) -> int:
    return int(story.connection.execute("SELECT count(*) FROM facts").fetchone()[0])


def main(folder: Path) -> dict[str, Any]:
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(6_000_000))
    story = Story(connect(folder / "hostwatch.db"))
    story.enrol(population(device(0)))
    told: dict[str, Any] = {"committed": 0, "refused": []}
    while not told["refused"]:
        before = recorded(story)
        try:
            commit(story, told["committed"])
            told["committed"] += 1
        except StoreError as error:
            told |= {"refused": [type(error).__name__], "words": str(error), "recorded_before": before}
    for number in range(4):
        try:
            commit(story, number)
        except StoreError as error:
            told["refused"].append(type(error).__name__)
    story.agrees()
    told |= {"agreed_when_full": True, "recorded_when_full": recorded(story), "committed_after": 0}
    ballast.unlink()
    for number in range(200):
        commit(story, number)
        told["committed_after"] += 1
    story.agrees()
    told["integrity"] = story.connection.execute("PRAGMA integrity_check").fetchone()[0]
    story.ledger.close()
    again = Story(connect(folder / "hostwatch.db"))
    again.agrees()
    return told | {"reopened": recorded(again) > told["recorded_when_full"]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
