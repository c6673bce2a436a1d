"""A container's access list as data: parsed, changed element by element, written.

The rules are Swift's (``swift.common.middleware.acl`` and ``keystoneauth``): a
list of elements with commas between, of which ``<project id>:<user id>``
lets one user in.  Pure: no requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import evolve, frozen

USER_ID = re.compile(r"[0-9a-f]{32,64}")
"""Keystone's ids of users: 32 hexadecimal digits, 64 for those of another directory."""


@frozen
class AccessList:
    """Elements in the order that they have in Swift."""

    elements: tuple[str, ...] = ()

    @classmethod
    def parse(cls, header: str) -> AccessList:
        """From the value of ``X-Container-Read`` or ``-Write``."""
        stripped = (each.strip() for each in header.split(","))
        return cls(tuple(each for each in stripped if each))

    def format(self) -> str:
        """As the header's value; empty if nobody is on the list."""
        return ",".join(self.elements)

    def users(self, project_id: str) -> frozenset[str]:
        """The users of a project who are on the list by their ids."""
        found = (_user_of(each, project_id) for each in self.elements)
        return frozenset(each for each in found if each is not None)

    def granting(self, project_id: str, user_id: str) -> AccessList:
        """With this user; the same list if it has him already."""
        if user_id in self.users(project_id):
            return self
        return evolve(self, elements=(*self.elements, f"{project_id}:{user_id}"))

    def revoking(self, project_id: str, user_id: str) -> AccessList:
        """Without this user; the same list if he is not on it."""
        kept = tuple(each for each in self.elements if _user_of(each, project_id) != user_id)
        return self if kept == self.elements else evolve(self, elements=kept)

    def with_users(self, project_id: str, user_ids: Iterable[str]) -> AccessList:
        """With exactly these users of the project; all other elements stay as they are."""
        wanted = set(user_ids)
        changed = self
        for user_id in sorted(self.users(project_id) - wanted):
            changed = changed.revoking(project_id, user_id)
        for user_id in sorted(wanted):
            changed = changed.granting(project_id, user_id)
        return changed


def is_user_id(text: str) -> bool:
    """Whether it is what Keystone calls a user, and so may be on a list of ours."""
    return USER_ID.fullmatch(text) is not None


def _user_of(element: str, project_id: str) -> str | None:
    """The user whom an element of ours names; ``None`` if it is somebody else's element."""
    project, colon, user = element.partition(":")
    return user if colon and project == project_id and is_user_id(user) else None
