"""Everything that apprise can reach: chat, SMS, voice and on-call services, by one URL each.

Only allow-listed schemes are taken, and never one that writes files, logs or desktops. What is sent is
text alone: no attachments, no configuration fetched from elsewhere, no redirects, no hidden retries.
apprise blocks, so it runs in a few threads of its own (`hostwatch.channels._threads`).
"""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from typing import Annotated, ClassVar

import apprise
from apprise.manager_plugins import NotificationManager
from pydantic import Field, field_validator

import hostwatch
from hostwatch.channels import _markdown, _threads, base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret

CHINA = "dingtalk feishu lark pushplus qq schan wecom wecombot wxpusher"
CHAT = (
    "discord flock gchat guilded line matrix matrixs mmost mmosts nctalk nctalks revolt rocket rockets"
    " ryver signal signals slack synology synologys tgram threema twist webex workflow workflows wxteams"
    " zohocliq zulip"
)
SMS_AND_VOICE = (
    "46elks bulksms bulkvs burstsms clickatell clicksend cm d7sms exotel freemobile httpsms infobip kavenegar"
    " kudosity msg91 msgbird ncloud nexmo octopush plivo serwersms seven sfr sinch smsc smseagle smseagles"
    " smsmanager sns telesign telnyx twilio voipms vonage whatsapp"
)
ON_CALL = (
    "betterstack firehydrant goalert goalerts ilert incidentio opsgenie pagerduty pagertree signl4 spike"
    " splunk squadcast victorops xmatters"
)
PUSH_PAGER_FAX = (
    "bark barks dapnet gotify gotifys notifyre ntfy ntfys pover prowl pushdeer pushdeers simplepush"
)
GENERIC = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
"""Schemes whose receiver is a program: the key of the notice stands in their text."""

DEFAULT_SCHEMES = frozenset(" ".join((CHINA, CHAT, SMS_AND_VOICE, ON_CALL, PUSH_PAGER_FAX)).split()) | GENERIC
"""What is allowed unless the site says otherwise. No email: the email channel keeps better evidence."""

NEVER = frozenset(
    {"file", "syslog", "rsyslog", "dbus", "glib", "gio", "gnome", "kde", "qt", "macosx", "windows", "exec"}
    | {"apprise", "apprises", "hassio", "hassios"}
)
"""Schemes that end on this machine or hand the decision to another program; no site may allow them."""

SHORT_MAX_CHARS = 320
"""A service that takes no more than this (SMS, voice, pagers) gets the first line of a single emergency."""

BEFORE_SENDING = re.compile(
    r"NewConnectionError|ConnectTimeout|NameResolution|Max retries.*SSL|refused", re.I
)


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


class Settings(base.LinkEntry):
    """One service of a contact, as an apprise URL."""

    at_once: ClassVar[int] = _threads.THREADS_MAX

    @field_validator("url")
    @classmethod
    def _check_url(cls, link: Secret) -> Secret:
        if link.reveal():  # Empty where a configuration is checked without its secrets at hand.
            _service(link)
        return link


class Site(base.SiteEntry):
    """What the site allows."""

    schemes: frozenset[str] = Field(DEFAULT_SCHEMES, description="The schemes allowed, instead of the usual.")
    timeout: Annotated[Duration, between("10ms", "4m")] = Field(
        timedelta(seconds=25), description="For one try, the wait for a free thread included."
    )

    @field_validator("schemes")
    @classmethod
    def _check_schemes(cls, schemes: frozenset[str]) -> frozenset[str]:
        for scheme in sorted(schemes):
            _check_scheme(scheme)
        return schemes


def build(settings: Settings, surroundings: base.Surroundings) -> Apprise:
    """The channel, if the site allows its scheme."""
    site = surroundings.site.get("apprise") or Site()
    scheme = _scheme(settings.url)
    if scheme and scheme not in site.schemes:
        raise base.Unusable(
            f"{scheme}:// is not allowed on this site", "add it to `channels: {apprise: {schemes: […]}}`"
        )
    return Apprise(settings.url, site)


