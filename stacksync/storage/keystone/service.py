"""Our side of Keystone: who we are there, and requests in our own name."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import deferLater
from zope.interface import implementer

from stacksync.config.openstack_options import KeystoneConfig
from stacksync.http_client import STANDARD, Answer, Retries
from stacksync.interfaces import IHealthCheck
from stacksync.storage.keystone.api import Api, reason
from stacksync.storage.keystone.credentials import Credentials
from stacksync.storage.keystone.failures import PART, KeystoneRefuses
from stacksync.storage.keystone.keeper import TokenKeeper
from stacksync.storage.keystone.token import Token, token_in

UNAUTHORIZED = 401

NEXT_SECOND = 1.1
"""Seconds.  Keystone counts in whole ones: a token that is made within the second of a change
to its user (a password, a role) is revoked from the beginning."""


@implementer(IHealthCheck)
class Keystone:
    """A Keystone with us in it.

    :param reactor: an ``IReactorTCP``, ``IReactorTime`` and the like.
    :raises ConfigurationError: the file with certificates is not right.
    """

    part = PART

    def __init__(self, reactor: Any, config: KeystoneConfig, retries: Retries = STANDARD) -> None:
        self.config = config
        self.credentials = Credentials(config)
        self.api = Api(reactor, config, retries)
        self._reactor = reactor
        self._keeper = TokenKeeper(reactor, self._sign_in)

    def start(self) -> None:
        """Get ready: the first token is made when it is needed."""

    async def stop(self) -> None:
        """Give up what is under way and close the connections.  May be called twice."""
        self._keeper.stop()
        await self.api.close()

    async def check(self) -> None:
        """Keystone answers, and knows us.

        :raises Unavailable: it does not.
        """
        answer = await self.api.request("GET", "")
        if not answer.ok:
            raise KeystoneRefuses(f"{answer.told}: no Keystone v3 is there")
        await self.present()

    async def token(self) -> str:
        """A token of our own for the project.

        :raises KeystoneRefuses: our credentials are not right.
        :raises Unavailable: Keystone is away.
        """
        return (await self.present()).value

    def reject(self, token: str) -> None:
        """This token was refused (401): the next one is a new one, unless there is one already."""
        self._keeper.reject(token)

    async def object_store(self, interface: str | None = None) -> str:
        """The URL of our account in the object store: ``https://host/v1/AUTH_project``.

        :param interface: ``None``: the configured one.
        :raises KeystoneRefuses: the catalogue has none in the configured region.
        """
        catalogue = (await self.present()).catalogue
        return catalogue.object_store(interface or self.config.interface, self.config.region)

    async def project_id(self) -> str:
        """The id of the project that our token is for."""
        return (await self.present()).project_id

    async def present(self) -> Token:
        """Our token with all that Keystone told with it; raises as :meth:`token`."""
        return await self._keeper.current()

    async def request(
        self,
        method: str,
        path: str,
        *,
        subject: str | None = None,
        query: dict[str, str] | None = None,
        json: Any = None,
    ) -> Answer:
        """A request with our rights, with a new token if ours was refused.

        :param path: what follows ``/v3``, quoted.
        :param subject: the token that it is about.
        :raises KeystoneRefuses: new tokens are refused as well.
        :raises Unavailable: Keystone is away.
        """
        for pause in (0.0, NEXT_SECOND, None):
            token = await self.token()
            answer = await self.api.request(
                method, path, token=token, subject=subject, query=query, json=json
            )
            if answer.status != UNAUTHORIZED:
                return answer
            self.reject(token)
            if pause:
                await deferLater(self._reactor, pause)
        raise KeystoneRefuses(f"{answer.told} to a token that was just made for {self.credentials}")

    async def _sign_in(self) -> Token:
        answer = await self.api.request("POST", "/auth/tokens", json=self.credentials.request())
        if answer.ok:
            return token_in(answer, self._reactor.seconds())
        if answer.status == UNAUTHORIZED:
            raise KeystoneRefuses(
                f"{self.config.url} refuses the {self.credentials}: a wrong name or password,"
                " no such project, or no role in it ([keystone] in the settings;"
                " stacksync-admin check tells more)"
            )
        raise KeystoneRefuses(
            f"{answer.told} to the {self.credentials}: {reason(answer) or 'no reason told'}"
        )


def keystone_for(reactor: Any, config: KeystoneConfig) -> Keystone:
    """The Keystone of these settings, not yet started.

    :raises ConfigurationError: the file with certificates is not right.
    """
    return Keystone(reactor, config)
