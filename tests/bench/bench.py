"""What a row of the table is given: how much to measure, where to write, and whom to tell how far it is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """How this run measures."""

    rounds: int
    quick: bool
    """Shorter spans and fewer probes; says the same, less surely."""

    scratch: Path
    """A folder that is empty and thrown away after."""

    def say(self, words: str) -> None:
        """Tell whoever waits."""
        print(f"… {words}", file=sys.stderr, flush=True)

    def write_list(self, name: str, addresses: list[str]) -> Path:
        """A file with an address on each line."""
        path = self.scratch / name
        path.write_text("".join(f"{address}\n" for address in addresses), encoding="ascii")
        return path