class Apprise(base.Channel):
    """One service behind apprise."""

    kind = "apprise"
    at_once = _threads.THREADS_MAX  # so that nobody waits for a thread and takes room meanwhile

    def __init__(self, link: Secret, site: Site) -> None:
        self._link = link
        self._timeout_s = site.timeout.total_seconds()

    @property
    def shown(self) -> str:
        """What apprise itself would show, less the query, where tokens hide as well."""
        if _scheme(self._link) in GENERIC:
            return base.shown_link(self._link)
        return str(_service(self._link).url(privacy=True)).partition("?")[0]  # type: ignore[no-untyped-call]

    async def send(self, message: base.Message) -> base.Receipt:
        service = _service(self._link)
        house = apprise.Apprise(asset=service.asset)
        house.add(service)
        title, body = _fitted(message, service, to_program=_scheme(self._link) in GENERIC)
        form = _form(service)
        if form is apprise.NotifyFormat.MARKDOWN:
            body = _markdown.inert(body)
        elif _scheme(self._link) in _markdown.RENDERED_BY:
            title, body = _markdown.inert(title), _markdown.inert(body)
        kind = NOTIFY_TYPES.get(str(message.payload.get("kind")), apprise.NotifyType.INFO)

        def notify() -> apprise.AppriseResult:
            return house.notify(body=body, title=title, notify_type=kind, body_format=form, log_level=10)

        try:
            result = await _threads.run(notify, self._timeout_s)
        except _threads.NoneFree as error:
            raise base.Failed(f"no thread became free within {self._timeout_s:g} s") from error
        except TimeoutError as error:
            raise base.Failed(f"no end within {self._timeout_s:g} s", perhaps_arrived=True) from error
        return self._judge(result, in_parts=len(body) > service.body_maxlen or len(service) > 1)

    def _judge(self, result: apprise.AppriseResult, *, in_parts: bool) -> base.Receipt:
        logs = [(entry.level, str(entry.message)) for entry in result.logs()]
        said = [text for level, text in logs if level in ("WARNING", "ERROR", "CRITICAL")]
        match result.status:
            case apprise.AppriseResultStatus.SUCCESS:
                told = [text for level, text in logs if level == "INFO" and "Notifying" not in text]
                return base.Receipt(self._evidence(told) or "accepted by the service")
            case apprise.AppriseResultStatus.NOMATCH:
                raise base.Refused("apprise knows no service for this address")
            case apprise.AppriseResultStatus.FAILURE:
                broken = [text for level, text in logs if level == "DEBUG" and "Exception" in text]
                perhaps = in_parts or any(BEFORE_SENDING.search(text) is None for text in broken)
                raise base.Failed(
                    self._evidence([*said, *broken]) or "no reason given", perhaps_arrived=perhaps
                )
            case _:
                raise base.Failed(self._evidence(said) or result.status.name, perhaps_arrived=True)

    def _evidence(self, lines: list[str]) -> str:
        """What apprise said, without any long part of the URL: it may be a token."""
        said = " / ".join(lines)
        for part in re.split(r"[/?&=:@,+]", self._link.reveal()):
            if len(part) > base.SHOWN_SEGMENT_MAX_CHARS:
                said = said.replace(part, "…")
        return base.printable(said)


def _form(service: apprise.NotifyBase) -> apprise.NotifyFormat:
    """Markdown where the service is told that it comes. Else text: of HTML apprise makes what is needed."""
    wanted = service.resolve_format(apprise.NotifyFormat.TEXT)
    is_markdown = wanted is apprise.NotifyFormat.MARKDOWN
    return apprise.NotifyFormat.MARKDOWN if is_markdown else apprise.NotifyFormat.TEXT


def _fitted(
    message: base.Message, service: apprise.NotifyBase, *, to_program: bool = False
) -> tuple[str, str]:
    """Title and body as the service takes them; nothing is cut off unseen."""
    first, _, rest = message.text.partition("\n")
    body = message.text
    if to_program:
        body = f"{message.text.rstrip()}\n\n{message.key}\n"
    elif len(message.payload.get("emergencies", ())) == 1 and service.body_maxlen <= SHORT_MAX_CHARS:
        return "", first
    elif service.title_maxlen >= len(message.subject) and first == message.subject:
        return message.subject, rest.lstrip("\n")
    elif service.title_maxlen == 0:
        return "", body
    return message.subject, body


def _scheme(link: Secret) -> str:
    return link.reveal().partition("://")[0].lower()


def _check_scheme(scheme: str) -> None:
    if scheme in NEVER:
        raise Wrong(f"{scheme}:// is never allowed", "it would end on this machine or in another program")
    known = _PLUGINS[scheme] if scheme in _PLUGINS else None  # noqa: SIM401 - it has no get()
    if known is None or not known.enabled or not known.__module__.startswith("apprise.plugins."):
        raise Wrong(
            f"{scheme}:// is not a service that apprise offers here", "see https://appriseit.com/services/"
        )


def _service(link: Secret) -> apprise.NotifyBase:
    """The service behind a URL. A URL is one service: no lists, no files, no configuration."""
    url = link.reveal()
    scheme, colon, _ = url.partition("://")
    if not colon or not url.isprintable() or not re.fullmatch(r"[A-Za-z0-9]{1,32}", scheme):
        raise Wrong("is not an apprise address", "write SCHEME://…, see https://appriseit.com/services/")
    _check_scheme(scheme.lower())
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
