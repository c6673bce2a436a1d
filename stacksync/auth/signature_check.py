"""Whether a signature is right: oauthlib's part of it, which is pure.

All that oauthlib may ask was looked up before and is handed over as
:class:`Facts`; it asks nobody, waits for nothing and keeps nothing.  What is
not known is replaced, so that the work is the same for what there is and for
what there is not.
"""

from __future__ import annotations

import secrets
from enum import Enum
from typing import Any, cast

from attrs import field, frozen
from oauthlib.common import Request
from oauthlib.oauth1 import (
    SIGNATURE_HMAC_SHA1,
    SIGNATURE_HMAC_SHA256,
    SIGNATURE_PLAINTEXT,
    RequestValidator,
)
from oauthlib.oauth1.rfc5849.endpoints import (
    AccessTokenEndpoint,
    RequestTokenEndpoint,
    ResourceEndpoint,
)
from oauthlib.oauth1.rfc5849.errors import OAuth1Error

from stacksync.auth.signed_parameters import SignedParameters
from stacksync.errors import InvalidRequest

METHODS = (SIGNATURE_HMAC_SHA256, SIGNATURE_HMAC_SHA1)
PLAINTEXT = SIGNATURE_PLAINTEXT

_NOBODY = secrets.token_urlsafe(24)
"""Signs like a secret that nobody has."""


class Step(Enum):
    """What a signed request is for (RFC 5849, sections 2.1, 2.3 and 3)."""

    ASKING = "request token"
    REDEEMING = "access token"
    ACTING = "resource"


@frozen
class Facts:
    """What a signature is made with; ``None``: there is no such thing."""

    consumer_secret: str | None = field(repr=False)
    token_secret: str | None = field(repr=False)


def is_right(
    step: Step, method: str, parameters: SignedParameters, facts: Facts, *, confidential: bool
) -> bool:
    """Whether application and token are there and have signed this.

    :param method: of HTTP.
    :param confidential: nobody can have listened: PLAINTEXT will do.
    :raises InvalidRequest: oauthlib finds fault with the form of the request.
    """
    request = prepared(method, parameters)
    validator = FactsValidator(facts, confidential)
    try:
        if step is Step.ASKING:
            right, _ = RequestTokenEndpoint(validator).validate_request_token_request(request)
        elif step is Step.REDEEMING:
            right, _ = AccessTokenEndpoint(validator).validate_access_token_request(request)
        else:
            right, _ = PreparedResource(validator, request).validate_protected_resource_request("")
    except OAuth1Error as error:
        raise InvalidRequest("oauth", error.description) from None
    except ValueError:
        raise InvalidRequest("oauth", "it can't be told what was signed") from None
    return bool(right)


def prepared(method: str, parameters: SignedParameters) -> Request:
    """What oauthlib makes of a request, made of what we have read."""
    protocol = parameters.protocol
    # oauthlib sets the same, which its type hints do not know.
    request = cast(Any, Request)(parameters.address, method, "", {})
    request.oauth_params = protocol
    request.params = parameters.signed
    request.signature = protocol.get("oauth_signature")
    request.client_key = protocol.get("oauth_consumer_key")
    request.resource_owner_key = protocol.get("oauth_token")
    request.nonce = protocol.get("oauth_nonce")
    request.timestamp = protocol.get("oauth_timestamp")
    request.redirect_uri = protocol.get("oauth_callback")
    request.verifier = protocol.get("oauth_verifier")
    request.signature_method = protocol.get("oauth_signature_method")
    request.realm = None
    return cast(Request, request)


class PreparedResource(ResourceEndpoint):
    """The endpoint of resources, which takes no request but the one that was prepared."""

    def __init__(self, validator: RequestValidator, request: Request) -> None:
        super().__init__(validator)
        self._request = request

    def _create_request(self, *_: Any) -> Request:
        return self._request


class FactsValidator(RequestValidator):
    """Answers oauthlib from what was looked up before.

    What may stand in keys and nonces, and when a timestamp is too old, was seen
    to already; nonces, callbacks and verifiers come after the signature.
    """

    enforce_ssl = False
    timestamp_lifetime = 10**10
    dummy_client = dummy_request_token = dummy_access_token = "nobody"

    def __init__(self, facts: Facts, confidential: bool) -> None:
        super().__init__()
        self._facts = facts
        self._confidential = confidential

    @property
    def allowed_signature_methods(self) -> tuple[str, ...]:
        return (*METHODS, PLAINTEXT) if self._confidential else METHODS

    def checked_before(self, *_: Any, **__: Any) -> bool:
        return True

    check_client_key = check_request_token = check_access_token = checked_before
    check_nonce = check_verifier = check_realms = checked_before
    validate_timestamp_and_nonce = validate_redirect_uri = validate_verifier = checked_before
    validate_realms = validate_requested_realms = checked_before

    def get_default_realms(self, client_key: str, request: Request) -> list[str]:
        return []

    def validate_client_key(self, client_key: str, request: Request) -> bool:
        return self._facts.consumer_secret is not None

    def validate_request_token(self, client_key: str, token: str, request: Request) -> bool:
        return self._facts.token_secret is not None

    def validate_access_token(self, client_key: str, token: str, request: Request) -> bool:
        return self._facts.token_secret is not None

    def get_client_secret(self, client_key: str, request: Request) -> str:
        return self._facts.consumer_secret or _NOBODY

    def get_request_token_secret(self, client_key: str, token: str, request: Request) -> str:
        return self._facts.token_secret or _NOBODY

    def get_access_token_secret(self, client_key: str, token: str, request: Request) -> str:
        return self._facts.token_secret or _NOBODY
