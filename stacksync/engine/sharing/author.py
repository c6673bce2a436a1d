"""In whose name people share, accept, unshare and leave: what devices are told of it."""

from __future__ import annotations

from uuid import UUID, uuid4

from attrs import frozen

from stacksync.engine import validation
from stacksync.engine.devices import Devices
from stacksync.model import Principal


@frozen
class Author:
    """In whose name a folder moves: a device, and the request that members are told."""

    device_id: UUID
    request_id: str

    @property
    def move_id(self) -> str:
        """What the versions belong to that a move makes: a request that nobody repeats."""
        return f"share-{uuid4().hex}"


async def author_of(devices: Devices, principal: Principal, request_id: str | None) -> Author:
    """The author of a principal's operation.

    :param request_id: left out, one is made.
    :raises DeviceNotFound: the principal has named a device that is not its own.
    :raises InvalidRequest: nothing can have this request id.
    """
    if request_id is not None:
        validation.check_request_id(request_id)
    return Author(await devices.own(principal), request_id or uuid4().hex)
