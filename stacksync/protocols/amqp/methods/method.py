"""What a remote method is: a coroutine, and what its errors are called in Java."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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


def as_it_is(result: Any) -> Any:
    return result


@frozen
class Method:
    """A method of ``ISyncService``.

    :ivar errors: what its errors are called in Java, where that is special.
    :ivar names: what this protocol calls the engine's parameters, where it is another name.
    :ivar encode: makes the response's ``result`` of what the call returns; not
        called when nobody wants a response.
    """

    call: Callable[[Call], Awaitable[Any]]
    errors: ErrorNames = Factory(dict)
    names: Mapping[str, str] = Factory(dict)
    encode: Callable[[Any], Any] = as_it_is


Methods = dict[str, Method]
