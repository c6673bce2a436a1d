"""A token of the service's own, and what Keystone tells with it."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from attrs import field, frozen

from stacksync.http_client import Answer, NoAnswer
from stacksync.storage.keystone.catalogue import Catalogue


@frozen
class Token:
    """Good for one project.

    :ivar value: what goes into ``X-Auth-Token``.
    :ivar renew_at: when it is time for the next one, in seconds of our clock.
    :ivar spent_at: when no request is begun with it any more.
    :ivar roles: the names of the roles that we have in the project.
    """

    value: str = field(repr=False)
    user_id: str
    user_name: str
    user_domain_id: str
    project_id: str
    project_name: str
    roles: frozenset[str]
    catalogue: Catalogue = field(repr=False)
    renew_at: float
    spent_at: float


def token_in(answer: Answer, now: float) -> Token:
    """The token that ``POST /auth/tokens`` answered with.

    Only how long it lives is taken from Keystone's clock, never what time it is.

    :param now: the present time of our clock, in seconds.
    :raises NoAnswer: the answer is not one of Keystone's.
    """
    value, document = answer.header("X-Subject-Token"), answer.json()
    try:
        body: dict[str, Any] = document["token"]
        lifetime = (time_of(body["expires_at"]) - time_of(body["issued_at"])).total_seconds()
        if not value:
            raise KeyError("X-Subject-Token")
        # Keystone counts in whole seconds, and a request takes its time.
        usable = lifetime - 1.0 - min(30.0, lifetime * 0.1)
        return Token(
            value,
            user_id=body["user"]["id"],
            user_name=body["user"]["name"],
            user_domain_id=body["user"]["domain"]["id"],
            project_id=body["project"]["id"],
            project_name=body["project"]["name"],
            roles=frozenset(role["name"] for role in body.get("roles", ())),
            catalogue=Catalogue(body.get("catalog", ())),
            # Not all instances at the same moment.
            renew_at=now + usable * random.uniform(0.75, 0.85),
            spent_at=now + usable,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoAnswer(answer.part, f"{answer.told}, but not with a token for a project") from None


def time_of(text: str) -> datetime:
    """A time as Keystone writes it: ``2026-01-31T09:30:00.000000Z``."""
    return datetime.fromisoformat(text)
