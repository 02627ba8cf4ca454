"""The counting-house: from recorded facts to seconds, and from seconds to a month.

Pure: it imports `core` alone, and time comes in as an argument. What is computed twice from the same
record is the same value, on any machine.
"""
