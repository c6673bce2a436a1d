"""The e-mails that sharing and unsharing are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stacksync.engine import validation
from stacksync.errors import InvalidRequest

MOST = 1000
"""E-mails of one request."""


def folded(email: str) -> str:
    """An address without its case, as the database's ``lower`` has it: letter by letter.

    ``str.lower`` looks at what is around a letter, and makes two of some.
    """
    return "".join(letter.lower()[:1] for letter in email)


def distinct(emails: Sequence[str]) -> dict[str, str]:
    """The addresses by how they compare, each once, in their order.

    :raises InvalidRequest: one of them is none, or they are too many.
    """
    if len(emails) > MOST:
        raise InvalidRequest("emails", f"{len(emails)} addresses; {MOST} are allowed")
    found: dict[str, str] = {}
    for email in emails:
        validation.check_email(email)
        found.setdefault(folded(email), email)
    return found


def check_any(left: Iterable[object]) -> None:
    """:raises InvalidRequest: nobody is left whom the request would be about."""
    if not any(True for _ in left):
        raise InvalidRequest("emails", "No addressees found")
