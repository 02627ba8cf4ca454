"""The words of a cause: what it is called, how sure it is, and who said what. For people and their pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from gettext import NullTranslations

from hostwatch.core.cause import Cause, Confidence, Evidence, Slot

Time = Callable[[datetime], str]


def name(t: NullTranslations, cause: Cause) -> str:
    """What a cause is called."""
    return {
        Cause.NETWORK: t.gettext("operator's network"),
        Cause.POWER: t.gettext("operator's power"),
        Cause.DISTRIBUTION: t.gettext("operator's power distribution"),
        Cause.CARRIER: t.gettext("carrier"),
        Cause.ATTACK: t.gettext("attack and our null route"),
        Cause.AUTHORITY: t.gettext("order of an authority"),
        Cause.CUSTOMER: t.gettext("customer's equipment"),
        Cause.THIRD_PARTY: t.gettext("third party"),
        Cause.MAINTENANCE: t.gettext("maintenance"),
        Cause.UNDETERMINED: t.gettext("undetermined"),
    }[cause]


def outside(t: NullTranslations, cause: Cause) -> str:
    """That a cause is outside the wording of the promise of power (`colocation C2`); empty for any other."""
    if cause is not Cause.DISTRIBUTION:
        return ""
    return t.gettext("outside the wording of the promise: the utility or the UPS is there")


def sure(t: NullTranslations, confidence: Confidence) -> str:
    """How sure it is."""
    return {
        Confidence.NONE: t.gettext("nobody knows"),
        Confidence.POSSIBLE: t.gettext("possible"),
        Confidence.LIKELY: t.gettext("likely"),
        Confidence.CERTAIN: t.gettext("certain"),
    }[confidence]


def whom(t: NullTranslations, slot: Slot) -> str:
    """What a witness speaks of."""
    return {
        Slot.POWER: t.gettext("power"),
        Slot.OVERLOAD: t.gettext("overload"),
        Slot.PORT: t.gettext("the port"),
        Slot.SWITCH: t.gettext("the switch"),
        Slot.SWITCH_POWER: t.gettext("power of the switch"),
        Slot.OTHERS: t.gettext("others behind the same switch"),
        Slot.GATEWAY: t.gettext("our own gateway"),
        Slot.ITSELF: t.gettext("the device itself"),
        Slot.EDGE: t.gettext("our switch towards the uplink"),
        Slot.PLANNED: t.gettext("planned work"),
    }[slot]


def said(t: NullTranslations, evidence: Evidence, time: Time) -> str:
    """Who said what, and when, in a line."""
    who = whom(t, evidence.slot) + (f" {evidence.who}" if evidence.who else "")
    told = _word(t, evidence.said)
    if evidence.of:
        told = t.gettext("%(some)d of %(of)d %(told)s") % {
            "some": evidence.some,
            "of": evidence.of,
            "told": told,
        }
    words = f" ({evidence.words})" if evidence.words not in ("", evidence.said) else ""
    if evidence.at is None:
        return f"{who}: {told}{words}"
    seen, since = t.gettext("seen %s"), t.gettext("since %s")
    when = seen if evidence.said in ("answers", "answer", "lets us out") else since
    return f"{who}: {told}{words}, {when % time(evidence.at)}"


def _word(t: NullTranslations, word: str) -> str:
    return {
        "supplied": t.gettext("there is power"),
        "was not supplied": t.gettext("there is power, and another thing was said meanwhile"),
        "was interrupted": t.gettext("utility and UPS were both without power"),
        "was lost": t.gettext("there was no power"),
        "not heard": t.gettext("not heard"),
        "was silent": t.gettext("silent then, and no more"),
        "not supplied": t.gettext("no power"),
        "interrupted": t.gettext("utility and UPS are both without power"),
        "lost in distribution": t.gettext("power comes in, and none comes out"),
        "overloaded": t.gettext("overloaded"),
        "up": t.gettext("up"),
        "down": t.gettext("down"),
        "was down": t.gettext("up, and was down meanwhile"),
        "switched off": t.gettext("switched off by us"),
        "answers": t.gettext("answers"),
        "lets us out": t.gettext("it, or somebody beyond it, answers"),
        "silent": t.gettext("silent"),
        "fell silent together": t.gettext("fell silent in the same moment"),
        "answer": t.gettext("answer"),
        "planned": t.gettext("planned for this time"),
    }[word]
