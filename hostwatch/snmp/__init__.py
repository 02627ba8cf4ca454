"""SNMP of our own: asking agents by v2c and v3, and hearing what they tell unasked.

`access` is what is written about an agent, `agent` asks one, `hearing` hears traps and informs; `ber`,
`message` and `usm` are the protocol. Whatever an agent says is bounded, and is a miss or dropped if it makes
no sense.
"""
