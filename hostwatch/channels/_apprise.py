"""One service behind apprise: what it is sent, and what follows from its answers.

apprise blocks, so it runs in a few threads of its own for each service (`hostwatch.channels._threads`); what
its services answer is judged by us (`hostwatch.channels._answers`), since it looks at codes alone.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import apprise
import requests
from apprise.manager_plugins import NotificationManager

import hostwatch
from hostwatch.channels import _answers, _markdown, _phone, _segments, _sized, _threads, base
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.core.budget import Budget

GENERIC = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
"""Schemes whose receiver is a program: the key of the notice stands in their text."""

NEVER = frozenset(
    {"file", "syslog", "rsyslog", "dbus", "glib", "gio", "gnome", "kde", "qt", "macosx", "windows", "exec"}
    | {"apprise", "apprises", "hassio", "hassios"}
)
"""Schemes that end on this machine or hand the decision to another program; no site may allow them."""

SHORT_MAX_CHARS = 320
"""A service that takes no more than this (SMS) gets one message of at most two segments."""

ROOM_OF_TITLE: Final = 4
"""What some services put around it, in the room of the text."""

FILES: Final = frozenset({"attach", "config", "include", "keyfile", "template"})
"""Options by which some services would send a file, or take one in."""

ACTING: Final = frozenset({"opsgenie", "pagertree"})
"""Services of which apprise makes an end close something, instead of telling anybody."""

COUNTRIES: Final = {
    **dict.fromkeys(("dingtalk", "feishu", "pushplus", "qq", "schan", "wecom", "wecombot", "wxpusher"), "CN"),
    **dict.fromkeys(("nexmo", "pagertree", "pover", "twilio", "vonage"), "US"),
    "kavenegar": "IR",
    "lark": "SG",
}
"""Where the providers of these services are, by two letters (ISO 3166)."""


def _loaded() -> NotificationManager:
    """All plug-ins, loaded now: later it would hold up the loop, and old modules that they use complain."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        plugins = NotificationManager()  # type: ignore[no-untyped-call]
        plugins.load_modules()  # type: ignore[no-untyped-call]
    return plugins


_PLUGINS = _loaded()
NOTIFY_TYPES = {
    "emergency": apprise.NotifyType.FAILURE,
    "update": apprise.NotifyType.WARNING,
    "reminder": apprise.NotifyType.WARNING,
    "recovery": apprise.NotifyType.SUCCESS,
}
RAISING: Final = frozenset({apprise.NotifyType.FAILURE, apprise.NotifyType.WARNING})


