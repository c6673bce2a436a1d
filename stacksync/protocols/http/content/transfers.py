"""Contents of files on their way, in or out: each goes on as long as its sign-in holds.

A large one takes hours.  Nothing here knows what is sent, or where to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define

from stacksync.errors import NotAuthenticated

if TYPE_CHECKING:
    from stacksync.model import Principal
    from stacksync.protocols.http.events.sign_ins import StreamSignIns
    from stacksync.protocols.http.request import ApiRequest

HOLDS_NO_MORE = "what you have signed in with holds no more"


@define(eq=False)
class Transfer:
    """The body of one request, or of the answer to it."""

    account_id: UUID
    _request: ApiRequest

    def cut(self) -> None:
        """Let nothing more come or go."""
        if self._request.is_coming:
            self._request.body_fails(NotAuthenticated(HOLDS_NO_MORE))
        else:
            self._request.abort()


@define(eq=False)
class Transfers:
    """All that are under way.

    :param sign_ins: cuts those whose sign-in holds no more.
    """

    _sign_ins: StreamSignIns

    def begin(self, request: ApiRequest, principal: Principal) -> None:
        """From now on until the request is done something is on its way."""
        if request.gone:
            # Nobody would tell that it is over.
            return
        transfer = Transfer(principal.account_id, request)
        self._sign_ins.add(transfer, principal)
        request.notifyFinish().addBoth(lambda _: self._sign_ins.drop(transfer))
