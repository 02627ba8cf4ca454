"""Every notice in every form in which it leaves: python -m tests.messages.forms writes them to `golden/`.

Each example of `examples.NOTICES` is told to a person who reads each language, as the watch does it. A
further kind of notice needs an example, a further form one line in `FORMS`; there is no list of files.
"""

from __future__ import annotations

import functools
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Final

from hostwatch import callsheet
from hostwatch.channels import (
    _alertmanager,
    _mail_message,
    _markdown,
    _phone,
    _segments,
    _sized,
    _typesetter,
    alertmanager,
    base,
    pager,
    voice,
)
from hostwatch.channels import webhook as webhooks
from hostwatch.configuration.load import load
from hostwatch.configuration.model import Configuration
from hostwatch.core.bundle import Contents, alone
from hostwatch.core.calls import Entry
from hostwatch.core.emergency import Attempt, Notice
from hostwatch.directory import Directory
from tests.messages.examples import NOTICES, at

FOLDER: Final = Path(__file__).parent / "golden"
LANGUAGES: Final = ("en", "zh-CN")
NOW: Final = at("06:31")
SITE: Final[Mapping[str, Any]] = {
    "site": {"name": "Chengdu 1", "timezone": "Asia/Shanghai"},
    "store": "sqlite:///hostwatch.db",
    "listen": "off",
    "mail": {"smtp": "smtp://127.0.0.1:2525", "from": "noc@dc.example"},
}
PEOPLE: Final = {"acme": ("Acme Trading", "Duty officer"), "noc": ("Operations", "Night shift")}


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, on its way to somebody."""

    configuration: Configuration
    notice: Notice
    message: base.Message
    contents: Contents


@functools.cache
def directory(language: str) -> Directory:
    """All people, who read that language."""
    customers = [
        {
            "id": customer,
            "name": name,
            "language": language,
            "contacts": [{"id": "duty", "name": contact, "channels": [{"email": "ops@acme.example"}]}],
            "devices": [{"id": f"{customer}-1", "address": f"192.0.2.{number}"}],
        }
        for number, (customer, (name, contact)) in enumerate(PEOPLE.items(), 1)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hostwatch.yaml"
        path.write_text(json.dumps({**SITE, "customers": customers}), encoding="utf-8")
        configuration = load(path).configuration
    around = base.Surroundings(site=configuration.site_settings, webhook_key=b"golden", now=lambda: NOW)
    return Directory(configuration, around)


def told(heading: str, language: str) -> Told:
    """An example as the watch tells it."""
    kind, stories, marks = NOTICES[heading]
    customer = stories[0].customer
    notice = Notice(
        id=f"{stories[0].reference or 'warning'}.{kind}.{customer}.duty",
        kind=kind,
        customer=customer,
        contact="duty",
        emergencies=tuple(story.reference for story in stories),
        stories=tuple(replace(story, customer=customer) for story in stories),
        created_at=stories[0].verdict,
    )
    found = directory(language)
    person = found.person(notice)
    assert person is not None
    contents = replace(alone(notice), both=marks.get("both", False))
    message = found.message(
        notice,
        person,
        repeat=marks.get("repeat", False),
        late=marks.get("late", False),
        told=contents,
    )
    return Told(found.configuration, notice, message, contents)


def _mail(one: Told) -> str:
    written = _mail_message.written(one.message, sender="noc@dc.example", to="ops@acme.example", now=NOW)
    mail = BytesParser(EmailMessage, policy=policy.default).parsebytes(written)
    headers = [f"{name}: {value}" for name, value in mail.items() if name != "Content-Type"]
    kinds = [part.get_content_type() for part in mail.walk()]
    return "\n".join([*headers, f"({', '.join(kinds)})", "", one.message.text])


def _sms(one: Told) -> str:
    text = _phone.written(one.message, "【Chengdu 1】")
    return f"{text}\n({_segments.segments(text)} segments)"


def _pager(one: Told) -> str:
    line = pager.one_line(one.message)
    return f"{line}\n({len(line)} characters)"


def _fax(one: Told) -> str:
    page = _typesetter.filled(one.message.page, number="+862812345678", sender="", at=NOW)
    parts = [[page["words"]["fax"]], map(_line, page["head"]), [page["first"]], page["marks"]]
    parts += [map(_line, block) for block in page["blocks"]]
    parts += [[page["further"]], map(_line, page["steps"]), page["closing"], [page["footer"]]]
    return "\n\n".join(text for part in parts if (text := "\n".join(part)))


def _robots(one: Told) -> str:
    """What the robots of groups say, where it is other than the text of the mail."""
    text = _markdown.apart(one.message)
    told: dict[tuple[str, ...], list[str]] = {}
    for kind, size in _sized.SIZES.items():
        told.setdefault(tuple(_sized.parts(text, size)), []).append(kind)
    return "\n\n".join(
        _beside(one, "\n(another message)\n".join(parts)) + f"\n({', '.join(kinds)})"
        for parts, kinds in told.items()
    )


def _chat(one: Told) -> str:
    return _beside(one, _markdown.inert(one.message.text))


def _beside(one: Told, text: str) -> str:
    """What is said, beside the text of the mail; a word joiner, which nobody sees, as ‖."""
    is_same = text.rstrip() == one.message.text.rstrip()
    return "as the text of the mail" if is_same else text.replace(_markdown.JOINER, "‖")


def _line(row: Mapping[str, Any]) -> str:
    return " ".join(part for part in (row["label"], row["value"]) if part)


def _call_sheet(one: Told) -> str:
    attempt = Attempt(number=1, rung=0, channel="person", began_at=NOW, repeat=one.message.repeat)
    said = callsheet._text(one.configuration, Entry(one.notice, attempt, None), one.contents)
    return "\n".join(said["say"])


def _json(one: Told, value: Any) -> str:
    """Data, with the text itself left out: it stands above. What is null is left out as well."""
    written = json.dumps(_known(value), ensure_ascii=False, indent=1)
    text = json.dumps(one.message.text, ensure_ascii=False)
    return written.replace(text, '"(the text)"').replace(
        json.dumps(one.message.text.rstrip(), ensure_ascii=False), '"(the text)"'
    )


def _known(value: Any) -> Any:
    """Data without what is null, so that a field which few notices have does not stand in all of them."""
    if isinstance(value, dict):
        return {name: _known(inside) for name, inside in value.items() if inside is not None}
    return [_known(one) for one in value] if isinstance(value, list) else value


def _pushed(one: Told) -> str:
    channel = alertmanager.Alertmanager(
        alertmanager.Settings.model_validate({"url": "http://127.0.0.1:9093"}),
        alertmanager.Site(),
        base.Surroundings(site={}, webhook_key=b"golden", now=lambda: NOW),
    )
    return _json(one, json.loads(channel.written(one.message)))


FORMS: Final[Mapping[str, Callable[[Told], str]]] = {
    "mail": _mail,
    "sms": _sms,
    "pager": _pager,
    "fax": _fax,
    "voice": lambda one: voice.written(one.message, "1"),
    "call sheet": _call_sheet,
    "robots of groups": _robots,
    "chats that read Markdown": _chat,
    "values of templates": lambda one: _json(one, {**one.message.named}),
    "values of templates, spoken": lambda one: _json(one, {**one.message.spoken}),
    "webhook": lambda one: _json(one, json.loads(webhooks.written(one.message))),
    "alertmanager": _pushed,
    "webhook, format alertmanager": lambda one: _json(one, _alertmanager.webhook(one.message, NOW)),
}
"""What leaves by which channel. The HTML of a mail has a file of its own."""


def name(heading: str) -> str:
    """Of the files of an example."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def files(heading: str, language: str) -> Iterator[tuple[Path, str]]:
    """What is written of an example: all its forms, and its HTML."""
    one = told(heading, language)
    parts = [f"== {form} ==\n{write(one).rstrip()}\n" for form, write in FORMS.items()]
    yield Path(language) / f"{name(heading)}.txt", "\n".join([f"{heading}\n", *parts])
    yield Path(language) / f"{name(heading)}.html", one.message.html


def all_files() -> dict[Path, str]:
    """The whole tree."""
    return {
        path: text for heading in NOTICES for language in LANGUAGES for path, text in files(heading, language)
    }


def main() -> None:
    wanted = all_files()
    for path in {found.relative_to(FOLDER) for found in FOLDER.rglob("*.*")} - wanted.keys():
        (FOLDER / path).unlink()
    for path, text in wanted.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
