"""Whom sharing is about, in JSON: e-mail addresses, and the role that they get."""

from __future__ import annotations

from typing import Any

from stacksync.engine import validation
from stacksync.engine.sharing.addressees import folded
from stacksync.errors import InvalidRequest
from stacksync.model import Role
from stacksync.protocols.fields import Fields, text

ADDRESSEES_MAX = 100
ROLES = {role.value: role for role in (Role.EDITOR, Role.VIEWER)}


def read_emails(value: Any, where: str) -> tuple[str, ...]:
    """A list of e-mail addresses, none of them twice.

    :param where: what to call the list in an error (``share_to``).
    :raises InvalidRequest: it is no such list; names the place (``share_to[3]``).
    """
    if type(value) is not list:
        raise InvalidRequest(where, "must be a list of e-mail addresses")
    if not value:
        raise InvalidRequest(where, "is empty: name one e-mail address at least")
    if len(value) > ADDRESSEES_MAX:
        raise InvalidRequest(
            where, f"has {len(value)} e-mail addresses; {ADDRESSEES_MAX} are allowed"
        )
    places: dict[str, int] = {}
    for index, email in enumerate(value):
        place = f"{where}[{index}]"
        if type(email) is not str:
            raise InvalidRequest(place, "must be a string")
        try:
            validation.check_email(email)
        except InvalidRequest as error:
            raise InvalidRequest(place, error.problem) from None
        first = places.setdefault(folded(email), index)
        if first != index:
            raise InvalidRequest(place, f"is the same as {where}[{first}]")
    return tuple(value)


def read_role(fields: Fields, name: str) -> Role:
    """What the addressees are to be; left out: editors.

    :raises InvalidRequest: no role that can be given.
    """
    value = text(fields, name)
    if value is None:
        return Role.EDITOR
    if value not in ROLES:
        raise InvalidRequest(name, f"must be one of {', '.join(ROLES)}")
    return ROLES[value]
