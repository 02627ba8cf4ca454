"""What tests of SMTP, IMAP and POP3 have in common: a login over a line that is protected, or is not."""

from __future__ import annotations

from typing import Any

from hostwatch.checks.base import Finding, Step
from hostwatch.core.reading import Outcome
from tests.checks.certificates import Papers
from tests.checks.conftest import look
from tests.checks.dialogues import played
from tests.checks.mailroom import keeps_silent, login

PROTECTIONS = ("required", "opportunistic", "implicit")


def protected(papers: Papers, port: int, **more: Any) -> dict[str, Any]:
    """A check that goes over to TLS, by a command, with a server of our authority."""
    return {"port": port, "starttls": "required", "tls": {"ca": str(papers.ca)}, **more}


async def let_in(
    kind: str, papers: Papers, protection: str, ports: tuple[int, int], **more: Any
) -> tuple[Finding, bool]:
    """Who may is let in, and nothing of the password is told; whether TLS began by a command.

    `ports` are that of the plain beginning and that of TLS from the first byte.
    """
    by_command = protection != "implicit"
    how = {"starttls": protection} if by_command else {"implicit_tls": True}
    written = {"port": ports[not by_command], "tls": {"ca": str(papers.ca)}, **how, **login(), **more}
    found = await look(kind, written)
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
    keeps_silent(found)
    return found, by_command


async def broken_off(kind: str, papers: Papers, story: str, step: Step, ends: str) -> None:
    """A server that hangs, or hangs up, somewhere in a dialogue: a miss at that step."""
    async with played(story.replace("HANGS", ends), papers.valid) as port:
        found = await look(kind, protected(papers, port, **login()))
    assert (found.outcome, found.step) == (Outcome.MISSED, step)
    if ends == "HANGS":
        assert found.why == "no answer within 10s"
    keeps_silent(found)


async def misbehaving(kind: str, papers: Papers, case: tuple[str, Step, str]) -> None:
    """A server that plays a story: a miss at a step that says why."""
    story, step, why = case
    async with played(story, papers.valid) as port:
        found = await look(kind, protected(papers, port, **login()))
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why)
    assert len(found.transcript) <= 100
    keeps_silent(found)


async def unprotected(kind: str, story: str) -> Finding:
    """A server that offers no TLS gets no password."""
    async with played(story) as port:
        found = await look(kind, {"port": port, "starttls": "opportunistic", **login()})
    assert (found.step, found.why) == (Step.LOGIN, "the password is not sent, since the line is without TLS")
    return found
