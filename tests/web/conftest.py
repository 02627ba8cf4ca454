"""Watches with a desk, that end with their test."""

from tests.daemon.conftest import start

__all__ = ["start"]
