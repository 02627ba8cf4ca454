"""The tables of `docs/cause.md`, made from the code:  scripts/pages"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hostwatch.core.scene import TOGETHER_MIN, Port, Power, Stand
from hostwatch.core.topology import RULES

PAGE: Final = Path(__file__).parents[2] / "docs" / "cause.md"

THINGS: Final = (
    ("power", Power, "what the feeds of the device come to, or the supply itself, by the words of sources"),
    ("port", Port, "what the switch says of the device's port; *off* is one that we switched off"),
    ("switch", Stand, "what the device hangs on by its ports, and what that hangs on"),
    (
        "switch_power",
        Power,
        "what the feeds of the silent switch on its way come to; where several are silent of which one would"
        " do, the best of them. Unknown where no feeds of the switch are written. Of a switch itself it is"
        " its *power*",
    ),
    (
        "gateway",
        Stand,
        "our own gateway: a miss stands only if it, or beacons beyond it, answered before and after (J1)."
        " Unknown where `sight:` names nobody, and for a supply, which is not pinged",
    ),
    ("itself", Stand, "of a service: its device"),
    (
        "edge",
        Stand,
        "of an uplink: our own switches towards it. Of a redundancy group: those towards its silent members;"
        " silent if they are for one, answers if they do for each",
    ),
)


def things() -> str:
    """What is asked for."""
    rows = ["| thing | values | it is |", "|---|---|---|"]
    rows += [f"| {name} | {', '.join(values)} | {told} |" for name, values, told in THINGS]
    rows.append(
        "| others | how many are silent, answer, or are unheard | the devices behind the same switch."
        " *Silent*: may have fallen silent in the same moment, since the bounds of both beginnings, last"
        f" answer to first miss, overlap. *Many* are {TOGETHER_MIN} of them. Who has no power says nothing |"
    )
    rows.append("| overload | said, or not | a witness says that what lost the power was overloaded |")
    rows.append("| planned | yes, or no | work is planned for this time on what the device hangs on |")
    return "\n".join(rows)


def rules() -> str:
    """All rules, in their order."""
    rows = ["| rule | if | cause | confidence |", "|---|---|---|---|"]
    rows += [f"| `{rule.name}` | {rule.when} | {rule.cause} | {rule.confidence} |" for rule in RULES]
    return "\n".join(rows)


TABLES: Final = {"things": things, "rules": rules}


def page(written: str) -> str:
    """The page with its tables made anew."""
    for name, made in TABLES.items():
        before, begins, rest = written.partition(f"<!-- made from the code: {name} -->")
        _, ends, after = rest.partition("<!-- as far as that -->")
        assert ends, f"docs/cause.md has no place for: {name}"
        written = f"{before}{begins}\n\n{made()}\n\n{ends}{after}"
    return written


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
