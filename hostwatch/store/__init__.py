"""The store: facts, evidence, the present, and the outbox, on SQLite.

One connection in one process writes and checkpoints (`ledger`); everybody else opens the file
read-only (`reader`). Its functions are synchronous: the service drives them through one thread
(`writer`), a simulation calls them directly.
"""
