"""The words about what devices of several customers hang on: supplies of power, and switches.

A customer reads which devices are theirs; the operator reads which supplies and switches, and how many hang
on them. Nothing is said that is not known: power is interrupted by the agreement's rule, where that is
measured, and a switch is dead as far as it and those behind it tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Part, Story
from hostwatch.messages import parted, spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How names, instants and lengths are written."""

    line: Callable[[str], str]
    time: Callable[[datetime], str]
    span: Callable[[int], str]
    interval: Callable[[timedelta], str]
    why: Callable[[str], str]


def is_about(story: Story) -> bool:
    """Whether a story is about supplies or switches."""
    return bool(story.supplies or story.switches)


def names(story: Story, line: Callable[[str], str]) -> list[str]:
    """What the first line names: the reader's own devices, or for the operator what is down."""
    return [line(one) for one in story.devices or story.supplies or story.switches]


def hidden(story: Story) -> int:
    """How many of the reader's devices are counted only."""
    return story.behind - len(story.devices) if story.devices else 0


def first_line(t: NullTranslations, story: Story, kind: Kind) -> str:
    """The pattern of the first line: with `reference`, `names` and `since`."""
    if story.supplies:
        match kind:
            case "emergency":
                return t.gettext("%(reference)s: power interrupted since %(since)s: %(names)s")
            case "update":
                return t.gettext("%(reference)s: more is without power: %(names)s")
            case "recovery" if story.measured_at == "outlet":
                return t.gettext("%(reference)s: power is back since %(since)s: %(names)s")
            case "recovery":
                return t.gettext("%(reference)s: power is back at its source since %(since)s: %(names)s")
            case _:
                return t.gettext("%(reference)s: power is no longer watched by us: %(names)s")
    match kind:
        case "emergency":
            return t.gettext("%(reference)s: no network connection since %(since)s: %(names)s")
        case "update":
            return t.gettext("%(reference)s: more is without a network connection: %(names)s")
        case "recovery":
            return t.gettext("%(reference)s: the network connection is back since %(since)s: %(names)s")
        case _:
            return t.gettext("%(reference)s: the switch is no longer watched by us: %(names)s")


def block(t: NullTranslations, story: Story, kind: Kind, form: Form) -> Iterator[str]:
    """The evidence, a line for each thing known."""
    yield from _what(t, story)
    yield from _whose(t, story, form)
    groups = parted.groups(story)
    if len(groups) > 1:
        for group in groups[: parted.GROUPS_MAX]:
            yield parted.heading(t, group, form.line, is_power=bool(story.supplies))
            yield from (f"  {line}" for line in _times(t, story, group.part, form))
            yield from (f"  {line}" for line in parted.misses(t, group, form.line, form.time))
        if left := parted.left(story, groups):
            yield parted.further(t, left)
    else:
        yield from _times(t, story, story, form, with_end=kind == "recovery")
        for group in groups:
            yield from parted.misses(t, group, form.line, form.time)
    yield _seen(t, story, form)


def _times(
    t: NullTranslations, story: Story, of: Story | Part, form: Form, *, with_end: bool = True
) -> Iterator[str]:
    """When it began, of the whole or of a part of it; and when it ended and how long it was."""
    bounds = {"answer": form.time(of.last_answer), "miss": form.time(of.first_miss)}
    if story.supplies:
        yield (
            t.gettext(
                "Without power since: after %(answer)s (last reading with power), by %(miss)s (first without)"
            )
            % bounds
        )
    else:
        yield t.gettext("Silent since: after %(answer)s (last answer), by %(miss)s (first miss)") % bounds
    if with_end:
        yield from _end(t, story, of, form)


def _what(t: NullTranslations, story: Story) -> Iterator[str]:
    if not story.supplies:
        yield t.gettext(
            "About: a switch of ours. It did not answer, nor did the devices behind it that we looked at."
        )
    elif story.measured_at == "outlet":
        yield t.gettext("About: the power at the outlets, where there was none.")
    else:
        yield t.gettext("About: the power at its source, where utility and UPS were both without power.")


