"""How a look missed, in the words of the reader."""

from __future__ import annotations

from gettext import NullTranslations

from hostwatch.messages.fit import line as _line


def said(words: NullTranslations, why: str) -> str:
    """The prober's word; one that is not known here is shown as it is. Which router said so is ours."""
    t, why = words, why.partition(", says ")[0]
    why, detail, more = why.partition(" (")  # which machine answers instead
    known = {
        "another machine answers": t.gettext("another machine answers at the address"),
        "no answer": t.gettext("no answer"),
        "host unreachable": t.gettext("host unreachable"),
        "network unreachable": t.gettext("network unreachable"),
        "port unreachable": t.gettext("port unreachable"),
        "protocol unreachable": t.gettext("protocol unreachable"),
        "prohibited": t.gettext("prohibited by a filter on the way"),
        "time exceeded": t.gettext("lost on the way: time exceeded"),
    }
    return known.get(why, _line(why)) + (f": {_line(more.removesuffix(')'))}" if detail else "")
