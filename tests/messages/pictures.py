"""Takes pictures of mails as a browser shows them: python -m tests.messages.pictures [FOLDER]

Without a folder those that the pages of `docs/` show; with one, all that people look at before a change of
how mails look: each at the width of a telephone and of a desk, by day and in the dark, in each language.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from hostwatch.messages import hypertext
from tests.browser import Browser, Mode, browser
from tests.messages.examples import NOTICES, compose

DOCS = Path(__file__).parents[2] / "docs" / "pictures"
SIZES = {"telephone": (360, 800), "desk": (1280, 800)}
QUALITY = 80


class Picture(NamedTuple):
    heading: str
    language: str
    size: str
    mode: Mode

    @property
    def name(self) -> str:
        """Of its file."""
        return "-".join((*self.heading.lower().replace(",", "").split(), self.language, self.size, self.mode))


KEPT = (
    Picture("An emergency", "en", "telephone", "light"),
    Picture("An emergency", "zh-CN", "telephone", "dark"),
    Picture("Power is back, of some sooner", "en", "desk", "light"),
    Picture("Several emergencies in one notice", "zh-CN", "desk", "dark"),
)
LOOKED_AT = (
    "An emergency",
    "A recovery",
    "More is without power",
    "Power is back, of some sooner",
    "Several emergencies in one notice",
    "A repeat that is late as well",
    "A warning to operators",
    "A customer is not told yet",
)
ALL = tuple(
    Picture(heading, language, size, mode)
    for heading in LOOKED_AT
    for language in ("en", "zh-CN")
    for size in SIZES
    for mode in ("light", "dark")
)


def take(screen: Browser, one: Picture) -> bytes:
    """The picture, in WebP; as high as the mail is, if that is more than the screen."""
    kind, stories, options = NOTICES[one.heading]
    width, height = SIZES[one.size]
    page = hypertext(compose(kind, stories, language=one.language, **options).sheet)
    screen.show(page, width=width, height=height, mode=one.mode)
    needs = int(screen.ask("document.documentElement.scrollHeight"))
    screen.show(page, width=width, height=max(needs, height), mode=one.mode)
    return screen.picture("webp", quality=QUALITY)


def main(arguments: list[str]) -> None:
    folder, wanted = (Path(arguments[0]), ALL) if arguments else (DOCS, KEPT)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as screen:
        for one in wanted:
            (folder / f"{one.name}.webp").write_bytes(take(screen, one))


if __name__ == "__main__":
    main(sys.argv[1:])
