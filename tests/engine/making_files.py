"""Making and reading files, and a body that must not be asked for."""

from __future__ import annotations

from stacksync.engine import Engine
from stacksync.model import Item, Principal
from tests.engine.conftest import Person
from tests.engine.content.builders import Pieces, all_of, in_pieces


class Untouchable(Pieces):
    """A body that must not be asked for."""

    def __init__(self) -> None:
        super().__init__([])

    async def read(self) -> bytes:
        raise AssertionError("the body was read")


async def make(
    engine: Engine,
    who: Person,
    name: str = "file",
    content: bytes = b"x",
    parent: int | None = None,
) -> Item:
    body = in_pieces(content)
    return await engine.files.create(who.principal, name, parent, body, length=len(content))


async def content_of(
    engine: Engine, who: Person | Principal, item: Item, number: int | None = None
) -> bytes:
    principal = who.principal if isinstance(who, Person) else who
    file = await engine.files.open(principal, item.id, number)
    return await all_of(await file.read(0, file.item.size))
