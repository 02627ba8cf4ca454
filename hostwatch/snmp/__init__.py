"""SNMP of our own: asking agents by v2c and v3, and hearing what they tell unasked.

`access` is what is written about an agent, `agent` asks one; `ber`, `message` and `usm` are the protocol.
Nothing here opens a socket but through a visit, and whatever an agent says is bounded, or is a miss.
"""
