"""`hostwatch webhook-key`: show the key that webhooks are signed with.

Give it to whoever receives webhooks, so that they can check the signature (docs/notices.md). It is
made when hostwatch first runs and lies beside the store, readable by hostwatch's user only.
"""

from __future__ import annotations

import argparse
import sys

from hostwatch import keyfile
from hostwatch.commands import add_config
from hostwatch.configuration.load import load
from hostwatch.configuration.mistake import BadConfiguration

HELP = "show the key that webhooks are signed with"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)


def run(options: argparse.Namespace) -> int:
    """0 and the key in hexadecimal, or 1."""
    try:
        loaded = load(options.config, read_secrets=False)
        key = keyfile.read(keyfile.path_for(loaded.store))
    except (BadConfiguration, keyfile.BadKey) as error:
        print(error, file=sys.stderr)
        return 1
    print(key.hex())
    return 0
