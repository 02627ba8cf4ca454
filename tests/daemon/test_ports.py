"""A watch that asks a real agent about the ports that devices hang on, and counts what passes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from hostwatch.core.counted import Counted
from hostwatch.core.portsheard import source_of
from hostwatch.store.reader import Reader
from tests.daemon.running import CONFIGURATION, Running
from tests.ports.switch import DOWN, UP, Switch, switch
from tests.snmp.agents import COMMUNITY

PORT = "ge-0/0/1"


def configured(folder: Path, mine: Switch) -> None:
    asked = f"address: 127.0.0.1, port: {mine.agent.port}, community: {{env: COMMUNITY}}"
    text = CONFIGURATION.replace("127.0.0.2}", f"127.0.0.2, ports: sw-1/{PORT}}}")
    ports = f"{{interval: 5s, snmp: {{{asked}}}}}"
    text += f"network:\n  switches:\n    - {{id: sw-1, address: 127.0.0.3, ports: {ports}}}\n"
    (folder / "hostwatch.yaml").write_text(text, encoding="utf-8")


def counted(folder: Path, wanted: Callable[[Counted], bool]) -> Counted:
    """How far the switch is counted, as soon as that is as wanted."""
    found = None
    for _ in range(400):
        with Reader(folder / "watch.db") as reader:
            found = reader.world().counted.get(source_of("sw-1"))
        if found is not None and wanted(found):
            return found
        threading.Event().wait(0.05)
    raise AssertionError(found)


def test_a_port_goes_down_and_comes_up_and_what_passes_is_counted(
    tmp_path: Path, start: Callable[..., Running]
) -> None:
    with switch(tmp_path / "switch") as mine:
        configured(tmp_path, mine)
        watch = start(COMMUNITY=COMMUNITY)
        seen = watch.wait_for("port-seen")
        assert (seen["source"], seen["port"], seen["oper"]) == ("ports:sw-1", PORT, "up")
        first = counted(tmp_path, lambda one: True)
        assert [*first.ports] == [PORT], "nobody asked about the other one, on which nothing hangs"

        mine.set(1, OPER=DOWN, RECEIVED=1_000_777)
        mine.clock(1_005)
        assert watch.wait_for("port-seen", lambda one: one["oper"] == "down")["said"] == "down"
        now = counted(tmp_path, lambda one: one.at > first.at and one.ports[PORT].octets.received > 1_000_000)
        part = now.ports[PORT].part
        assert part is not None
        assert part.received <= 777
        watch.forget()

        mine.set(1, OPER=UP)
        assert watch.wait_for("port-seen")["oper"] == "up"
    assert watch.stop() == 0
