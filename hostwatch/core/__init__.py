"""The core: pure rules from reading to flip to outage to emergency to duty.

Nothing here knows a clock, a socket, a log or a coroutine: time comes in as an argument,
so that a year can be judged in seconds and every rule can be read as a table.
"""
