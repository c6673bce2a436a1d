"""The audit's events in the log: one namespace, one format, fields whose names stay as they are.

For observers that pick fields, such as journald's or a JSON file's
(``docs/operations.rst``, *The audit*).  What is told here has been through
:mod:`.audit_texts`.
"""

from __future__ import annotations

from twisted.logger import Logger

from stacksync.model import AuditEvent

NAMESPACE = "stacksync.audit"

FORMAT = (
    "audit: {audit_kind} account={account_id} email={email} address={address} "
    "sign_in={sign_in} count={count} detail={detail}"
)

log = Logger(NAMESPACE)


def log_event(event: AuditEvent) -> None:
    """Tell the log of an event."""
    log.info(
        FORMAT,
        audit_kind=event.kind.value,
        account_id=None if event.account_id is None else str(event.account_id),
        email=event.email,
        address=event.address,
        sign_in=None if event.sign_in is None else event.sign_in.value,
        detail=event.detail,
        count=event.count,
    )
