"""Two decisions about people as one: deeds that concern several notices make one for each, and join them."""

from __future__ import annotations

from dataclasses import replace

from hostwatch.core.world import Decision


def both(one: Decision, other: Decision) -> Decision:
    """They are about different notices, or the first is about none."""
    return replace(
        one,
        facts=(*one.facts, *other.facts),
        duties=(*one.duties, *other.duties),
        customer_duties=(*one.customer_duties, *other.customer_duties),
        notices=(*one.notices, *other.notices),
        acknowledged={**one.acknowledged, **other.acknowledged},
    )