class Apprise(base.Channel):
    """One service behind apprise."""

    at_once = _threads.THREADS_MAX  # so that nobody waits for a thread and takes room meanwhile

    def __init__(
        self,
        link: Secret,
        *,
        kind: str,
        lane: str,
        timeout_s: float,
        now: Callable[[], datetime],
        budget: Budget | None = None,
        keyword: str = "",
        sign: Callable[[requests.PreparedRequest], None] | None = None,
    ) -> None:
        """`keyword`: stands in each message; `sign`: puts into each request what apprise leaves out."""
        self.kind, self.budget = kind, budget
        self._link, self._lane, self._timeout_s, self._now = link, lane, timeout_s, now
        self._keyword, self._sign = keyword, sign
        self._scheme = scheme_of(link)
        if self._scheme == "dingtalk":
            self._sign = _quoted_once

    @property
    def lane(self) -> str:
        return self._lane

    @property
    def shown(self) -> str:
        """What apprise itself would show, less the query, where tokens hide as well."""
        if self._scheme in GENERIC:
            return base.shown_link(self._link)
        return str(service(self._link).url(privacy=True)).partition("?")[0]  # type: ignore[no-untyped-call]

    async def send(self, message: base.Message) -> base.Receipt:
        one = service(self._link)
        one.request_rate_per_sec = 0  # How often it is asked is ours to say, and of time there is little.
        line = _threads.Line(sign=self._sign)
        try:
            result = await _threads.run(
                self._scheme, self._telling(message, one, line), self._timeout_s, line
            )
        except _threads.NoneFree as error:
            raise base.Failed(f"no thread became free within {self._timeout_s:g} s") from error
        except TimeoutError as error:
            raise base.Failed(f"no end within {self._timeout_s:g} s", perhaps_arrived=True) from error
        return self._judge(result, line, asks=_asks_by_http(one))

    def _telling(
        self, message: base.Message, one: apprise.NotifyBase, line: _threads.Line
    ) -> Callable[[], apprise.AppriseResult]:
        """What tells it: part after part, until one is not taken."""
        house = apprise.Apprise(asset=one.asset)
        house.add(one)
        form = _form(one)
        title, bodies = self._worded(message, one, form)
        kind = _notify_type(self._scheme, message)

        def tell(body: str) -> apprise.AppriseResult:
            return house.notify(body=body, title=title, notify_type=kind, body_format=form, log_level=10)

        def notify() -> apprise.AppriseResult:
            result = tell(bodies[0])
            for body in bodies[1:]:
                if result and self._outcome(line) is None:
                    result = tell(body)
            return result

        return notify

    def _worded(
        self, message: base.Message, one: apprise.NotifyBase, form: apprise.NotifyFormat
    ) -> tuple[str, list[str]]:
        size = _sized.SIZES.get(self._scheme)
        if size is not None and form is apprise.NotifyFormat.TEXT:
            return "", _sized.parts(_markdown.apart(message), size, self._keyword)
        title, body = fitted(message, one, to_program=self._scheme in GENERIC)
        if form is apprise.NotifyFormat.MARKDOWN:
            body = _markdown.inert(body)
        elif self._scheme in _markdown.RENDERED_BY:
            title, body = _markdown.inert(title), _markdown.inert(body)
        if self._scheme in GENERIC:  # The key of the notice is at the end, and parts are no matter.
            return title, [body]
        return title, _sized.parts(body, _sized.Size(one.body_maxlen - len(title) - ROOM_OF_TITLE, len))

    def _outcome(self, line: _threads.Line) -> base.Failed | base.Refused | None:
        return _answers.outcome(self._scheme, line.came, self._now())

    def _judge(self, result: apprise.AppriseResult, line: _threads.Line, *, asks: bool) -> base.Receipt:
        logs = [(entry.level, str(entry.message)) for entry in result.logs()]
        said = [text for level, text in logs if level in ("WARNING", "ERROR", "CRITICAL")]
        found = self._outcome(line)
        match result.status:
            case apprise.AppriseResultStatus.SUCCESS:
                told = [text for level, text in logs if level == "INFO" and "Notifying" not in text]
                if asks and not line.came:
                    raise base.Failed(self._evidence(["nothing was sent", *told]))
                if self._scheme not in _answers.MEANS:
                    return base.Receipt(self._evidence(told) or "accepted by the service")
                if found is not None:
                    raise self._in_words(found, said)
                return base.Receipt(self._evidence([_answers.proof(self._scheme, line.came)]))
            case apprise.AppriseResultStatus.NOMATCH:
                raise base.Refused("apprise knows no service for this address")
            case apprise.AppriseResultStatus.FAILURE if found is not None:
                raise self._in_words(found, said)
            case apprise.AppriseResultStatus.FAILURE:
                broken = [text for level, text in logs if level == "DEBUG" and "Exception" in text]
                perhaps = bool(line.came) or any(
                    _answers.BEFORE_SENDING.search(text) is None for text in broken
                )
                raise base.Failed(
                    self._evidence([*said, *broken]) or "no reason given", perhaps_arrived=perhaps
                )
            case _:
                raise base.Failed(self._evidence(said) or result.status.name, perhaps_arrived=True)

    def _in_words(self, found: base.Failed | base.Refused, said: list[str]) -> base.Failed | base.Refused:
        words = self._evidence([*said, str(found)])
        if isinstance(found, base.Refused):
            return base.Refused(words)
        return base.Failed(words, perhaps_arrived=found.perhaps_arrived, retry_after=found.retry_after)

    def _evidence(self, lines: list[str]) -> str:
        """What was said, without any long part of the URL: it may be a token."""
        said = " / ".join(lines)
        for part in re.split(r"[/?&=:@,+]", self._link.reveal()):
            if len(part) > base.SHOWN_SEGMENT_MAX_CHARS:
                said = said.replace(part, "…")
        return base.printable(said)


def _notify_type(scheme: str, message: base.Message) -> apprise.NotifyType:
    kind = NOTIFY_TYPES.get(str(message.payload.get("kind")), apprise.NotifyType.INFO)
    return apprise.NotifyType.WARNING if scheme in ACTING and kind not in RAISING else kind


def _quoted_once(request: requests.PreparedRequest) -> None:
    """apprise quotes the signature for DingTalk, and then it is quoted again: nobody would know it."""
    if request.url and "&sign=" in request.url:
        before, sign, after = request.url.partition("&sign=")
        request.url = f"{before}{sign}{after.replace('%25', '%')}"


