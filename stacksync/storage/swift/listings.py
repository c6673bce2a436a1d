"""Listings of an account's containers and of a container's objects, a page at a time."""

from __future__ import annotations

from typing import Any

import orjson

from stacksync.errors import ContainerNotFound, InvalidRequest, TooLarge, Unavailable
from stacksync.model import BlobInfo
from stacksync.storage.swift.client import Request, SwiftClient
from stacksync.storage.swift.paths import container_path, page_query
from stacksync.storage.swift.times import from_listing
from stacksync.storage.threads import PART
from stacksync.streams import read_all

LONGEST_PAGE = 1000
"""Names that are asked for at a time; Swift allows 10,000 unless it was told less."""

LONGEST_ANSWER = 16 * 1024 * 1024


class Listings:
    """Reads listings in the byte order of names, which is how Swift's databases sort them."""

    def __init__(self, client: SwiftClient) -> None:
        self._client = client

    async def objects(self, container: str, after: str, limit: int) -> list[BlobInfo]:
        """See :meth:`~stacksync.interfaces.IBlobStore.list`."""
        found = await self._names(container_path(container), after, limit)
        if found is None:
            raise ContainerNotFound(container)
        try:
            return [
                BlobInfo(each["name"], each["bytes"], from_listing(each["last_modified"]))
                for each in found
            ]
        except (KeyError, ValueError) as error:
            raise _senseless(error) from error

    async def containers(self, after: str, limit: int) -> list[str]:
        """See :meth:`~stacksync.interfaces.IBlobStore.containers`."""
        # Where no container was ever made, there may be no account yet.
        found = await self._names("", after, limit) or []
        try:
            return [each["name"] for each in found]
        except KeyError as error:
            raise _senseless(error) from error

    async def _names(self, path: str, after: str, limit: int) -> list[dict[str, Any]] | None:
        if limit < 1:
            raise InvalidRequest("limit", "must be positive")
        found: list[dict[str, Any]] = []
        while len(found) < limit:
            wanted = min(LONGEST_PAGE, limit - len(found))
            page = await self._page(path, after, wanted)
            if page is None:
                return None
            # Entries without a name are "subdirs", which nobody asked for.
            found.extend(page)
            if len(page) < wanted:
                break
            after = page[-1]["name"]
        return found

    async def _page(self, path: str, after: str, limit: int) -> list[dict[str, Any]] | None:
        answer = await self._client.ask(
            Request("GET", path + page_query(after, limit), {200, 204, 404})
        )
        try:
            content = await read_all(answer.body, LONGEST_ANSWER)
            if answer.code == 404:
                return None
            page = orjson.loads(content) if content else []
        except (TooLarge, ValueError) as error:
            raise _senseless(error) from error
        if not isinstance(page, list):
            raise _senseless(TypeError("no list"))
        return page


def _senseless(error: Exception) -> Unavailable:
    return Unavailable(PART, f"Swift's listing makes no sense: {type(error).__name__}: {error}")
