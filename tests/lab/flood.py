"""A flood of packets over one link, by a process of its own: what it is given, again and again.

    python -m tests.lab.flood LINK PER_SECOND

Whole frames come as lines of hexadecimal digits on standard input; an empty line begins the flood, and the
end of the input ends it. Then it says how many packets left.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.namespace import Namespace

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20.0
TURN_S = 0.005


@contextmanager
def flooding(
    namespace: Namespace, frames: Iterable[bytes], per_s: int, link: str = "port"
) -> Iterator[list[int]]:
    """As long as this goes on packets leave over a link; after it the list holds how many did."""
    words = [sys.executable, "-m", "tests.lab.flood", link, str(per_s)]
    count: list[int] = []
    with subprocess.Popen(
        namespace.command("setpriv", "--pdeathsig", "KILL", *words),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.writelines(frame.hex() + "\n" for frame in frames)
        process.stdin.write("\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], PATIENCE_S)[0], "the flood did not begin"
        assert process.stdout.readline() == "flooding\n"
        try:
            yield count
        finally:
            process.stdin.close()
            count.append(json.loads(process.stdout.readline()))


def main(link: str, per_s: int) -> int:
    """Send until standard input ends; how many packets left."""
    frames = [bytes.fromhex(line) for line in iter(sys.stdin.readline, "\n")]
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((link, 0))
    sock.send(frames[0])
    sys.stdout.write("flooding\n")
    sys.stdout.flush()
    began_s, count = time.monotonic(), 1
    while not select.select([sys.stdin], [], [], TURN_S)[0]:
        owed = int((time.monotonic() - began_s) * per_s)
        for number in range(count, owed):
            sock.send(frames[number % len(frames)])
        count = max(count, owed)
    return count


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2])))
