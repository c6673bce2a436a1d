"""What applications and people use of OAuth 1.0a (RFC 5849): two resources and two pages.

``/oauth/request_token`` and ``/oauth/access_token`` are for applications;
``/oauth/authorize`` is where they send people, ``/oauth/applications`` where
people end it.  Who signs a request is known by :mod:`stacksync.auth`, what
follows on what by the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.protocols.http.oauth.applications import ApplicationsResource
from stacksync.protocols.http.oauth.authorize import AuthorizeResource
from stacksync.protocols.http.oauth.style import StyleResource
from stacksync.protocols.http.oauth.tokens import (
    CredentialsResource,
    access_token,
    request_token,
)
from stacksync.protocols.http.resource import JSONResource

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator

__all__ = ["oauth_resource"]


def oauth_resource(engine: Engine, authenticator: IAuthenticator) -> JSONResource:
    """What stands below ``/oauth``."""
    oauth = JSONResource({})
    oauth.putChild(b"request_token", CredentialsResource(request_token))
    oauth.putChild(b"authorize", AuthorizeResource(engine.oauth, authenticator))
    oauth.putChild(b"applications", ApplicationsResource(engine.tokens, authenticator))
    oauth.putChild(b"access_token", CredentialsResource(access_token))
    oauth.putChild(b"style.css", StyleResource())
    return oauth
