"""Tokens of Keystone's, for people around a shared folder."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from attrs import define, field

from tests.integration.permissions.stage import SignIn
from tests.integration.surroundings.cloud_people import ADOPT
from tests.integration.surroundings.ledger import Ledger, until
from tests.servers.openstack.cloud import Cloud, CloudProject, CloudUser, Refused
from tests.servers.stacksync import KnownUser, StackSyncProcess

SOON = [timedelta(seconds=seconds) for seconds in (2, 8, 30)]
"""Until when a token is got by a credential that ends so soon, by whoever is quick enough."""

PATIENCE = 60.0


@define
class KeystoneTokens:
    """Who needs a token becomes a user of Keystone's.

    :param server: takes such tokens.
    """

    _server: StackSyncProcess
    _cloud: Cloud
    _project: CloudProject
    _identities: dict[UUID, CloudUser] = field(init=False, factory=dict)

    def of(self, user: KnownUser) -> SignIn:
        """A new token of somebody's."""
        return self._signing(self._cloud.token_of(self._identity(user)))

    def revoked(self, user: KnownUser) -> SignIn:
        """A token that was good until Keystone was told that it is no more."""
        token = self._cloud.token_of(self._identity(user))
        self._cloud.revoke(token)
        return self._signing(token)

    def expired(self, user: KnownUser) -> SignIn:
        """A token whose time is over."""
        identity = self._identity(user)
        self._cloud.grant(identity, self._project.id, "member")
        token = self._short_lived(identity)
        until(lambda: not self._cloud.is_valid(token), "the token expires", PATIENCE)
        return self._signing(token)

    def _short_lived(self, identity: CloudUser) -> str:
        for lifetime in SOON[:-1]:
            with suppress(Refused):
                return self._new(identity, lifetime)
        return self._new(identity, SOON[-1])

    def _new(self, identity: CloudUser, lifetime: timedelta) -> str:
        credential = self._cloud.application_credential(self._project, identity, lifetime)
        return self._cloud.token_by(credential)

    def _identity(self, user: KnownUser) -> CloudUser:
        if user.id not in self._identities:
            identity = self._identities[user.id] = self._cloud.user()
            Ledger(self._server.database_url).execute(ADOPT, identity.id, str(user.id))
        return self._identities[user.id]

    def _signing(self, token: str) -> SignIn:
        return SignIn(lambda method, url: {"X-Auth-Token": token}, self._server.http_url)
