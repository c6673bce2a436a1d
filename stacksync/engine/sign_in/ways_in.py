"""The ways in, put together: what people, devices, applications and the broker sign in by.

For :func:`stacksync.engine.engine_on`; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from stacksync.config.sign_in_options import OAuthConfig, TokensConfig
from stacksync.db.broker_access import BrokerAccessTable
from stacksync.db.database import Database
from stacksync.db.devices import DeviceTable
from stacksync.db.passwords import PasswordTable
from stacksync.db.sign_ins import SignInTable
from stacksync.db.tokens import TokenTable
from stacksync.engine.audit import Audit
from stacksync.engine.devices import Devices
from stacksync.engine.notifier import Notifier
from stacksync.engine.oauth import OAuth, oauth_on
from stacksync.engine.sign_in.broker_access import BrokerAccess
from stacksync.engine.sign_in.passwords import Passwords
from stacksync.engine.sign_in.sign_ins import BrokerAnswers, SignIns
from stacksync.engine.sign_in.tokens import Tokens, TokenSettings


@frozen
class WaysIn:
    """What sign-ins hang on, by noun."""

    sign_ins: SignIns
    passwords: Passwords
    devices: Devices
    tokens: Tokens
    oauth: OAuth
    broker_access: BrokerAccess


def ways_in_on(
    reactor: Any,
    database: Database,
    notifier: Notifier,
    wake: Callable[[], None],
    audit: Audit,
    broker: BrokerAnswers | None,
    oauth: OAuthConfig | None,
    tokens: TokenSettings | None,
) -> WaysIn:
    """Put the ways in together; what is left out is the default.

    :param wake: called when there are jobs to do.
    """
    table = SignInTable(database)
    answers, settings = broker or BrokerAnswers(), tokens or TokensConfig()
    sign_ins = SignIns(reactor, table, notifier.heard_sign_ins, wake, answers)
    device_table, token_table = DeviceTable(database), TokenTable(database)
    return WaysIn(
        sign_ins=sign_ins,
        passwords=Passwords(database, PasswordTable(database), token_table, sign_ins, audit),
        devices=Devices(database, device_table, token_table, sign_ins, audit),
        tokens=Tokens(database, token_table, device_table, sign_ins, audit, settings),
        oauth=oauth_on(reactor, database, sign_ins, audit, oauth or OAuthConfig(), settings),
        broker_access=BrokerAccess(BrokerAccessTable(database)),
    )
