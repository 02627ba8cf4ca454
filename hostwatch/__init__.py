"""hostwatch: the daemon with which a datacentre keeps its word."""

__version__ = "0.1.0"
