"""Where the object store is that devices reach themselves, as answers tell it."""

from __future__ import annotations

from attrs import frozen


@frozen
class StoragePlace:
    """The object store and the identity service in front of it.

    With a store that devices can't reach, all are ``None`` and nothing is told.

    :ivar url: the public endpoint of the object store, the account included:
        ``https://swift.example.org/v1/AUTH_0123``.
    :ivar project: the project that all containers belong to.
    :ivar auth_url: where devices get their tokens, its version included.
    """

    url: str | None = None
    project: str | None = None
    auth_url: str | None = None

    @property
    def account(self) -> str | None:
        """The account in the object store: the end of its URL."""
        return self.url.rstrip("/").rpartition("/")[2] if self.url is not None else None


NO_PLACE = StoragePlace()


def without_nulls(fields: dict[str, str | None]) -> dict[str, str]:
    """What is known of these (contracts/objectmq.md, *Response*: null may be left out)."""
    return {name: value for name, value in fields.items() if value is not None}
