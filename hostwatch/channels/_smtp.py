"""One mail by asyncio SMTP, to the site's own mail relay: how that is reached, and what its answers mean.

What the relay answers after the final dot is the receipt. A 4xx or a lost connection may be tried
again; a 5xx to the sender, the recipient or the content is final. A 5xx while greeting, encrypting or
logging in concerns the operator's relay and not this message, so it may be tried again as well.

Where somebody reads what comes back (`returns`), each try has a token on its envelope and in a header, and a
relay that offers it is asked to report (RFC 3461). That a relay took a mail is *accepted*, and stays so.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

import aiosmtplib
from pydantic import Field, field_validator, model_validator

from hostwatch.channels import base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.mail_address import DOMAIN, check_address
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.returns import Returns, check_room
from hostwatch.configuration.secret import Secret

DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
RELAY = "write smtp://HOST:PORT, smtp+starttls://HOST or smtps://HOST"
GOODBYE_SECONDS = 2.0
"""How long we wait for the answer to QUIT; the message is accepted by then, so nothing hangs on it."""

_LINE_STARTS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)


class Site(base.SiteEntry):
    """The site's mail relay and sender."""

    smtp: str = Field(
        description="smtp:// (plain on loopback, encrypted when offered elsewhere), smtp+starttls:// or smtps://."
    )
    sender: str = Field(alias="from", description="The sender's bare address; bounces go there.")
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's, in PEM.")
    hello: str | None = Field(None, pattern=rf"^{DOMAIN}$", description="The name said in EHLO.")
    timeout: Annotated[Duration, between("10ms", "4m")] = Field(
        timedelta(seconds=25), description="For the whole conversation with the relay."
    )
    html: bool = Field(True, description="Whether mails hold the notice as HTML too, beside the text.")
    returns: Returns | None = Field(None, description="Where relays report what came of a mail.")
    dsn: bool = Field(
        True, description="Whether a relay that offers it is asked to report; only where somebody reads that."
    )

    _check_sender = field_validator("sender")(staticmethod(check_address))

    @field_validator("smtp")
    @classmethod
    def _check_smtp(cls, value: str) -> str:
        try:
            url = urlsplit(value)
            _ = url.port
        except ValueError as error:
            raise Wrong(f"is not the address of a relay ({error})", RELAY) from error
        if "@" in url.netloc:
            raise Wrong("a login may not stand in the address of the relay", "use username: and password:")
        more = url.path.strip("/") or url.query or url.fragment
        if url.scheme not in DEFAULT_PORTS or not url.hostname or more:
            raise Wrong("is not the address of a relay", RELAY)
        return value

    @model_validator(mode="after")
    def _check_login(self) -> Site:
        if (self.username is None) != (self.password is None):
            raise Wrong("half a login", "give both username: and password:, or neither")
        if self.returns is not None:
            check_room(self.returns.to or self.sender)
        if self.username is not None and self.scheme == "smtp" and not self.loopback:
            raise Wrong("the password would be sent in the clear", "use smtp+starttls:// or smtps://")
        return self

    @property
    def scheme(self) -> str:
        return urlsplit(self.smtp).scheme

    @property
    def host(self) -> str:
        return urlsplit(self.smtp).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.smtp).port or DEFAULT_PORTS[self.scheme]

    @property
    def loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Verified, unless the scheme is `smtp://`, which encrypts when it can and promises nothing."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise base.Unusable(f"cannot read certificates from {self.ca_file} ({error})") from error
        if self.scheme == "smtp":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    @property
    def domain(self) -> str:
        """The sender's domain: it makes our Message-IDs and greets by default."""
        return self.sender.rpartition("@")[2]


async def send(site: Site, to: str, mail: Mail) -> base.Receipt:
    """Hand a mail over. Raises `Refused` or `Failed`."""
    talk = _Talk(site)
    try:
        async with asyncio.timeout(site.timeout.total_seconds()):
            said = base.printable(await talk.hand_over(to, mail))
            return base.Receipt(said, receipt=mail.receipt)
    except TimeoutError as error:
        raise talk.broken(f"timed out while {talk.doing}", mail) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise talk.broken(f"{_words(error)} (while {talk.doing})", mail) from error
    finally:
        talk.close()


