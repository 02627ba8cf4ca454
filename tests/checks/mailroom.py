"""Real servers of mail on loopback: a dovecot that is read from, a postfix that delivers into its mailboxes.

```
check ──smtp──▶ postfix ──virtual(8)──▶ mail/probe/ ◀── dovecot ◀──imap, pop3── check
                   └────── who may log in? ──────────────▲
```
All mailboxes are in `example.test`: `probe` has one; what is for `lost` is thrown away, for `held` stays in
the queue, for `grey` is refused for now, for `gone` is taken, goes in circles and is given back. Reports
come to `bounces`, whose name may have a token behind a plus. Their directory is below /tmp itself: both
servers give up root on their way there.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hostwatch.checks.base import Finding
from hostwatch.configuration.secret import Secret
from tests.checks.certificates import Papers

USER: Final = "probe@example.test"
BOUNCES: Final = "bounces@example.test"
PASSWORD: Final = "correct horse, battery"
WRONG: Final = "Tr0ub4dor & three"

NOBODY: Final = 65_534
PATIENCE_S: Final = 30.0

DOVECOT: Final = """
base_dir = {at}/run
state_dir = {at}/state
log_path = {at}/dovecot.log
protocols = imap pop3
listen = 127.0.0.1, ::1
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
mail_location = maildir:{at}/mail/%n
first_valid_uid = 100
auth_mechanisms = plain login
auth_failure_delay = {delay} secs
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {at}/users
}}
userdb {{
  driver = static
  args = uid={nobody} gid={nobody} home={at}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service auth {{
  inet_listener {{
    port = {sasl}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

MAIN_CF: Final = """
compatibility_level = 3.6
queue_directory = {at}/queue
data_directory = {at}/data
maillog_file = {at}/postfix.log
maillog_file_prefixes = {at}
myhostname = mx.example.test
mydestination =
recipient_delimiter = +
hopcount_limit = 5
alias_maps =
alias_database =
mynetworks =
inet_interfaces = 127.0.0.1, ::1
smtpd_peername_lookup = no
disable_dns_lookups = yes
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
virtual_mailbox_domains = example.test
virtual_mailbox_base = {at}/mail
virtual_mailbox_maps = texthash:{at}/mailboxes
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
transport_maps = texthash:{at}/transport
smtpd_recipient_restrictions = check_recipient_access texthash:{at}/access, reject_unauth_destination
smtpd_error_sleep_time = 0s
smtpd_tls_security_level = may
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
"""

MASTER_CF: Final = """
127.0.0.1:{smtp} inet n - n - - smtpd
[::1]:{smtp} inet n - n - - smtpd
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{plain} inet n - n - - smtpd
  -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no -o smtpd_sasl_mechanism_filter=login
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
smtp unix - - n - - smtp
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, kw_only=True)
class Dovecot:
    """A dovecot that runs."""

    at: Path
    process: subprocess.Popen[bytes]
    imap: int
    imaps: int
    pop3: int
    pop3s: int
    sasl: int
    """Where it is asked who may log in."""

    @property
    def log(self) -> str:
        """What it wrote down."""
        return (self.at / "dovecot.log").read_text()

    def mail(self, user: str = "probe") -> list[Path]:
        """The messages in a mailbox."""
        return sorted(file for new in ("new", "cur") for file in (self.at / "mail" / user / new).glob("*"))

    def deliver(self, text: str, user: str = "probe") -> Path:
        """Put a message into a mailbox, by no server."""
        box = self.at / "mail" / user
        for name in ("", "cur", "new", "tmp"):
            (box / name).mkdir(exist_ok=True)
            shutil.chown(box / name, NOBODY, NOBODY)
        (box / "tmp" / "one").write_text(text)
        shutil.chown(box / "tmp" / "one", NOBODY, NOBODY)
        return (box / "tmp" / "one").rename(box / "new" / f"{time.time_ns()}.put.here")

    def kill(self) -> None:
        """At once, with all that belongs to it."""
        killed(self.process, signal.SIGKILL)
        until(lambda: refuses(self.imap) and refuses(self.pop3))


@dataclass(frozen=True, kw_only=True)
class Postfix:
    """A postfix that runs."""

    at: Path
    process: subprocess.Popen[bytes]
    smtp: int
    """Offers STARTTLS, and a login once the line is protected."""
    smtps: int
    plain: int
    """Knows no TLS, and lets log in by AUTH LOGIN alone."""

    @property
    def log(self) -> str:
        """What it wrote down."""
        return (self.at / "postfix.log").read_text()

    def release(self) -> None:
        """Let what is held be delivered."""
        subprocess.run(["postsuper", "-c", self.at / "config", "-r", "ALL"], check=True, capture_output=True)

    def kill(self) -> None:
        """At once, with all that belongs to it."""
        killed(self.process, signal.SIGKILL)
        until(lambda: refuses(self.smtp))


@dataclass(frozen=True, kw_only=True)
class Mailroom:
    """Both."""

    dovecot: Dovecot
    postfix: Postfix


def free_ports(many: int) -> list[int]:
    """Ports that nobody has on either loopback."""
    with ExitStack() as kept:
        found: list[int] = []
        while len(found) < many:
            one = kept.enter_context(socket.socket(socket.AF_INET))
            other = kept.enter_context(socket.socket(socket.AF_INET6))
            one.bind(("127.0.0.1", 0))
            with suppress(OSError):
                other.bind(("::1", one.getsockname()[1]))
                found.append(one.getsockname()[1])
        return found


def started(*command: str | Path) -> subprocess.Popen[bytes]:
    """A server that is the head of a group, and ends with us if nobody ends it."""
    ends_with_us = ["setpriv", "--pdeathsig", "TERM", *command]
    return subprocess.Popen(ends_with_us, start_new_session=True, stdin=subprocess.DEVNULL)


def killed(process: subprocess.Popen[bytes], by: signal.Signals) -> None:
    """End a server and its children, which are a group of their own."""
    with suppress(ProcessLookupError):
        process.send_signal(by)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def refuses(port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


def answers(port: int) -> bool:
    """Whether somebody says something there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as line:
        return bool(line.recv(1))
    return False


def until(so: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until something is so; for a server that is started: as long as it runs."""
    ends = time.monotonic() + PATIENCE_S
    while not so():
        if (process is not None and process.poll() is not None) or time.monotonic() > ends:
            raise RuntimeError("what is waited for does not happen")
        time.sleep(0.02)


@contextmanager
def _room() -> Iterator[Path]:
    at = Path(tempfile.mkdtemp(prefix="mailroom-", dir="/tmp"))
    try:
        at.chmod(0o755)
        (at / "mail").mkdir()
        shutil.chown(at / "mail", NOBODY, NOBODY)
        yield at
    finally:
        shutil.rmtree(at)


@contextmanager
def dovecot(papers: Papers, at: Path, *, delay_s: int = 0) -> Iterator[Dovecot]:
    """A dovecot of its own. `delay_s` is how long it thinks about a wrong password."""
    names = ("imap", "imaps", "pop3", "pop3s", "sasl")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    (at / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in (USER, BOUNCES)))
    pair = papers.valid
    (at / "dovecot.conf").write_text(
        DOVECOT.format(at=at, chain=pair.chain, key=pair.key, nobody=NOBODY, delay=delay_s, **ports)
    )
    process = started("dovecot", "-F", "-c", at / "dovecot.conf")
    try:
        until(lambda: answers(ports["imap"]) and answers(ports["pop3"]), process)
        yield Dovecot(at=at, process=process, **ports)
    finally:
        killed(process, signal.SIGTERM)


@contextmanager
def postfix(papers: Papers, at: Path, sasl: int) -> Iterator[Postfix]:
    """A postfix that asks the dovecot at that port who may log in."""
    names = ("smtp", "smtps", "plain")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    pair = papers.valid
    for name in ("config", "queue"):
        (at / name).mkdir()
    (at / "data").mkdir()
    shutil.chown(at / "data", "postfix")
    (at / "mailboxes").write_text(
        "".join(
            f"{box}@example.test {box}/\n" for box in ("probe", "lost", "held", "grey", "gone", "bounces")
        )
    )
    (at / "transport").write_text(
        f"lost@example.test discard:\ngone@example.test smtp:[127.0.0.1]:{ports['smtp']}\n"
    )
    (at / "access").write_text(
        "held@example.test HOLD\ngrey@example.test 450 4.2.0 Greylisted, come back in five minutes\n"
    )
    (at / "config" / "main.cf").write_text(
        MAIN_CF.format(at=at, chain=pair.chain, key=pair.key, nobody=NOBODY, sasl=sasl)
    )
    (at / "config" / "master.cf").write_text(MASTER_CF.format(**ports))
    config = str(at / "config")
    subprocess.run(["postfix", "-c", config, "check"], check=True)
    process = started("/usr/lib/postfix/sbin/master", "-c", config, "-s")
    try:
        until(lambda: answers(ports["smtp"]), process)
        yield Postfix(at=at, process=process, **ports)
    finally:
        killed(process, signal.SIGTERM)


@contextmanager
def mailroom(papers: Papers, *, delay_s: int = 0) -> Iterator[Mailroom]:
    """Both servers, over the same mailboxes."""
    with (
        _room() as at,
        dovecot(papers, at, delay_s=delay_s) as read,
        postfix(papers, at, read.sasl) as sent,
    ):
        yield Mailroom(dovecot=read, postfix=sent)


@contextmanager
def reading_room(papers: Papers, *, delay_s: int = 0) -> Iterator[Dovecot]:
    """A dovecot alone, which a test may kill."""
    with _room() as at, dovecot(papers, at, delay_s=delay_s) as read:
        yield read


@contextmanager
def sending_room(papers: Papers) -> Iterator[Postfix]:
    """A postfix alone, which a test may kill, and which nobody tells who may log in."""
    with _room() as at, postfix(papers, at, free_ports(1)[0]) as sent:
        yield sent


def login(password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """Settings of a check that may log in, by a letter of the customer's."""
    return {
        "login": {"user": USER, "password": Secret(password)},
        "authorisation": "letter of 2026-03-01",
        **more,
    }


def keeps_silent(found: Finding, *secrets: str) -> None:
    """No password stands anywhere in what is kept of a run, in no form that is sent."""
    kept = str(found.as_data()) + repr(found)
    for secret in (PASSWORD, WRONG, *secrets):
        assert secret not in kept
        for form in (secret, f"\0{USER}\0{secret}"):
            assert base64.b64encode(form.encode()).decode()[:-4] not in kept


def said(found: Finding) -> list[str]:
    """What the check said, by its transcript."""
    return [line.text for line in found.transcript if line.who == ">"]
