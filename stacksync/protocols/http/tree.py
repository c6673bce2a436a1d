"""The tree of resources: what stands where below the site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stacksync.protocols.http.events import EventsResource, EventStreams
from stacksync.protocols.http.oauth import oauth_resource
from stacksync.protocols.http.openapi.resource import DescriptionResource
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.resources.account import AccountResource
from stacksync.protocols.http.resources.changes import ChangesResource
from stacksync.protocols.http.resources.chunks import chunks_below
from stacksync.protocols.http.resources.commits import CommitsResource
from stacksync.protocols.http.resources.devices import DevicesResource
from stacksync.protocols.http.resources.files import FilesResource
from stacksync.protocols.http.resources.folders import FoldersResource
from stacksync.protocols.http.resources.health import LivenessResource, Readiness, ReadinessResource
from stacksync.protocols.http.resources.metrics import MetricsResource
from stacksync.protocols.http.resources.proposals import SharesResource
from stacksync.protocols.http.resources.tokens import TokensResource
from stacksync.protocols.http.resources.trash import TrashResource
from stacksync.protocols.http.resources.uploads import UploadsResource
from stacksync.protocols.http.resources.workspaces import WorkspacesResource

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import HttpConfig
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator, IHealthCheck


def make_tree(
    reactor: IReactorTime,
    engine: Engine,
    authenticator: IAuthenticator,
    streams: EventStreams,
    health: Iterable[IHealthCheck],
    settings: HttpConfig,
) -> JSONResource:
    """All resources over an engine; the root of them.

    :param health: the parts that ``/readyz`` asks.
    """
    api = api_resource(engine, authenticator, streams, settings)
    root = JSONResource({})
    root.putChild(b"api", api)
    root.putChild(b"v1", api)
    root.putChild(b"oauth", oauth_resource(engine, authenticator))
    root.putChild(b"healthz", LivenessResource())
    root.putChild(b"readyz", ReadinessResource(Readiness(reactor, tuple(health))))
    if settings.metrics:
        root.putChild(b"metrics", MetricsResource(engine.metrics))
    return root


def api_resource(
    engine: Engine, authenticator: IAuthenticator, streams: EventStreams, settings: HttpConfig
) -> JSONResource:
    """What stands below ``/api``."""
    in_workspace = {
        b"changes": ChangesResource(authenticator, engine.changes),
        b"chunks": chunks_below(authenticator, engine, settings.max_body),
        b"commits": CommitsResource(authenticator, engine.commits),
    }
    api = JSONResource({})
    api.putChild(b"account", AccountResource(authenticator, engine.accounts))
    api.putChild(b"devices", DevicesResource(authenticator, engine.devices))
    api.putChild(b"events", EventsResource(authenticator, streams))
    api.putChild(b"file", FilesResource(authenticator, engine, settings.max_file))
    api.putChild(b"folder", FoldersResource(authenticator, engine))
    api.putChild(b"openapi.json", DescriptionResource())
    api.putChild(b"shares", SharesResource(authenticator, engine))
    api.putChild(b"tokens", TokensResource(authenticator, engine.tokens))
    api.putChild(b"trash", TrashResource(authenticator, engine))
    api.putChild(b"uploads", UploadsResource(authenticator, engine.uploads, settings.max_file))
    api.putChild(b"workspaces", WorkspacesResource(authenticator, engine.workspaces, in_workspace))
    return api