def _asks_by_http(one: apprise.NotifyBase) -> bool:
    """Whether all that it does is seen on the line."""
    return any(
        getattr(sys.modules.get(kind.__module__), "requests", None) is requests for kind in type(one).__mro__
    )


def _form(service: apprise.NotifyBase) -> apprise.NotifyFormat:
    """Markdown where the service is told that it comes. Else text: of HTML apprise makes what is needed."""
    wanted = service.resolve_format(apprise.NotifyFormat.TEXT)
    is_markdown = wanted is apprise.NotifyFormat.MARKDOWN
    return apprise.NotifyFormat.MARKDOWN if is_markdown else apprise.NotifyFormat.TEXT


def fitted(message: base.Message, one: apprise.NotifyBase, *, to_program: bool = False) -> tuple[str, str]:
    """Title and body as the service takes them; nothing but an SMS is cut off, and that shows it."""
    first, _, rest = message.text.partition("\n")
    if getattr(one, "method", "") == "call":
        return "", message.spoken.get("text") or first
    if to_program:
        return message.subject, f"{message.text.rstrip()}\n\n{message.key}\n"
    if one.body_maxlen <= SHORT_MAX_CHARS:
        return "", _one_sms(message, one.body_maxlen)
    if one.title_maxlen >= len(message.subject) and first == message.subject:
        return message.subject, rest.lstrip("\n")
    return "" if one.title_maxlen == 0 else message.subject, message.text


def _one_sms(message: base.Message, chars_max: int) -> str:
    """At most two segments, in one message: of two that are sent apart one may get lost."""
    text = _phone.written(message)
    if len(text) > chars_max:
        text = _phone.written(replace(message, acknowledge_url=""))
    if len(text) <= chars_max:
        return text
    mark = "..." if _segments.is_gsm(text) else "…"
    return text[: chars_max - len(mark)].rstrip(" .…") + mark


def scheme_of(link: Secret) -> str:
    """Which service it is, as apprise calls it."""
    return link.reveal().partition("://")[0].lower()


def check_scheme(scheme: str) -> None:
    """It is one that a site may allow. Raises `Wrong`."""
    if scheme in NEVER:
        raise Wrong(f"{scheme}:// is never allowed", "it would end on this machine or in another program")
    known = _PLUGINS[scheme] if scheme in _PLUGINS else None  # noqa: SIM401 - it has no get()
    if known is None or not known.enabled or not known.__module__.startswith("apprise.plugins."):
        raise Wrong(
            f"{scheme}:// is not a service that apprise offers here", "see https://appriseit.com/services/"
        )


def service(link: Secret) -> apprise.NotifyBase:
    """The service behind a URL. A URL is one service: no lists, no files, no configuration."""
    url = link.reveal()
    scheme, colon, _ = url.partition("://")
    if not colon or not url.isprintable() or not re.fullmatch(r"[A-Za-z0-9]{1,32}", scheme):
        raise Wrong("is not an apprise address", "write SCHEME://…, see https://appriseit.com/services/")
    check_scheme(scheme.lower())
    if tricks := FILES & {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}:
        raise Wrong(
            f"the option {min(tricks)} is not allowed", "take it out: only the words of a notice are sent"
        )
    try:
        service = apprise.Apprise.instantiate(url, asset=_asset())
    except Exception as error:  # A plug-in may stumble over a URL in any way; the URL is at fault.
        raise Wrong(
            f"apprise cannot use this {scheme}:// address ({type(error).__name__})", _manual(scheme)
        ) from None
    if not isinstance(service, apprise.NotifyBase):
        raise Wrong(f"apprise cannot use this {scheme}:// address", _manual(scheme))
    if service.optional or service.retry or service.redirects or not service.verify_certificate:
        raise Wrong(
            "the options optional, retry, redirect and verify=no are not allowed",
            "take them out: hostwatch retries by itself and believes no failure to be a success",
        )
    if service.overflow_mode == apprise.OverflowMode.UPSTREAM:
        service.overflow_mode = apprise.OverflowMode.SPLIT
    return service


def _manual(scheme: str) -> str:
    return f"see {_PLUGINS[scheme.lower()].setup_url}"


def _asset() -> apprise.AppriseAsset:
    """What apprise may do: no files of its own, no redirects, no time limit but ours, in our thread."""
    return apprise.AppriseAsset(
        app_id="hostwatch",
        app_desc=f"hostwatch/{hostwatch.__version__}",
        async_mode=False,
        http_redirects=False,
        service_timeout=0,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        pgp_autogen=False,
        pem_autogen=False,
        allow_templates=False,
    )