class Mail(NamedTuple):
    """A mail on its way."""

    data: bytes
    sender: str
    """On the envelope."""

    token: str
    """What this try is known by when it is given back; empty where nobody reads that."""

    reports: str = "SUCCESS,FAILURE,DELAY"
    """What relays are asked to report of it (RFC 3461)."""

    @property
    def receipt(self) -> str:
        """What later words about it name."""
        return f"email/{self.token}" if self.token else ""


class _Talk:
    """One conversation with the relay; it knows how far it came when the line breaks."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = aiosmtplib.SMTP(
            hostname=site.host,
            port=site.port,
            local_hostname=site.hello or site.domain,
            timeout=site.timeout.total_seconds(),
            use_tls=site.scheme == "smtps",
            start_tls=False,
            tls_context=site.tls,
        )
        self.doing = "connecting"
        self._handed_over = False

    async def hand_over(self, to: str, mail: Mail) -> str:
        """The relay's answer to the whole message."""
        await self._open()
        reports = bool(mail.token) and self._site.dsn and self._client.supports_extension("dsn")
        envelope = [b"RET=HDRS", b"ENVID=%s" % mail.token.encode("ascii")] if reports else []
        notify = [b"NOTIFY=%s" % mail.reports.encode("ascii")] if reports else []
        sender, recipient = b"FROM:<%s>" % mail.sender.encode("ascii"), b"TO:<%s>" % to.encode("ascii")
        await self._say("naming the sender", 250, b"MAIL", sender, *envelope)
        await self._say("naming the recipient", 250, b"RCPT", recipient, *notify)
        await self._say("announcing the message", 354, b"DATA")
        self.doing = "waiting for the answer to the message"
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost")
        protocol.write(_LINE_STARTS_WITH_DOT.sub(b"..", mail.data) + b".\r\n")
        self._handed_over = True
        answer = await protocol.read_response()
        _judge(answer, 250, self.doing)
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            # The message is accepted: a relay that hangs up rudely takes nothing back.
            await self._client.quit(timeout=GOODBYE_SECONDS)
        return f"{answer.code} {answer.message}"

    def broken(self, said: str, mail: Mail) -> base.Failed:
        """What a broken line means: perhaps arrived, once the final dot was written."""
        over = self._handed_over
        return base.Failed(base.printable(said), perhaps_arrived=over, receipt=mail.receipt if over else "")

    def close(self) -> None:
        """Let go of the socket, whatever happened."""
        self._client.close()

    async def _open(self) -> None:
        """Connect, encrypt and log in as the scheme of the relay asks for."""
        await self._client.connect()
        self.doing = "greeting"
        await self._client.ehlo()
        offered = self._client.supports_extension("starttls")
        may = self._site.scheme == "smtp" and not self._site.loopback
        if self._site.scheme == "smtp+starttls" or (may and offered):
            self.doing = "encrypting (STARTTLS)"
            await self._client.starttls()
            await self._client.ehlo()
        if self._site.username is not None and self._site.password is not None:
            self.doing = "logging in"
            await self._client.login(self._site.username, self._site.password.reveal())

    async def _say(self, doing: str, expected: Literal[250, 354], *words: bytes) -> None:
        self.doing = doing
        _judge(await self._client.execute_command(*words), expected, doing)


def _judge(answer: aiosmtplib.SMTPResponse, expected: int, doing: str) -> None:
    """Raise unless the relay agreed. In SMTP 4xx is for now and 5xx for ever (the reverse of HTTP)."""
    if answer.code == expected or (expected == 250 and answer.code == 251):
        return
    said = base.printable(f"{answer.code} {answer.message} (while {doing})")
    if answer.code == 530 or not 500 <= answer.code <= 599:
        raise base.Failed(said)  # 530 asks for a login or encryption: the relay's settings, not this message.
    raise base.Refused(said)


def _words(error: Exception) -> str:
    """An error's own words, with the relay's code where it gave one."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
