"""What the signature of a request is checked against, and that each request counts once.

Looked up before the check, which is pure (:mod:`stacksync.auth.signatures`).
Nothing here tells anybody which applications and tokens there are.
"""

from __future__ import annotations

from stacksync.db.nonces import Nonce, NonceTable, SignerRow
from stacksync.engine import validation
from stacksync.errors import NotAuthenticated

KEY_CHARACTERS = 100
"""More than a key of ours has: a longer one need not be looked for."""

USED = "oauth_nonce: this request was made before; another one needs another nonce"
ENDED = "oauth_token: it was revoked, or has expired"

__all__ = ["ENDED", "Nonce", "SignerRow", "Signers"]


class Signers:
    """Those who sign requests.

    :param clock_skew: seconds that a timestamp may be from an instance's clock.
    """

    def __init__(self, table: NonceTable, clock_skew: float) -> None:
        self._table = table
        self._clock_skew = clock_skew

    async def acting(self, consumer_key: str, token_key: str) -> SignerRow:
        """With what an application signs that acts for somebody."""
        return await self._table.signer(*map(findable, (consumer_key, token_key)))

    async def asking(self, consumer_key: str, request_key: str = "") -> SignerRow:
        """With what an application signs that asks somebody, or is about to."""
        return await self._table.asker(*map(findable, (consumer_key, request_key)))

    async def use(self, signer: SignerRow, nonce: Nonce) -> None:
        """Let a request through whose signature is right, once, if its token holds still.

        :raises NotAuthenticated: it was made before; or the token has ended since.
        """
        assert signer.token_id is not None
        holds, is_new = await self._table.use(nonce, signer.token_id)
        if not holds:
            raise NotAuthenticated(ENDED)
        if not is_new:
            raise NotAuthenticated(USED)

    async def ask(self, nonce: Nonce) -> None:
        """Let a request through whose signature is right, once; it has no access token.

        :raises NotAuthenticated: it was made before.
        """
        if not await self._table.insert(nonce):
            raise NotAuthenticated(USED)

    async def prune(self, now: float) -> int:
        """Forget the nonces of requests whose timestamp would be refused by now.

        :param now: seconds since 1970.
        :returns: how many.
        """
        # Instances' clocks differ, by less than the clocks of applications may.
        return await self._table.prune(int(now - 2 * self._clock_skew) - 60)


def findable(key: str) -> str:
    """The key, or one that nobody has where the database could not hold it."""
    return key if validation.text_problem(key, KEY_CHARACTERS) is None else ""
