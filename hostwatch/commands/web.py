"""`hostwatch web`: the desk for customers and programs, as a service of its own.

Where `web.socket:` is set the watch starts no desk; this one speaks to it through that socket. It needs no
secret, no store and no privilege: let it run as another user, who may use the socket and nothing else.
"""

from __future__ import annotations

import argparse

from hostwatch import log
from hostwatch.commands import Refused, add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.frontdoor import settings_of
from hostwatch.web.process import alone
from hostwatch.web.server import Settings

HELP = "serve the pages and the API, as a service of its own"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """Until it is stopped; 1 if it cannot listen, 2 if the watch does that itself."""
    loaded = load(options.config, read_secrets=False)
    told, web = settings_of(loaded), loaded.configuration.web
    if told is None or web is None or web.socket is None:
        raise Refused("nothing is left to serve: without web.socket: the watch serves pages itself")
    log.set_up(loaded.configuration.log.format, loaded.configuration.log.level)
    return alone(Settings.of(told), loaded.path(web.socket))
