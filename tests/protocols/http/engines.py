"""Engines that do what a real one will not do at command: fail, wait, answer with megabytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from zope.interface import implementer

from stacksync.interfaces import IAuthenticator, IEventSink
from stacksync.model import Principal, SignIn

NOUNS = (
    *("accounts", "devices", "workspaces", "commits", "changes", "versions"),
    *("items", "files", "trash", "chunks", "uploads", "proposals", "members", "metrics"),
    *("oauth", "tokens", "sign_ins"),
)
ANNA = UUID("a44a0000-0000-4000-8000-000000000001")


@implementer(IAuthenticator)
class AnybodyIsAnna:
    """Lets everybody in, as the same account."""

    async def authenticate(self, email: str, password: str, address: str) -> Principal:
        return Principal(ANNA, SignIn.PASSWORD)


class Notifier:
    """Keeps the sinks, for the test to tell them."""

    def __init__(self) -> None:
        self.sinks: list[IEventSink] = []

    def subscribe(self, sink: IEventSink, missed: Callable[[], None]) -> None:
        self.sinks.append(sink)
        self.missed = missed

    def unsubscribe(self, sink: IEventSink) -> None:
        self.sinks.remove(sink)


class Noun:
    """Has the operations that it is given as coroutines."""

    def __init__(self, **operations: Callable[..., Awaitable[Any]]) -> None:
        self.__dict__.update(operations)


class MadeUpEngine:
    """The nouns that a test gives it; the others do nothing, or next to it."""

    sign_ins: Any

    def __init__(self, **nouns: Noun) -> None:
        for name in NOUNS:
            setattr(self, name, nouns.get(name, Noun(**OPERATIONS.get(name, {}))))
        self.notifier = Notifier()


def raising(error: Exception) -> Callable[..., Awaitable[Any]]:
    """An operation that fails."""

    async def operation(*_: Any, **__: Any) -> Any:
        raise error

    return operation


def returning(value: Any) -> Callable[..., Awaitable[Any]]:
    """An operation that has one answer to everything."""

    async def operation(*_: Any, **__: Any) -> Any:
        return value

    return operation


OPERATIONS = {
    "proposals": {"waiting": returning(())},
    "sign_ins": {"holds": returning(True)},
}
