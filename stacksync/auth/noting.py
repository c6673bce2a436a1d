"""What the audit hears of signing in: who has, who was refused, and from where.

Never what somebody proved it with: no password, no token, no digest of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from stacksync.errors import InvalidRequest, NotAuthenticated
from stacksync.model import AuditEvent, AuditKind, Principal, SignIn

Note = Callable[[AuditEvent], None]
"""Takes what is for the audit; see :meth:`stacksync.engine.audit.Audit.note`."""

NO_EMAIL = "what was given as the e-mail is none"

MALFORMED = "not as it must be"
"""Not more: the message repeats names that whoever sent it has made up, or mixed up."""


def nobody_notes(_: AuditEvent) -> None:
    """The :data:`Note` of those without an audit."""


def signed_in(principal: Principal, address: str) -> AuditEvent:
    """Somebody has proved who he is."""
    detail: dict[str, Any] = {}
    if principal.sign_in in (SignIn.TOKEN, SignIn.OAUTH):
        detail["token_id"] = principal.grant_id
    if principal.device_id is not None:
        detail["device_id"] = principal.device_id
    return AuditEvent(
        AuditKind.SIGNED_IN,
        principal.account_id,
        address=address,
        sign_in=principal.sign_in,
        detail=detail,
    )


def refused(
    sign_in: SignIn,
    address: str,
    problem: str,
    *,
    name: str = "",
    account_id: UUID | None = None,
    **detail: Any,
) -> AuditEvent:
    """Somebody has not.

    :param name: what he called himself, if he signs in by name.  Only what looks like an e-mail
        is told: people type their password into the wrong field.
    :param account_id: whose name that is, if it was looked up.
    :param detail: what else there is to tell.
    """
    detail["problem"] = problem
    email = None
    if sign_in is SignIn.PASSWORD:
        if "@" in name:
            email = name
        else:
            detail["name"] = NO_EMAIL
    return AuditEvent(
        AuditKind.REFUSED,
        account_id,
        email=email,
        address=address,
        sign_in=sign_in,
        detail=detail,
    )


@contextmanager
def refusals_noted(
    note: Note, sign_in: SignIn, address: str, account_id: UUID | None = None, **detail: Any
) -> Iterator[None]:
    """Whoever is not let in within this is noted, with the reason.

    :param account_id: whose sign-in it would be, as far as that is known.
    """
    try:
        yield
    except (InvalidRequest, NotAuthenticated) as error:
        problem = str(error) if isinstance(error, NotAuthenticated) else MALFORMED
        note(refused(sign_in, address, problem, account_id=account_id, **detail))
        raise
