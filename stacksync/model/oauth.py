"""OAuth 1.0a (RFC 5849): applications, and how they come to act for an account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from stacksync.model.accounts import Scope


@frozen
class Consumer:
    """An application that the operator knows.

    :ivar callback: where it may send people back to, and nowhere else; ``None``: it shows
        them the verifier to be typed (``oob``).
    :ivar revoked_at: since when it can do nothing any more.
    """

    key: str
    name: str
    callback: str | None
    created_at: datetime
    revoked_at: datetime | None
    secret: str = field(repr=False)


@frozen
class RequestToken:
    """Temporary credentials (RFC 5849, section 2.1), until they become an access token or expire.

    :ivar callback: where the person goes when asked; ``oob``: nowhere.
    :ivar account_id: who has said yes; ``None``: nobody yet.
    :ivar is_denied: somebody has said no.
    """

    key: str
    consumer_key: str
    callback: str
    scope: Scope
    account_id: UUID | None
    is_denied: bool
    created_at: datetime
    expires_at: datetime
    secret: str = field(repr=False)


@frozen
class Asked:
    """What a person is asked to allow.

    :ivar application: what the one who asks is called.
    """

    token: RequestToken
    application: str


@frozen
class Allowed:
    """What a person has allowed.

    :ivar verifier: what the application has to show as well: it comes from the person, or
        with them.
    """

    token: RequestToken
    verifier: str = field(repr=False)


@frozen
class TokenCredentials:
    """A token and its secret, as an application is given them: temporary ones, or for good."""

    key: str
    secret: str = field(repr=False)


@frozen
class SignedRequest:
    """What a signature is made over (RFC 5849, section 3.4), as HTTP brought it.

    :ivar url: the whole of it, with scheme, host and query, as the client knows it.
    :ivar authorization: the header of that name; ``""``: none.
    :ivar form: the body, if it is ``application/x-www-form-urlencoded``; else ``""``.
    :ivar is_confidential: nobody can have listened: over TLS, or from this machine.
    """

    method: str
    url: str = field(repr=False)
    authorization: str = field(repr=False)
    form: str = field(repr=False)
    is_confidential: bool
