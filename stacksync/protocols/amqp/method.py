"""What a remote method is: a coroutine, and what its errors are called in Java."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import Factory, frozen

from stacksync.model import Principal
from stacksync.protocols.amqp.errors import ErrorNames
from stacksync.protocols.fields import Fields, required, text


@frozen
class Call:
    """One call of a method, by somebody we know."""

    principal: Principal
    fields: Fields

    @property
    def request_id(self) -> str:
        """:raises InvalidRequest: there is none."""
        return str(required(text(self.fields, "requestId"), "requestId"))


@frozen
class Method:
    """A method of ``ISyncService``; what it returns becomes the response's ``result``."""

    call: Callable[[Call], Awaitable[Any]]
    errors: ErrorNames = Factory(dict)


Methods = dict[str, Method]
