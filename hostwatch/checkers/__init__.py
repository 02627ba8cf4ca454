"""The checkers: a process of its own that talks to hostile servers, without capabilities or store.

The watch defines services to it and orders looks at them; it answers each order. Both sides speak in bounded
messages of JSON (`protocol`), so that a distant vantage point can stand behind the same words one day.
"""
