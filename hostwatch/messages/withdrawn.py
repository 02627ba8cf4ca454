"""The words about what is withdrawn though we watch on: it is another customer's, or told under another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Story


def goes_on(story: Story, kind: Kind) -> bool:
    """Whether it is so."""
    return kind == "withdrawn" and bool(story.gone or story.under)


def first_line(t: NullTranslations, story: Story) -> str:
    """The pattern of the first line: with `reference`, `under` and `names`."""
    if story.under:
        return t.gettext("%(reference)s: told of under %(under)s from now on: %(names)s")
    return t.gettext("%(reference)s: no longer yours: %(names)s")


def names(story: Story, listed: Sequence[str], line: Callable[[str], str]) -> list[str]:
    """What the first line names: the device, or what is shared as `listed`."""
    return [*listed] or [line(f"{story.service} {story.device}".strip())]


def next_steps(t: NullTranslations, story: Story, line: Callable[[str], str]) -> str:
    """What the reader can expect from us now."""
    if story.under:
        pattern = t.gettext("What happens next: we tell you of this, and of its end, under %(under)s.")
        return pattern % {"under": line(story.under)}
    return t.gettext(
        "What happens next: it belongs to another customer from now on, whom we tell how it goes on."
        " You get no further notice about it."
    )
