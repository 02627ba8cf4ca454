"""The web, against a real nginx: pages, statuses, names, redirects, certificates, and what goes wrong."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostwatch.checks import base, http
from hostwatch.checks._url import parsed
from hostwatch.checks.base import Finding, Step
from hostwatch.core.reading import Outcome
from tests.checks import nginx
from tests.checks.certificates import Papers
from tests.checks.conftest import Anywhere, HostsFile, look, surroundings
from tests.checks.dialogues import server_tls

SERVERS = """
gzip on; gzip_min_length 1; gzip_types text/plain;
server {
    listen 127.0.0.1:$web default_server; listen [::1]:$web default_server;
    listen 127.0.0.1:$more default_server; listen [::1]:$more default_server;
    root $folder/pages;
    location = / { return 200 "It works: everything runs"; }
    location = /asked { return 200 "$$request_method $$host $$http_user_agent $$http_x_key"; }
    location = /state { default_type application/json;
        return 200 '{"status": {"db": "ok", "up": true}, "queue": [3, 0.5, null], "a.b": {"/": 1}}'; }
    location = /deep { default_type application/json; return 200 '$deep'; }
    location = /gone { return 410; }
    location = /broken { return 503; }
    location = /moved { return 301 /; }
    location = /again1 { return 302 /again2; }
    location = /again2 { return 302 /again3; }
    location = /again3 { return 302 /; }
    location = /again0 { return 302 /again1; }
    location = /round { return 302 /round; }
    location = /away { return 302 http://www.other.test:$more/; }
    location = /inside { return 302 http://127.0.0.2:$more/; }
    location = /other { return 302 http://localhost:$more/asked; }
    location = /bank { return 302 https://www.other.test:$tls/; }
    location = /seen { return 303 /asked; }
    location = /same { return 307 /asked; }
    location = /same-elsewhere { return 307 http://www.other.test:$more/asked; }
    location = /same-port { return 308 http://localhost:$more/asked; }
    location = /port { return 302 http://www.example.test:$more/asked; }
    location = /tls { return 301 https://www.example.test:$tls/asked; }
    location = /nowhere { return 302 gopher://www.example.test/; }
    location = /lost { add_header X-Lost yes; return 302 ""; }
    location = /private {
        auth_basic "members"; auth_basic_user_file $folder/users; try_files /page.txt =404; }
    location = /bomb { default_type text/html; add_header Content-Encoding gzip; try_files /bomb.gz =404; }
    location = /chinese { default_type "text/html; charset=gb2312"; try_files /gbk.txt =404; }
    location = /unsaid { default_type "text/html"; try_files /meta.html =404; }
    location = /slow { limit_rate 2k; try_files /long.txt =404; }
    location = /huge { try_files /huge.bin =404; }
}
server { listen 127.0.0.1:$web; listen [::1]:$web; server_name www.example.test; return 200 "the shop"; }
server { listen 127.0.0.1:$web; listen [::1]:$web; server_name mail.example.test; return 200 "the post"; }
server {
    listen 127.0.0.1:$tls ssl; listen [::1]:$tls ssl;
    ssl_certificate $chain; ssl_certificate_key $key;
    location = / { return 200 "over TLS"; }
    location = /asked { return 200 "$$host $$http_authorization $$http_x_key"; }
    location = /down { return 302 http://www.example.test:$web/; }
}
"""


def pages(folder: Path) -> None:
    """What nginx sends from files."""
    (folder / "pages").mkdir()
    (folder / "users").write_text("anna:{PLAIN}sesame open\n")
    for name, content in {
        "page.txt": b"for members",
        "bomb.gz": gzip.compress(bytes(64 * 1024 * 1024)),
        "gbk.txt": "网站正常运行".encode("gbk"),
        "meta.html": b'<meta charset="gb2312">' + b" " * 2_000 + "正常".encode("gbk"),
        "long.txt": b"all is well " * 20_000,
        "huge.bin": bytes(5 * 1024 * 1024),
    }.items():
        (folder / "pages" / name).write_bytes(content)


def started(folder: Path, papers: Papers) -> Any:
    pages(folder)
    pair, deep = papers.valid, "[" * 1_500
    text = SERVERS.replace("$deep", deep).replace("$chain", str(pair.chain)).replace("$key", str(pair.key))
    return nginx.running(folder, ("web", "more", "tls"), text)


@pytest.fixture(scope="module")
def server(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[nginx.Nginx]:
    with started(tmp_path_factory.mktemp("nginx"), papers) as found:
        yield found


NAMES = HostsFile(
    www_example_test="127.0.0.1", www_other_test="127.0.0.1", mail_example_test="127.0.0.1", away_test="::1"
)


class Only(Anywhere):
    """Lets redirects and names go to nowhere."""

    def refusal(self, address: str, port: int, *, literal: bool, own: bool) -> str:
        return "" if literal else "outside of the allowed networks"


@pytest.fixture
def tried(server: nginx.Nginx, papers: Papers) -> Any:
    """Run a check; `web`, `more` and `tls` in a URL stand for the ports."""

    async def run(
        url: str, *, device: str = "127.0.0.1", policy: Anywhere | None = None, **written: Any
    ) -> Finding:
        for name, port in server.ports.items():
            url = url.replace(f":{name}/", f":{port}/")
        trusts = {"tls": {"ca": str(papers.ca), **written.pop("tls", {})}}
        around = surroundings(NAMES, policy)
        return await look("http", {"url": url, **trusts, **written}, address=device, around=around)

    return run


@pytest.mark.parametrize("device", ["127.0.0.1", "::1"])
async def test_a_page_of_the_device_itself(tried: Any, server: nginx.Nginx, device: str) -> None:
    found = await tried("http://:web/", device=device, contains="everything runs")

    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")
    assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.ANSWER, Step.CONTENT]
    shown = f"[{device}]" if ":" in device else device
    sent = [said.text for said in found.transcript if said.who == ">"]
    assert sent[:2] == ["GET / HTTP/1.1", f"Host: {shown}:{server.ports['web']}"]
    assert ("<", "HTTP/1.1 200 OK") in [(said.who, said.text) for said in found.transcript]
    assert [said.text for said in found.transcript][-2:] == [
        "It works: everything runs",
        "25 bytes of content",
    ]


async def test_virtual_hosts(tried: Any) -> None:
    assert (await tried("http://:web/", host="www.example.test", contains="the shop")).why == ""
    assert (await tried("http://mail.example.test:web/", contains="the post")).why == ""
    pinned = await tried(
        "http://mail.example.test:web/", device="192.0.2.1", address="::1", contains="the post"
    )
    assert pinned.outcome is Outcome.ANSWERED
    assert pinned.address.startswith("[::1]:")
    wrong = await tried("http://:web/", host="mail.example.test", contains="the shop")
    assert (wrong.step, wrong.why) == (
        Step.CONTENT,
        "the expected text “the shop” is not in the answer",
    )
    assert (wrong.expected, wrong.came) == ("the shop", "the post")


@pytest.mark.parametrize(
    ("url", "written", "step", "why"),
    [
        ("http://:web/gone", {}, Step.ANSWER, "the server answered 410 instead of 200-299"),
        ("http://:web/gone", {"status": 410}, None, ""),
        ("http://:web/gone", {"status": ["200-299", 410]}, None, ""),
        ("http://:web/broken", {}, Step.ANSWER, "the server answered 503 instead of 200-299"),
        ("http://:web/", {"status": 204}, Step.ANSWER, "the server answered 200 instead of 204"),
        ("http://:web/", {"lacks": "error"}, None, ""),
        ("http://:web/", {"lacks": ["error", "thing r"]}, Step.CONTENT,
         "the answer holds the text “thing r”, which it must not hold"),
        ("http://:web/long.txt", {"contains": ["well all", "is"]}, None, ""),
        ("http://:web/chinese", {"contains": "正常运行"}, None, ""),
        ("http://:web/unsaid", {"contains": "正常"}, None, ""),
        ("http://:web/", {"method": "HEAD"}, None, ""),
        ("http://:web/huge", {}, Step.CONTENT, "the answer has more than 4,194,304 bytes"),
        ("http://:web/huge", {"method": "HEAD"}, None, ""),
        ("http://:web/long.txt", {"headers": {"Accept-Encoding": "gzip"}, "contains": "well all"}, None, ""),
        ("http://:web/bomb", {}, Step.CONTENT, "the answer unpacks to more than 4,194,304 bytes"),
        ("http://:tls/", {}, Step.ANSWER, "the server answered 400 instead of 200-299"),
        ("https://:web/", {}, Step.TLS, "what answers there does not speak TLS"),
        ("https://:tls/", {"contains": "over TLS"}, None, ""),
        ("https://www.example.test:tls/", {}, None, ""),
        ("https://:tls/", {"host": "www.bank.test"}, Step.TLS, "the certificate is for another name"),
        ("https://:tls/", {"host": "www.bank.test", "tls": {"name": "localhost"}}, None, ""),
        ("http://no.such.test:web/", {}, Step.RESOLVE, "there is no name no.such.test"),
        ("http://away.test:web/", {}, Step.RESOLVE, "there is no name away.test"),
    ],
)  # fmt: skip
async def test_what_comes_of_it(
    tried: Any, url: str, written: dict[str, Any], step: Step | None, why: str
) -> None:
    """IPv4 devices are looked at by IPv4 alone: `away.test` has only another address."""
    found = await tried(url, **written)
    assert (found.step, found.why) == (step, why)
    assert found.outcome is (Outcome.MISSED if step else Outcome.ANSWERED)


@pytest.mark.parametrize(
    ("path", "expected", "why", "came"),
    [
        ("status.db", "ok", "", ""),
        ("/status/db", "ok", "", ""),
        ("queue.0", 3, "", ""),
        ("queue.1", 0.5, "", ""),
        ("queue.2", None, "", ""),
        ("status.up", True, "", ""),
        ("/a.b/~1", 1, "", ""),
        ("/a.b/~1", True, "“/a.b/~1” is not what it should be", "1"),
        ("status.up", 1, "“status.up” is not what it should be", "true"),
        ("status.db", "down", "“status.db” is not what it should be", '"ok"'),
        ("status", "ok", "“status” is not what it should be", "a mapping"),
        ("status.db.x", "ok", "the answer has no “status.db.x”", ""),
        ("queue.3", 1, "the answer has no “queue.3”", ""),
    ],
)
async def test_values_in_json(tried: Any, path: str, expected: Any, why: str, came: str) -> None:
    found = await tried("http://:web/state", json={path: expected})
    assert (found.why, found.came) == (why, came)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://:web/", "the answer is no JSON"),
        ("http://:web/deep", "the answer is no JSON"),
        ("http://:web/huge", "the answer has more than 4,194,304 bytes"),
        ("http://:web/bomb", "the answer is too long for JSON"),
    ],
)
async def test_what_is_no_json(tried: Any, url: str, why: str) -> None:
    assert (await tried(url, json={"a": 1})).why == why


@pytest.mark.parametrize(
    ("url", "written", "why"),
    [
        ("http://:web/moved", {}, ""),
        ("http://:web/moved", {"status": 301}, ""),
        ("http://:web/moved", {"redirects": 0}, "the server answered 301 instead of 200-299"),
        ("http://:web/again1", {}, ""),
        ("http://:web/again0", {}, "more than 3 redirects"),
        ("http://:web/again1", {"redirects": 2}, "more than 2 redirects"),
        ("http://:web/round", {}, "more than 3 redirects"),
        ("http://:web/away", {}, "redirected to where this check may not go"),
        ("http://:web/away", {"redirects_to": "www.other.test"}, ""),
        ("http://:web/inside", {}, "redirected to where this check may not go"),
        ("http://:web/nowhere", {}, "redirected to what is no web address"),
        ("http://:web/lost", {}, "the server answered 302, and does not say where to"),
    ],
)
async def test_redirects(tried: Any, url: str, written: dict[str, Any], why: str) -> None:
    found = await tried(url, **written)
    assert found.why == why
    assert found.outcome is (Outcome.MISSED if why else Outcome.ANSWERED)
    assert found.step is (Step.ANSWER if why else None)


async def test_a_redirect_is_held_against_the_policy(tried: Any, server: nginx.Nginx) -> None:
    """The operator's own address may be asked, and on its path; where the server points to may not."""
    assert (await tried("http://:web/moved", policy=Only())).outcome is Outcome.ANSWERED
    more = server.ports["more"]
    found = await tried("http://:web/inside", policy=Only(), redirects_to="127.0.0.2")
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.CONNECT)
    assert found.why == f"not connected to 127.0.0.2:{more}, where this check may not go"
    assert f"not connected to 127.0.0.2:{more}: outside of the allowed networks" in found.notes

    found = await tried("http://127.0.0.1:web/port", policy=Only(), redirects_to="www.example.test")
    assert f"not connected to 127.0.0.1:{more}: outside of the allowed networks" in found.notes


async def test_another_port_of_the_same_name_is_not_what_the_operator_wrote(
    tried: Any, server: nginx.Nginx
) -> None:
    written = {"url": "http://:web/other", "host": "localhost"}
    assert (await tried(**written)).outcome is Outcome.ANSWERED
    found = await tried(**written, policy=Only())
    assert found.why == f"not connected to 127.0.0.1:{server.ports['more']}, where this check may not go"


async def test_a_redirect_from_tls_to_none_is_noted(tried: Any) -> None:
    found = await tried("https://www.example.test:tls/down", contains="the shop")
    assert found.outcome is Outcome.ANSWERED
    assert "redirected from https to http" in found.notes


PERMITTED = {"authorisation": "letter of 2026-03-01", "unprotected_login": True}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "sesame open")
    monkeypatch.setenv("OTHER", "guessed")
    monkeypatch.setenv("KEY", "k-12345")


@pytest.mark.usefixtures("key")
async def test_a_login(tried: Any) -> None:
    login = {"user": "anna", "password": {"env": "PASSWORD"}}
    found = await tried("http://:web/private", login=login, **PERMITTED, contains="for members")
    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")
    assert "Authorization: ***" in [said.text for said in found.transcript]
    assert "sesame" not in repr(found)

    wrong = {"user": "anna", "password": {"env": "OTHER"}}
    found = await tried("http://:web/private", login=wrong, **PERMITTED)
    assert (found.step, found.came) == (Step.ANSWER, "401 Unauthorized")


@pytest.mark.usefixtures("key")
async def test_secrets_stay_secret_when_the_server_says_them(tried: Any) -> None:
    headers = {"X-Key": {"env": "KEY"}}
    found = await tried("http://:more/asked", headers=headers, **PERMITTED, contains="no such thing")
    assert found.came.startswith("GET 127.0.0.1 hostwatch/")
    assert "***" in found.came
    assert "k-12345" not in repr(found)


@pytest.mark.usefixtures("key")
async def test_what_is_for_one_server_is_not_told_to_another(tried: Any, server: nginx.Nginx) -> None:
    """The page over there shows what it was asked with."""
    written = {
        "headers": {"X-Key": {"env": "KEY"}},
        "login": {"user": "anna", "password": {"env": "PASSWORD"}},
        **PERMITTED,
        "contains": "www.example.test",
    }
    found = await tried("http://127.0.0.1:web/tls", **written, redirects_to="www.example.test")
    assert found.outcome is Outcome.ANSWERED
    sent = [said.text for said in found.transcript if said.who == ">"]
    assert [line for line in sent if line.startswith(("GET", "X-Key", "Authorization"))] == [
        "GET /tls HTTP/1.1", "X-Key: ***", "Authorization: ***", "GET /asked HTTP/1.1",
    ]  # fmt: skip
    assert [said.text for said in found.transcript if said.who == "<"][-1] == "www.example.test  "


@pytest.mark.parametrize(
    ("first", "then", "may_know"),
    [
        ("http:///", "http:///x", True),
        ("http:///", "https:///", True),
        ("http://:81/", "https:///", True),
        ("http:///", "https://:8443/", False),
        ("http:///", "http://:81/", False),
        ("https:///", "http:///", False),
    ],
)
def test_who_may_know_a_login(first: str, then: str, may_know: bool) -> None:
    assert http.is_as_safe(parsed(first), parsed(then)) is may_know


async def test_a_post(tried: Any) -> None:
    found = await tried("http://:web/asked", method="POST", body="ping=1", **PERMITTED, contains="POST")
    assert found.why == ""
    assert "Content-Length: 6" in [said.text for said in found.transcript]


async def test_a_post_that_is_redirected(tried: Any) -> None:
    for url, method in (("http://:web/seen", "GET 127.0.0.1"), ("http://:web/same", "POST 127.0.0.1")):
        assert (await tried(url, method="POST", body="ping=1", **PERMITTED, contains=method)).why == ""


@pytest.mark.parametrize("path", ["same-elsewhere", "same-port"])
async def test_what_is_posted_goes_to_no_other_server(tried: Any, server: nginx.Nginx, path: str) -> None:
    """Another name, or another port of the same: a GET may be led there, a POST may not."""
    written = {"host": "localhost", "redirects_to": "www.other.test", **PERMITTED}
    assert (await tried(f"http://:web/{path}", **written)).outcome is Outcome.ANSWERED

    found = await tried(f"http://:web/{path}", method="POST", body="pin=1234", **written)
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.ANSWER)
    assert found.why.endswith("to another server, which must not get what is sent by POST")
    assert f":{server.ports['more']}/asked" in found.came
    assert sum(said.text.startswith("connected to") for said in found.transcript) == 1


async def test_whoever_is_redirected_to_shows_a_certificate_for_his_own_name(tried: Any) -> None:
    written = {"redirects_to": "www.other.test", "tls": {"name": "localhost"}}
    found = await tried("http://:web/bank", **written)
    assert (found.step, found.why) == (Step.TLS, "the certificate is for another name")
    assert found.expected == "www.other.test"


async def test_days_of_the_certificate(tried: Any) -> None:
    found = await tried("https://:tls/", tls={"days_left": 365})
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert found.why.startswith("the certificate ends on ")


class Watched(base.Visit):
    """Says when the first of a page has come."""

    came: asyncio.Event

    def count(self, many: int) -> None:
        super().count(many)
        if self.step is Step.CONTENT:
            self.came.set()


async def test_a_server_that_is_killed_in_the_middle(papers: Papers, tmp_path: Path) -> None:
    """It sends 2 kB a second, and dies when the first of them have come."""
    with started(tmp_path, papers) as server:
        written = http.Settings.model_validate(f"http://:{server.ports['web']}/slow")
        visit = Watched(kind="http", address="127.0.0.1", surroundings=surroundings())
        visit.came = asyncio.Event()
        check = asyncio.create_task(base.run(http, written, visit))
        await visit.came.wait()
        server.kill()
        found = await check
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.CONTENT)
    assert found.why in ("the server closed the connection in the middle of the answer", "connection reset")
    assert (await look("http", f"http://:{server.ports['web']}/")).why == "connection refused"


@pytest.mark.parametrize(("ends", "outcome"), [(True, Outcome.ANSWERED), (False, Outcome.MISSED)])
async def test_a_page_whose_end_only_the_connection_tells_must_end_with_tls(
    papers: Papers, ends: bool, outcome: Outcome
) -> None:
    """Without the word that TLS ends, anybody on the way may have cut the page."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of a pa")
        await writer.drain()
        if ends:
            writer.close()
        else:
            writer.transport.abort()

    valid = server_tls(papers.valid)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=valid) as serves:
        port = serves.sockets[0].getsockname()[1]
        written = {"url": f"https://:{port}/", "host": "www.example.test", "tls": {"ca": str(papers.ca)}}
        found = await look("http", written)
    assert found.outcome is outcome
    if not ends:
        assert (found.step, "in the middle of TLS" in found.why) == (Step.CONTENT, True)
