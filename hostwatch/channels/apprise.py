"""Everything that apprise can reach: chat, SMS, voice and on-call services, by one URL each.

Only allow-listed schemes are taken, and never one that writes files, logs or desktops. What is sent is
text alone: no attachments, no configuration fetched from elsewhere, no redirects, no hidden retries
(`hostwatch.channels._apprise`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from hostwatch.channels import _apprise, _threads, base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.secret import Secret
from hostwatch.core.capacity import Lane

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
DEFAULT_SCHEMES = (
    frozenset(" ".join((CHINA, CHAT, SMS_AND_VOICE, ON_CALL, PUSH_PAGER_FAX)).split()) | _apprise.GENERIC
)
"""What is allowed unless the site says otherwise. No email: the email channel keeps better evidence."""


class Settings(base.LinkEntry):
    """One service of a contact, as an apprise URL."""

    at_once: ClassVar[int] = _threads.THREADS_MAX

    @field_validator("url")
    @classmethod
    def _check_url(cls, link: Secret) -> Secret:
        if link.reveal():  # Empty where a configuration is checked without its secrets at hand.
            _apprise.service(link)
        return link

    @property
    def country(self) -> str:
        """The country that words go to, as far as is known."""
        return self.goes_to or _apprise.COUNTRIES.get(_apprise.scheme_of(self.url), "")

    def lane_with(self, kind: str, site: object) -> tuple[str, Lane]:
        """The service."""
        return lane_of(self.url), Lane(at_once=self.at_once, takes=base.TAKES)


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
            _apprise.check_scheme(scheme)
        return schemes


def build(settings: Settings, surroundings: base.Surroundings) -> _apprise.Apprise:
    """The channel, if the site allows its scheme."""
    site = surroundings.site.get("apprise") or Site()
    scheme = _apprise.scheme_of(settings.url)
    if scheme and scheme not in site.schemes:
        raise base.Unusable(
            f"{scheme}:// is not allowed on this site", "add it to `channels: {apprise: {schemes: […]}}`"
        )
    return _apprise.Apprise(
        settings.url,
        kind="apprise",
        lane=lane_of(settings.url),
        timeout_s=site.timeout.total_seconds(),
        now=surroundings.now,
    )


def lane_of(link: Secret) -> str:
    """Who hangs holds up only who is reached by the same service."""
    return f"apprise/{_apprise.scheme_of(link)}" if link.reveal() else "apprise"
