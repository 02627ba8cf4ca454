"""All notices about one emergency: who was told what of it, and for whom it is over.

Thousands of customers may hang on one supply: each is found by their name, not by going through all notices.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set

from hostwatch.core.acknowledgement import END
from hostwatch.core.emergency import Notice, NoticeState
from hostwatch.core.notice import Story
from hostwatch.core.notices import REMINDER

Told = tuple[Notice, list[Notice]]
"""What somebody was to be told of the beginning, and all to them about the emergency, oldest first."""


class Correspondence:
    """It grows with each further notice."""

    def __init__(self, reference: str, notices: Iterable[Notice]) -> None:
        """`notices` are those about the emergency, oldest first."""
        self._reference = reference
        self._people: dict[str, dict[str, list[Notice]]] = {}
        """By customer and contact."""

        self.told: dict[str, Story] = {}
        """What customers were told at last: not those for whom it is over."""

        self.over: set[str] = set()
        """The customers who have been told of its end."""

        for notice in notices:
            self.take(notice)

    def take(self, notice: Notice) -> None:
        """There is one more notice. A reminder says nothing that was not said before."""
        if notice.kind == REMINDER:
            return
        customer = notice.customer
        self._people.setdefault(customer, {}).setdefault(notice.contact, []).append(notice)
        if notice.kind in END:
            self.told.pop(customer, None)
            self.over.add(customer)
        else:
            self.told[customer] = next(one for one in notice.stories if one.reference == self._reference)

    def people(self, customer: str) -> Set[str]:
        """Whom of a customer any notice is to."""
        return self._people.get(customer, {}).keys()

    def to(self, customers: Collection[str] | None = None) -> list[Told]:
        """Whoever was to be told of the beginning: all, or those of some customers."""
        names = (
            self._people if customers is None else [one for one in sorted(customers) if one in self._people]
        )
        return [
            (first, about)
            for customer in names
            for about in self._people[customer].values()
            for first in about
            if first.kind == "emergency" and _may_know(first)
        ]


def _may_know(first: Notice) -> bool:
    """Whether somebody may have heard of the beginning, or still will: only they hear of the end."""
    if first.state in (NoticeState.GIVEN_UP, NoticeState.CORRECTED, NoticeState.RUNNING):
        return first.perhaps_told
    return first.state is not NoticeState.FORBIDDEN
