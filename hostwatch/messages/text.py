"""The text of a notice: a first line that says it all, then the evidence, then what happens next.

The first line is also the subject, at most `SUBJECT_MAX_CHARS` long, so that a pager shows it whole.
Every instant is in the customer's zone with its offset; a start and an end always have both bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import (
    apart,
    catalogue,
    device,
    running,
    service,
    shared,
    spans,
    uplink,
    whys,
    withdrawn,
)
from hostwatch.messages import both as together
from hostwatch.messages.fit import beside
from hostwatch.messages.fit import cut as _cut
from hostwatch.messages.fit import line as _line
from hostwatch.messages.fit import listed as _listed
from hostwatch.messages.fit import local as local
from hostwatch.messages.sheet import Sheet

SUBJECT_MAX_CHARS = 120


@dataclass(frozen=True, slots=True)
class Composed:
    """A notice in words."""

    subject: str
    text: str
    sheet: Sheet
    """The same, part by part."""


def compose(
    stories: Sequence[Story],
    kind: Kind,
    *,
    language: str,
    zone: ZoneInfo,
    site: str,
    customer_name: str,
    contact_name: str,
    repeat: bool,
    late: bool = False,
    both: bool = False,
) -> Composed:
    """One notice about one or more emergencies of one customer. `both`: it tells of the beginning too."""
    tag = catalogue.resolve(language)
    speaker = Speaker(catalogue.words(tag), zone)
    all_pinged = not any(story.method for story in stories)
    own = apart.next_steps(speaker.words, stories[0], kind, speaker.form)
    if own is not None:
        steps = own
    elif len({(story.gone, story.under) for story in stories}) == 1 and withdrawn.goes_on(stories[0], kind):
        steps = withdrawn.next_steps(speaker.words, stories[0], _line)
    elif all(story.uplink for story in stories):
        steps = speaker.about_carrier(stories, kind)
    elif all(shared.is_about(story) for story in stories):
        steps = speaker.about_shared(stories, kind)
    elif all(story.service for story in stories):
        steps = speaker.about_service(kind, len(stories))
    else:
        steps = speaker.next_steps(kind, len(stories), all_pinged)
    sheet = Sheet(
        language=tag,
        kind=kind,
        first=speaker.first_line(stories, kind, repeat=repeat, late=late, both=both),
        marks=(*speaker.marks(repeat=repeat, late=late, both=len(stories) if both else 0),),
        blocks=tuple((*speaker.block(story, kind),) for story in stories),
        steps=(*steps.split("\n"),),
        closing=(*speaker.closing(_line(site), _line(customer_name), _line(contact_name)),),
    )
    return Composed(subject=sheet.first, text=sheet.text, sheet=sheet)


def first_line(
    stories: Sequence[Story],
    kind: Kind,
    *,
    language: str,
    zone: ZoneInfo,
    repeat: bool,
    late: bool = False,
    both: bool = False,
) -> str:
    """The first line alone, as it stands in `compose`."""
    speaker = Speaker(catalogue.words(catalogue.resolve(language)), zone)
    return speaker.first_line(stories, kind, repeat=repeat, late=late, both=both)


class Speaker:
    """Speaks one language in one zone."""

    room: int = SUBJECT_MAX_CHARS
    """Of a first line."""

    def __init__(self, words: NullTranslations, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone

    def first_line(
        self, stories: Sequence[Story], kind: Kind, *, repeat: bool, late: bool, both: bool = False
    ) -> str:
        """What a pager must show; long names give way, the facts do not."""
        t = self._words
        mark = (t.gettext("[repeat] ") if repeat else "") + (t.gettext("[late] ") if late else "")
        if both and (line := self._of_both(stories, kind, mark)) is not None:
            return line
        return _cut(self._line_about(stories, kind, mark), self.room)

    def _line_about(self, stories: Sequence[Story], kind: Kind, mark: str) -> str:
        one = len(stories) == 1
        return self._about_one(stories[0], kind, mark) if one else self._about_many(stories, kind, mark)

    def _of_both(self, stories: Sequence[Story], kind: Kind, mark: str) -> str | None:
        """The line of the end, and when it began; None if there is no room for that."""
        since, many = together.began(stories), len(stories) > 1
        ended = None if many else stories[0].first_answer
        shown = self._time(since) if ended is None else self._time_beside(since, ended)
        added = together.added(self._words, shown, many)
        whole, self.room = self.room, self.room - len(added)
        line = self._line_about(stories, kind, mark)
        fits, self.room = len(line) <= self.room, whole
        return line + added if fits else None

    def _about_one(self, story: Story, kind: Kind, mark: str) -> str:
        own = apart.first_line(self._words, story, kind, mark, self.form, self.room)
        if own is not None:
            return own
        if withdrawn.goes_on(story, kind):
            return self._about_withdrawn(story, mark)
        if story.uplink:
            return self._about_uplink(story, kind, mark)
        if shared.is_about(story):
            return self._about_shared(story, kind, mark)
        t = self._words
        since = story.first_miss
        if story.service:
            pattern = service.first_line(t, kind)
            since = (story.first_answer or story.verdict) if kind == "recovery" else since
        elif kind == "update":
            pattern = t.gettext("%(reference)s: now %(device)s itself has not answered us since %(since)s")
        elif kind == "emergency":
            pinged = t.gettext("%(reference)s: %(device)s has not answered our pings since %(since)s")
            looked = t.gettext("%(reference)s: %(device)s has not answered us since %(since)s")
            pattern = looked if story.method else pinged
        elif kind == "recovery":
            pinged = t.gettext("%(reference)s: %(device)s answers our pings again since %(since)s")
            looked = t.gettext("%(reference)s: %(device)s answers us again since %(since)s")
            pattern = looked if story.method else pinged
            since = story.first_answer or story.verdict
        else:
            pattern = t.gettext("%(reference)s: %(device)s is no longer watched by us")
        values = {
            "reference": _line(story.reference),
            "since": self._time(since),
            "service": service.named(story, kind, _line),
        }
        room = self.room - len(mark + pattern % {**values, "device": ""})
        return mark + pattern % {**values, "device": self._device(story, room)}

    def _about_uplink(self, story: Story, kind: Kind, mark: str) -> str:
        pattern = uplink.first_line(self._words, kind)
        since = (story.first_answer or story.verdict) if kind == "recovery" else story.first_miss
        values = {"reference": _line(story.reference), "since": self._time(since)}
        room = self.room - len(mark + pattern % {**values, "uplink": ""})
        return mark + pattern % {**values, "uplink": _cut(_line(story.uplink), max(room, 1))}

    def _about_shared(self, story: Story, kind: Kind, mark: str) -> str:
        pattern = shared.first_line(self._words, story, kind)
        since = (story.first_answer or story.verdict) if kind == "recovery" else story.first_miss
        values = {"reference": _line(story.reference), "since": self._time(since)}
        room = self.room - len(mark + pattern % {**values, "names": ""})
        listed = _listed(shared.names(story, _line), max(room, 1), shared.hidden(story))
        return mark + pattern % {**values, "names": listed}

    def _about_withdrawn(self, story: Story, mark: str) -> str:
        pattern = withdrawn.first_line(self._words, story)
        values = {"reference": _line(story.reference), "under": _line(story.under)}
        room = self.room - len(mark + pattern % {**values, "names": ""})
        names = withdrawn.names(story, shared.names(story, _line), _line)
        return mark + pattern % {**values, "names": _listed(names, max(room, 1), shared.hidden(story))}

    def _about_many(self, stories: Sequence[Story], kind: Kind, mark: str) -> str:
        t = self._words
        all_pinged = not any(story.method for story in stories)
        own = apart.many(t, kind)
        if own is not None:
            pattern = own
        elif all(story.service for story in stories):
            pattern = service.many(t, kind)
        elif kind == "emergency":
            pinged = t.gettext(
                "%(count)d devices have not answered our pings, the first since %(since)s: %(devices)s"
            )
            looked = t.gettext(
                "%(count)d devices have not answered us, the first since %(since)s: %(devices)s"
            )
            pattern = pinged if all_pinged else looked
        elif kind == "recovery":
            pinged = t.gettext("%(count)d devices answer our pings again: %(devices)s")
            looked = t.gettext("%(count)d devices answer us again: %(devices)s")
            pattern = pinged if all_pinged else looked
        else:
            pattern = t.gettext("%(count)d devices are no longer watched by us: %(devices)s")
        since = self._time(min(story.first_miss for story in stories))
        values = {"count": len(stories) + stories[0].further, "since": since}
        room = self.room - len(mark + pattern % {**values, "devices": ""})
        names = [
            _line(f"{one.service} {one.device or one.uplink}".strip()) or ", ".join(shared.names(one, _line))
            for one in stories
        ]
        return mark + pattern % {**values, "devices": _listed(names, room, stories[0].further)}

    def marks(self, *, repeat: bool, late: bool, both: int = 0) -> Iterator[str]:
        """What the marks of the first line mean. `both`: of how many it tells of beginning and end."""
        t = self._words
        if both:
            yield together.mark(t, both, repeat)
        elif repeat:
            yield t.gettext("You may have received this notice already: an earlier try may have arrived.")
        if late:
            yield t.gettext("This notice is sent late. The times in it are those of the events.")

    def block(self, story: Story, kind: Kind) -> Iterator[str]:
        """The evidence of one emergency, a line for each thing known."""
        t = self._words
        own = apart.block(t, story, kind, self.form)
        if own is not None:
            yield from own
            return
        yield t.gettext("Reference: %s (please quote it when you contact us)") % _line(story.reference)
        if shared.is_about(story):
            yield from shared.block(t, story, kind, self.form)
        else:
            yield from self._own(story, kind)
        yield t.gettext("Declared an emergency: %s") % self._time(story.verdict)
        yield from running.begins(t, story, self.form)

    def _own(self, story: Story, kind: Kind) -> Iterator[str]:
        """The evidence about a device, a service or an uplink."""
        yield from self._what(story)
        if story.service:
            yield service.since(self._words, story, self._time)
        else:
            yield self._silent_since(story)
        if kind == "recovery":
            yield from self._end(story)
        yield self._seen(story)
        yield from service.beside(self._words, story, kind, _line)

    @property
    def words(self) -> NullTranslations:
        """The catalogue."""
        return self._words

    @property
    def form(self) -> shared.Form:
        return shared.Form(
            line=_line,
            time=self._time,
            span=self._span,
            interval=self._interval,
            why=self._why,
        )

    def _silent_since(self, story: Story) -> str:
        t = self._words
        return t.gettext("Silent since: after %(answer)s (last answer), by %(miss)s (first miss)") % {
            "answer": self._time(story.last_answer),
            "miss": self._time(story.first_miss),
        }

    def _what(self, story: Story) -> Iterator[str]:
        """What the emergency is about."""
        t = self._words
        if story.service:
            yield from service.what(t, story, _line)
            return
        if not story.uplink:
            yield t.gettext("Device: %(device)s, address %(address)s") % {
                "device": _line(story.device),
                "address": _line(story.address),
            }
            return
        yield from uplink.what(t, story, _line)

    def _end(self, story: Story) -> Iterator[str]:
        t = self._words
        length = spans.length(story)
        if story.first_answer is None or length is None:
            return
        values = {
            "miss": self._time(story.last_miss or story.first_miss),
            "answer": self._time(story.first_answer),
        }
        if story.service:
            yield service.until(t) % values
        else:
            yield (
                t.gettext("Answering since: after %(miss)s (last miss), by %(answer)s (first answer)")
                % values
            )
        silent = t.gettext("Silent for: %(point)s (at least %(least)s, at most %(most)s)")
        yield (service.lasted(t) if story.service else silent) % {
            "point": self._span(length.point_s),
            "least": self._span(length.least_s),
            "most": self._span(length.most_s),
        }

    def _seen(self, story: Story) -> str:
        t = self._words
        if story.service:
            return service.seen(t, story, _line, self._interval)
        if story.uplink:
            return uplink.seen(t, story, _line, self._why(story.why), self._interval(story.interval))
        if story.method:
            return t.ngettext(
                "What we saw: %(count)d look missed (%(why)s); we look every %(interval)s (%(method)s)",
                "What we saw: %(count)d looks in a row missed (%(why)s);"
                " we look every %(interval)s (%(method)s)",
                story.misses,
            ) % {
                "count": story.misses,
                "why": self._why(story.why),
                "interval": self._interval(story.interval),
                "method": _line(story.method),
            }
        return t.ngettext(
            "What we saw: %(count)d ping missed (%(why)s); we ping every %(interval)s",
            "What we saw: %(count)d pings in a row missed (%(why)s); we ping every %(interval)s",
            story.misses,
        ) % {"count": story.misses, "why": self._why(story.why), "interval": self._interval(story.interval)}

    def _why(self, why: str) -> str:
        return whys.said(self._words, why)

    def next_steps(self, kind: Kind, count: int, all_pinged: bool) -> str:
        """What the reader can expect from us now."""
        return device.next_steps(self._words, kind, count, all_pinged)

    def about_carrier(self, stories: Sequence[Story], kind: Kind) -> str:
        """The same after an outage of an uplink."""
        return uplink.next_steps(self._words, stories, kind)

    def about_shared(self, stories: Sequence[Story], kind: Kind) -> str:
        """The same after an outage of what several customers hang on."""
        return shared.next_steps(self._words, stories, kind)

    def about_service(self, kind: Kind, count: int) -> str:
        """The same about services."""
        return service.next_steps(self._words, kind, count)

    def closing(self, site: str, customer: str, contact: str) -> Iterator[str]:
        """For whom, from whom, and in which time."""
        t = self._words
        yield t.gettext("For %(contact)s, %(customer)s") % {"contact": contact, "customer": customer}
        yield t.gettext("From %(site)s. Times are in %(zone)s.") % {"site": site, "zone": self._zone.key}

    def _device(self, story: Story, room: int) -> str:
        """Name and address; the name gives way, since the address is surer."""
        pattern = self._words.gettext("%(device)s (%(address)s)")
        address = _line(story.address)
        left = room - len(pattern % {"device": "", "address": address})
        return pattern % {"device": _cut(_line(story.device), max(left, 1)), "address": address}

    def _time(self, when: datetime) -> str:
        return local(when, self._zone)

    def _time_beside(self, when: datetime, other: datetime) -> str:
        """An instant where another of the same day stands before it: names need the room more than a date."""
        return beside(when, other, self._zone)

    def _interval(self, interval: timedelta) -> str:
        if interval % timedelta(seconds=1):
            return self._words.gettext("%d ms") % (interval // timedelta(milliseconds=1))
        return self._span(interval // timedelta(seconds=1))

    def _span(self, seconds: int) -> str:
        return spans.words(seconds, self._words)
