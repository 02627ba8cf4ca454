"""The words of early warnings, which only operators read. What a source says of itself is shown as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from gettext import NullTranslations

from hostwatch.core.dutyclock import minute_of
from hostwatch.core.notice import Kind, Story
from hostwatch.core.untaken import ABOUT as CALL_SHEET
from hostwatch.core.warned import OF_DUTIES, URGENT, What
from hostwatch.messages import exercise, seen
from hostwatch.messages.fit import line
from hostwatch.messages.shared import Form
from hostwatch.messages.spans import ENGLISH


def named(t: NullTranslations, what: str) -> str:
    """What is warned of, in a few words."""
    known = {
        What.ON_BATTERY: t.gettext("on battery"),
        What.RUNTIME_LOW: t.gettext("little battery time left"),
        What.REPLACE_BATTERY: t.gettext("the battery is to be replaced"),
        What.OVERLOAD: t.gettext("overload"),
        What.BYPASS: t.gettext("on bypass"),
        What.VOLTAGE: t.gettext("voltage out of range"),
        What.ALARM: t.gettext("alarm"),
        What.SHUTDOWN: t.gettext("it is about to switch off"),
        What.DISTRIBUTION: t.gettext("power comes in, and none comes out"),
        What.REDUNDANCY: t.gettext("redundancy is lost"),
        What.SHARED: t.gettext("its feeds hang on one and the same"),
        What.PLANNED: t.gettext("planned work would take the power away"),
        What.MANAGEMENT: t.gettext("the switch does not answer, but forwards"),
        What.SWITCH: t.gettext("the switch does not answer"),
        What.CONTRADICTION: t.gettext("sources contradict one another"),
        What.UNHEARD: t.gettext("it is not heard any more"),
        What.HEARTBEAT: t.gettext("nobody outside hears our heartbeat"),
        What.NOT_TOLD: t.gettext("not told yet"),
        What.NOT_TOLD_SOON: t.gettext("not told yet, little time left"),
        What.NOT_TOLD_IN_TIME: t.gettext("not told in time"),
        What.UNREAD: t.gettext("mail that comes back is not read"),
        What.UNTAKEN: t.gettext("nobody takes them"),
    }
    return known.get(What(what), what)


def about(source: str, elements: Sequence[str], t: NullTranslations = ENGLISH) -> str:
    """What it is about; of a source first what it witnesses, by which people know it."""
    if source == CALL_SHEET:
        return t.gettext("call sheet")
    if not elements or (*elements,) == (source,):
        return line(source)
    values = {"elements": ", ".join(map(line, elements)), "source": line(source)}
    return t.gettext("%(elements)s (source %(source)s)") % values


def first_line(t: NullTranslations, story: Story, kind: Kind, form: Form) -> str:
    """What a pager must show."""
    begins = kind == "warning"
    if story.warning in OF_DUTIES:
        pattern = (
            t.gettext("Warning: customers to be told by %(about)s: %(what)s")
            if begins
            else t.gettext("Over: customers to be told by %(about)s: %(what)s")
        )
        return pattern % {"about": form.time(minute_of(story.about)), "what": named(t, story.warning)}
    pattern = t.gettext("Warning: %(about)s: %(what)s") if begins else t.gettext("Over: %(about)s: %(what)s")
    return pattern % {"about": about(story.about, story.elements, t), "what": named(t, story.warning)}


def block(t: NullTranslations, story: Story, kind: Kind, form: Form) -> Iterator[str]:
    """What is known, a line for each thing; also of an exercise."""
    if exercise.is_one(kind):
        yield from exercise.block(t, story, form)
        return
    if story.warning == What.UNTAKEN:
        yield t.gettext("Calls to: %s") % line(seen.worded(t, story.why))
    elif story.warning in OF_DUTIES:
        yield t.gettext("To be told by: %s") % form.time(minute_of(story.about))
        yield t.gettext("Customers: %s") % line(seen.worded(t, story.why))
    else:
        yield t.gettext("About: %s") % about(story.about, story.elements, t)
    if story.why and story.warning not in URGENT:
        yield t.gettext("Seen: %s") % line(seen.worded(t, story.why))
    yield t.gettext("Since: %s") % form.time(story.first_miss)
    if kind == "cleared":
        yield t.gettext("Not seen any more: %s") % form.time(story.verdict)


def next_steps(t: NullTranslations, kind: Kind, what: str = "") -> str:
    """What the reader can expect; also of an exercise."""
    if exercise.is_one(kind):
        return exercise.next_steps(t)
    if kind == "warning" and what in OF_DUTIES:
        return t.gettext(
            "What to do: ring them. `hostwatch status` shows whom, how they were tried, and how much time"
            " is left. The attempts go on. You are told once more when none of it is open any more."
        )
    if kind == "warning" and what == What.UNHEARD:
        return t.gettext(
            "This is a warning to operators: no customer is told. Whether power is interrupted is not known,"
            " and nobody is told of it while nobody can say. You are told once more when this is over."
        )
    if kind == "warning" and what == What.HEARTBEAT:
        return t.gettext(
            "This is a warning to operators: no customer is told. The watch goes on, but whoever is to raise"
            " an alarm when it stops does not hear it. You are told once more when this is over."
        )
    if kind == "warning" and what == What.UNREAD:
        return t.gettext(
            "This is a warning to operators: no customer is told. While nobody reads this mailbox, a mail"
            " that a relay gives back counts as accepted. You are told once more when it is read again."
        )
    if kind == "warning" and what == What.UNTAKEN:
        return t.gettext(
            "What to do: take them (`hostwatch calls`), or have them made: the time to tell these customers"
            " runs. The attempts go on. You are told once more when no call has waited for a while."
        )
    if kind == "warning" and what == What.DISTRIBUTION:
        return t.gettext(
            "This is a warning to operators: no customer is told. By the wording of the promise nothing is"
            " interrupted, but what hangs on this alone has no power. You are told once more when it is over."
        )
    if kind == "warning":
        return t.gettext(
            "This is a warning to operators: no customer is told, and nothing is interrupted by it."
            " You are told once more when it is over, and not before."
        )
    return t.gettext("This warning is over.")
