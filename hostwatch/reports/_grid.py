"""A table on a page: as wide as it needs, or one cell below the other where it does not fit."""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.table import Table

from hostwatch.reports import Paper

GAP, RULED_GAP = 2, 3
"""Characters between two columns, without rules and with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Rows under a header. The first cells stand left, the others right, unless `left` says more."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    styles: list[str]
    left: int = 1
    """How many columns stand left."""

    @property
    def widths(self) -> tuple[int, ...]:
        """How wide each column is."""
        columns = zip(self.header, *self.rows, strict=True)
        return tuple(max(cell_len(cell) for cell in column) for column in columns)

    def fits(self, paper: Paper) -> bool:
        """Whether it can stand on the page without cutting anything off."""
        gap = RULED_GAP if paper.colour else GAP
        return sum(self.widths) + gap * (len(self.header) - 1) <= paper.width

    def plain(self) -> str:
        """Nothing but spaces between the cells."""
        widths = self.widths
        lines = []
        for row in (self.header, *self.rows):
            padded = (
                set_cell_size(cell, width) if place < self.left else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            lines.append((" " * GAP).join(padded))
        return "\n".join(lines)

    def ruled(self) -> Table:
        """With a rule below the header, and colours."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for place, name in enumerate(self.header):
            table.add_column(name, no_wrap=True, justify="left" if place < self.left else "right")
        for cells, style in zip(self.rows, self.styles, strict=True):
            table.add_row(*cells, style=style)
        return table

    def listed(self) -> str:
        """One cell below the other, for narrow pages. The first column is the heading of the rest."""
        width = max(cell_len(name) for name in self.header)
        blocks = (
            "\n".join(
                f"  {name:<{width}}  {cell}" for name, cell in zip(self.header, row, strict=True) if cell
            )
            for row in self.rows
        )
        return "\n\n".join(blocks)

    def on(self, paper: Paper) -> str | Table:
        """As the page allows."""
        if not self.fits(paper):
            return self.listed()
        return self.ruled() if paper.colour else self.plain()
