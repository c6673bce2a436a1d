"""Applications that act for people (OAuth 1.0a), put together: the nouns of ``engine.oauth``."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from stacksync.config.sign_in_options import OAuthConfig
from stacksync.db.consumers import ConsumerTable
from stacksync.db.database import Database
from stacksync.db.nonces import NonceTable
from stacksync.db.request_tokens import RequestTokenTable
from stacksync.db.tokens import TokenTable
from stacksync.engine.audit import Audit
from stacksync.engine.oauth.applications import Applications
from stacksync.engine.oauth.consumers import Consumers
from stacksync.engine.oauth.signers import Signers
from stacksync.engine.oauth.sweep import ApplicationSweep
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.engine.sign_in.tokens import TokenSettings


@frozen
class OAuth:
    """What applications, people and the operator do about access that is not by password."""

    consumers: Consumers
    applications: Applications
    signers: Signers
    sweep: ApplicationSweep


def oauth_on(
    reactor: Any,
    database: Database,
    sign_ins: SignIns,
    audit: Audit,
    settings: OAuthConfig,
    tokens: TokenSettings,
) -> OAuth:
    """Put it together on a database."""
    consumers = ConsumerTable(database)
    applications = Applications(
        database,
        consumers,
        RequestTokenTable(database),
        TokenTable(database),
        sign_ins,
        audit,
        settings,
        tokens,
    )
    signers = Signers(NonceTable(database), settings.clock_skew)
    return OAuth(
        Consumers(database, consumers, sign_ins, audit),
        applications,
        signers,
        ApplicationSweep(reactor, applications, signers),
    )
