"""One small bad file per rule; its first line is the exact message that it must get."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostwatch.configuration.load import load
from hostwatch.configuration.mistake import BadConfiguration

FOLDER = Path(__file__).parent / "bad"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_gets_its_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    expected = (FOLDER / name).read_text().splitlines()[0].removeprefix("# ")

    with pytest.raises(BadConfiguration) as bad:
        load(Path(name))

    assert [str(mistake) for mistake in bad.value.mistakes] == [expected]


def test_there_is_a_file_for_each_of_many_rules() -> None:
    assert len(FILES) > 80