def _whose(t: NullTranslations, story: Story, form: Form) -> Iterator[str]:
    if story.devices:
        listed = ", ".join(names(story, form.line)) + (f" +{more}" if (more := hidden(story)) else "")
        pattern = t.gettext("Your devices concerned: %(count)d (%(devices)s)")
        yield pattern % {"count": story.behind, "devices": listed}
        return
    listed = ", ".join(names(story, form.line))
    yield (t.gettext("Supplies: %s") if story.supplies else t.gettext("Switches: %s")) % listed
    yield t.gettext("Concerned: %(count)d devices, customers: %(customers)d") % {
        "count": story.behind,
        "customers": story.customers,
    }


def _end(t: NullTranslations, story: Story, of: Story | Part, form: Form) -> Iterator[str]:
    length = spans.length(of)
    if of.first_answer is None or length is None:
        return
    bounds = {
        "miss": form.time(of.last_miss or of.first_miss),
        "answer": form.time(of.first_answer),
    }
    if story.supplies:
        since = t.gettext(
            "With power since: after %(miss)s (last reading without), by %(answer)s (first with power)"
        )
        lasted = t.gettext("Without power for: %(point)s (at least %(least)s, at most %(most)s)")
    else:
        since = t.gettext("Answering since: after %(miss)s (last miss), by %(answer)s (first answer)")
        lasted = t.gettext("Silent for: %(point)s (at least %(least)s, at most %(most)s)")
    yield since % bounds
    yield lasted % {
        "point": form.span(length.point_s),
        "least": form.span(length.least_s),
        "most": form.span(length.most_s),
    }


def _seen(t: NullTranslations, story: Story, form: Form) -> str:
    values = {
        "count": story.misses,
        "why": form.why(story.why),
        "interval": form.interval(story.interval),
    }
    if story.supplies:
        pattern = t.ngettext(
            "What we saw: %(count)d reading without power; we read every %(interval)s",
            "What we saw: %(count)d readings in a row without power; we read every %(interval)s",
            story.misses,
        )
    else:
        pattern = t.ngettext(
            "What we saw: %(count)d ping to the switch missed (%(why)s); we ping every %(interval)s",
            "What we saw: %(count)d pings to the switch in a row missed (%(why)s);"
            " we ping every %(interval)s",
            story.misses,
        )
    return pattern % values


def next_steps(t: NullTranslations, stories: Sequence[Story], kind: Kind) -> str:
    """What the reader can expect from us now."""
    of_power = bool(stories[0].supplies)
    match kind:
        case "emergency" | "update":
            said = (
                t.gettext(
                    "What happens next: we keep reading and tell you when power is back."
                    " We have not established the cause yet."
                )
                if of_power
                else t.gettext(
                    "What happens next: we keep looking and tell you when the connection is back."
                    " We have not established the cause yet."
                )
            )
            return said if stories[0].devices else f"{said}\n{_spared(t)}"
        case "recovery":
            if of_power and any(story.measured_at != "outlet" for story in stories):
                return t.gettext(
                    "What happens next: we keep reading and tell you if power is interrupted again."
                    " This is read at the source: utility or UPS has power. We keep looking at the devices,"
                    " which may take a while to start, and tell you of one that does not answer."
                )
            if of_power:
                return t.gettext(
                    "What happens next: we keep reading and tell you if power is interrupted again."
                    " Devices may take a while to start. We keep looking at them, and tell you of one that"
                    " does not answer."
                )
            return t.gettext(
                "What happens next: we keep looking and tell you if the connection is lost again,"
                " or if a device does not answer."
            )
        case _:
            return t.gettext(
                "What happens next: this was taken out of our watch meanwhile."
                " We do not know how it is now, and you get no further notice about it."
            )


def _spared(t: NullTranslations) -> str:
    """What the operator's people are not told of, since they are told of this."""
    return t.gettext(
        "While it lasts you get no further notice about what hangs on it."
        " We watch on, and each customer gets a notice of their own."
    )
