"""A mail as a person reads it, for tests: its words are those of the text, whatever stands beside it."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any


class Mail(EmailMessage):
    def get_content(self, *arguments: Any, **more: Any) -> Any:
        return self.words(("plain",)) if self.is_multipart() else super().get_content(*arguments, **more)

    @property
    def html(self) -> str:
        """The HTML part."""
        return str(self.words(("html",)))

    def words(self, kinds: tuple[str, ...]) -> Any:
        found = self.get_body(kinds)
        assert found is not None, f"the mail has no part that is {kinds}"
        return found.get_content()


def parse(data: bytes) -> Mail:
    """Bytes that came over the wire."""
    found = BytesParser(Mail, policy=policy.default).parsebytes(data)
    assert isinstance(found, Mail)
    return found
