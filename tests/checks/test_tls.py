"""TLS on any port, against a real nginx with good certificates and bad ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.checks import tls
from hostwatch.checks._tls import Tls, prepared
from hostwatch.checks.base import Finding, Step
from hostwatch.configuration.secret import Places
from hostwatch.core.reading import Outcome
from tests.checks import nginx
from tests.checks.certificates import DAYS, Pair, Papers
from tests.checks.conftest import HostsFile, look, serving, surroundings
from tests.checks.dialogues import server_tls

BY_CERTIFICATE = (
    "valid", "expired", "early", "other_name", "revoked", "below_withdrawn", "unknown", "incomplete",
    "self_signed", "below_expired", "below_ending",
)  # fmt: skip

SERVER = """
server {
    listen 127.0.0.1:$%(port)s ssl; listen [::1]:$%(port)s ssl;
    ssl_certificate %(chain)s; ssl_certificate_key %(key)s; %(more)s
    return 200 "here is %(port)s";
}
"""


@pytest.fixture(scope="module")
def server(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[nginx.Nginx]:
    """A port for each certificate; one of TLS 1.2 only, one that knows one name only, one without."""
    text = "server { listen 127.0.0.1:$plain; listen [::1]:$plain; return 200 plain; }"
    for name in BY_CERTIFICATE:
        pair = getattr(papers, name)
        text += SERVER % {"port": name, "chain": pair.chain, "key": pair.key, "more": ""}
    more = {
        "old": "ssl_protocols TLSv1.2;",
        "choosy": "ssl_reject_handshake on; } server { server_name www.example.test; "
        f"listen 127.0.0.1:$choosy ssl; listen [::1]:$choosy ssl; ssl_certificate {papers.valid.chain}; "
        f"ssl_certificate_key {papers.valid.key};",
    }
    for name, said in more.items():
        text += SERVER % {
            "port": name, "chain": papers.valid.chain, "key": papers.valid.key, "more": said,
        }  # fmt: skip
    folder = tmp_path_factory.mktemp("nginx")
    with nginx.running(folder, (*BY_CERTIFICATE, *more, "plain"), text) as found:
        yield found


Look = Any


@pytest.fixture
def tried(server: nginx.Nginx, papers: Papers) -> Look:
    """Run a check of the server with a certificate, as the operator trusts the root."""

    async def run(port: str, *, address: str = "127.0.0.1", **written: object) -> Finding:
        trusts = {} if written.get("verify") is False else {"ca": str(papers.ca)}
        return await look("tls", {"port": server.ports[port], **trusts, **written}, address=address)

    return run


def ends(pair: Pair) -> str:
    return f"{pair.certificate.not_valid_after_utc:%Y-%m-%d}"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_good_certificate(tried: Look, papers: Papers, address: str) -> None:
    found = await tried("valid", address=address)

    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")
    assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.TLS]
    assert found.notes == (
        "whether the certificate was revoked was not checked",
        f"the certificate is valid until {ends(papers.valid)}: {DAYS - 1} days left",
    )
    assert [said.text for said in found.transcript][1:] == [
        "TLSv1.3, TLS_AES_256_GCM_SHA384",
        "the certificate is for localhost, *.example.test, 127.0.0.1, ::1, by Test authority, "
        f"until {ends(papers.valid)}",
    ]


@pytest.mark.parametrize(
    ("name", "written", "why", "came"),
    [
        ("expired", {}, "the certificate expired on {ends}", ""),
        ("below_expired", {},
         "an authority between the certificate and the root has expired, its issuer is “Old authority”", ""),
        ("early", {}, "the certificate is not valid before {begins}", ""),
        ("other_name", {}, "the certificate is for another name", "it is for www.other.test, other.test"),
        ("valid", {"name": "www.bank.test"}, "the certificate is for another name",
         "it is for localhost, *.example.test, 127.0.0.1, ::1"),
        ("self_signed", {}, "the certificate is signed by nobody but itself", ""),
        ("unknown", {}, "no trusted authority stands behind the certificate", "it is signed by Stranger"),
        ("incomplete", {}, "no trusted authority stands behind the certificate",
         "it is signed by Test authority"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_certificate(
    tried: Look, papers: Papers, name: str, written: dict[str, Any], why: str, came: str
) -> None:
    found = await tried(name, **written)
    its = getattr(papers, name).certificate
    why = why.format(
        ends=f"{its.not_valid_after_utc:%Y-%m-%d}", begins=f"{its.not_valid_before_utc:%Y-%m-%d}"
    )

    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert (found.why, found.came) == (why, came)
    assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.TLS]


@pytest.mark.parametrize(
    ("name", "outcome", "why"),
    [
        ("valid", Outcome.ANSWERED, ""),
        ("revoked", Outcome.MISSED, "the certificate was revoked on 20"),
        ("below_withdrawn", Outcome.MISSED,
         "an authority of the certificate's chain was revoked, its issuer is “Withdrawn authority”"),
    ],
)  # fmt: skip
async def test_what_was_revoked(tried: Look, papers: Papers, name: str, outcome: Outcome, why: str) -> None:
    without = await tried(name)
    assert without.outcome is Outcome.ANSWERED
    assert "whether the certificate was revoked was not checked" in without.notes

    found = await tried(name, crl=str(papers.crl))
    assert found.outcome is outcome
    assert found.why.startswith(why)
    assert "whether the certificate was revoked was not checked" not in found.notes


async def test_a_number_in_the_list_of_another_authority_means_another_certificate(
    tried: Look, papers: Papers, tmp_path: Path
) -> None:
    """Its own authority stands in the list of the root; its number, by chance, in one that is not its own."""
    soon = datetime.now(UTC) + timedelta(days=1)
    lists = tmp_path / "lists.pem"
    lists.write_bytes(
        papers.root.revoke([papers.withdrawn.certificate], soon)
        + papers.between.revoke([papers.below_withdrawn.certificate], soon)
        + papers.withdrawn.revoke([], soon)
    )
    found = await tried("below_withdrawn", crl=str(lists))
    assert found.why.startswith("an authority of the certificate's chain was revoked")


async def test_lists_that_we_let_grow_old_are_our_own_fault(tried: Look, papers: Papers) -> None:
    found = await tried("valid", crl=str(papers.crl_out_of_date))
    assert (found.outcome, found.step) == (Outcome.UNKNOWN, Step.TLS)
    assert found.why.startswith("the list of certificates revoked by ")
    assert " ended on 20" in found.why
    assert found.why.endswith(f": renew {papers.crl_out_of_date}")


async def test_a_list_that_we_lack_is_our_own_fault(tried: Look, papers: Papers, tmp_path: Path) -> None:
    """The file holds the list of the root, and not that of the authority below it."""
    only = tmp_path / "only.pem"
    only.write_bytes(papers.root.revoke([], datetime.now(UTC) + timedelta(days=1)))
    found = await tried("valid", crl=str(only))
    assert found.outcome is Outcome.UNKNOWN
    assert found.why.startswith("a list of revoked certificates is missing")


async def test_days_that_are_left(tried: Look, papers: Papers) -> None:
    assert (await tried("valid", days_left=DAYS - 1)).outcome is Outcome.ANSWERED
    found = await tried("valid", days_left=DAYS)
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert found.sentence == f"tls: TLS: the certificate ends on {ends(papers.valid)}"
    assert (found.expected, found.came) == (f"at least {DAYS} days left", f"{DAYS - 1} days left")


async def test_an_authority_that_ends_before_the_certificate_counts_too(tried: Look) -> None:
    when = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%d}"
    whose = "the certificate of the authority Ending authority, above it,"

    found = await tried("below_ending", days_left=19)
    assert found.outcome is Outcome.ANSWERED
    assert f"{whose} is valid until {when}: 19 days left" in found.notes
    found = await tried("below_ending", days_left=20)
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert found.why == f"the certificate of the authority “Ending authority”, above it, ends on {when}"
    assert (found.expected, found.came) == ("at least 20 days left", "19 days left")
    assert (await tried("below_ending", verify=False, days_left=20)).outcome is Outcome.ANSWERED


async def test_whoever_does_not_verify_is_told_so_and_may_still_ask_for_days(tried: Look) -> None:
    found = await tried("self_signed", verify=False, days_left=10)
    assert found.outcome is Outcome.ANSWERED
    assert found.notes[0] == "the certificate was not verified"
    assert (await tried("expired", verify=False, days_left=10)).came == "none left"


async def test_versions(tried: Look) -> None:
    assert (await tried("old")).outcome is Outcome.ANSWERED
    found = await tried("old", minimum="1.3")
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert found.why == "the server speaks no TLS that is new enough"
    assert found.expected == "TLS 1.3 or newer"


async def test_a_server_that_knows_only_one_name(tried: Look) -> None:
    assert (await tried("choosy", name="www.example.test")).outcome is Outcome.ANSWERED
    found = await tried("choosy", name="ftp.example.test")
    assert found.why == "the server knows nobody of this name"


async def test_a_port_without_tls(tried: Look) -> None:
    found = await tried("plain")
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert found.why == "what answers there does not speak TLS"


async def test_a_name_is_looked_up_and_asked_for(server: nginx.Nginx, papers: Papers) -> None:
    around = surroundings(HostsFile(www_example_test="127.0.0.1"))
    written = {"port": server.ports["choosy"], "host": "www.example.test", "ca": str(papers.ca)}
    found = await look("tls", written, address="192.0.2.1", around=around)
    assert found.outcome is Outcome.ANSWERED
    assert [phase.step for phase in found.phases] == [Step.RESOLVE, Step.CONNECT, Step.TLS]


async def test_nobody_listens() -> None:
    async with serving(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    found = await look("tls", port)
    assert (found.step, found.why) == (Step.CONNECT, "connection refused")


async def test_a_server_that_says_nothing(ever: asyncio.Event) -> None:
    async with serving(lambda reader, writer: ever.wait()) as port:
        found = await look("tls", {"port": port, "timeout": "200ms"})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.TLS, "no answer within 200ms")


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x00\x7a\x02"])
async def test_a_server_that_goes_away_in_the_handshake(said: bytes) -> None:
    async def go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()
        writer.close()

    async with serving(go) as port:
        found = await look("tls", port)
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert found.why in ("the server closed the connection during the handshake", "connection reset")


async def test_an_explanation_that_is_kept_waiting_does_not_hide_what_is_known(
    server: nginx.Nginx, papers: Papers, ever: asyncio.Event
) -> None:
    """The first connection is passed on to a server with an expired certificate, the second one hangs."""
    came = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        if came > 1:
            await ever.wait()
        there, back = await asyncio.open_connection("127.0.0.1", server.ports["expired"])
        await asyncio.gather(passed(reader, back), passed(there, writer))

    async with serving(once) as port:
        found = await look("tls", {"port": port, "ca": str(papers.ca), "timeout": "500ms"})
    assert came == 2
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert found.why == "the certificate, or an authority of its chain, has expired"


async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(4_096):
        writer.write(piece)
    writer.close()


async def test_files_that_change_are_read_again(tried: Look, papers: Papers, tmp_path: Path) -> None:
    """At first the operator trusts a stranger; then the file is replaced."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(papers.self_signed.chain.read_bytes())
    assert (await tried("valid", ca=str(ca))).outcome is Outcome.MISSED
    ca.write_bytes(papers.ca.read_bytes())
    assert (await tried("valid", ca=str(ca))).outcome is Outcome.ANSWERED


