"""The counters of 64 bits of a switch, for net-snmp's agent, which has no settable ones (`pass_persist`).

Run as a program with a file of JSON: counters by their names with dots. It is read anew at each question.
Of a list the first is told at the first question, and the last for ever.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def parts(name: str) -> list[int]:
    return [int(part) for part in name.strip(".").split(".")]


ASKED: dict[str, int] = {}


def answer(question: str, name: str, counters: dict[str, int | list[int]]) -> str:
    asked = parts(name)
    fit = [one for one in counters if (parts(one) == asked if question == "get" else parts(one) > asked)]
    if not fit:
        return "NONE\n"
    first = min(fit, key=parts)
    told = counters[first]
    if isinstance(told, list):
        ASKED[first] = ASKED.get(first, -1) + 1
        told = told[min(ASKED[first], len(told) - 1)]
    return f".{first}\ncounter64\n{told}\n"


if __name__ == "__main__":
    for line in sys.stdin:
        question = line.strip()
        if question == "PING":
            sys.stdout.write("PONG\n")
        elif question in ("get", "getnext"):
            counters = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
            sys.stdout.write(answer(question, sys.stdin.readline(), counters))
        sys.stdout.flush()