async def test_a_file_that_is_not_there_is_our_own_fault(tried: Look, tmp_path: Path) -> None:
    found = await tried("valid", ca=str(tmp_path / "none.pem"))
    assert found.outcome is Outcome.UNKNOWN
    assert found.why.startswith("cannot use the authorities for TLS in ")


def test_files_are_named_relative_to_the_configuration() -> None:
    written = {"port": 443, "ca": "ca.pem", "crl": "lists/crl.pem"}
    read = tls.Settings.model_validate(written, context=Places(folder=Path("/etc/hostwatch")))
    assert (read.ca, read.crl) == ("/etc/hostwatch/ca.pem", "/etc/hostwatch/lists/crl.pem")
    read = tls.Settings.model_validate(written, context=Places(folder=Path("config")))
    assert read.ca == str(Path.cwd() / "config" / "ca.pem")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"port": 443, "verify": False, "crl": "crl.pem"}, "nothing is verified"),
        ({"port": 443, "minimum": "1.1"}, "1.2"),
        ({"port": 443, "days_left": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_not_understood(written: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        tls.Settings.model_validate(written)


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
async def test_a_machine_without_authorities_cannot_say_that_nobody_is_trusted(
    tried: Look, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / folder))
    found = await tried("valid", ca=None)
    assert found.outcome is Outcome.UNKNOWN
    assert found.why.startswith("cannot use the authorities for TLS in this machine: ")
    assert "it has none: install them, or name a file under tls.ca" in found.why


async def test_a_name_beside_the_alternative_names_is_none(papers: Papers) -> None:
    """Browsers look among the alternative names alone."""
    pair = papers.issue("www.example.test", names=())
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=server_tls(pair)) as serves:
        port = serves.sockets[0].getsockname()[1]
        found = await look("tls", {"port": port, "name": "www.example.test", "ca": str(papers.ca)})
    assert (found.outcome, found.why) == (Outcome.MISSED, "the certificate is for another name")


@pytest.mark.parametrize("verify", [True, False])
def test_nobody_has_us_reckon_over_finite_fields(verify: bool, papers: Papers) -> None:
    """The server would choose how long that takes: 10,000 bits hold up the loop for most of a second."""
    settings = Tls(ca=str(papers.ca)) if verify else Tls(verify=False)
    context, _ = prepared(settings, "www.example.test")
    assert {one["kea"] for one in context.get_ciphers()} <= {"kx-any", "kx-ecdhe"}
