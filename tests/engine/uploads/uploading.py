"""What tests of uploads begin with: orders, pieces, and a look at the file that they became."""

from __future__ import annotations

from random import Random
from typing import Any

from stacksync.engine.uploads import Upload, UploadOrder
from stacksync.model import Item
from stacksync.streams import BytesStream, read_all
from tests.db.builders import number
from tests.engine.conftest import Person

SIZE = 3_000_000
CONTENT = Random(42).randbytes(SIZE)


def named(**fields: Any) -> UploadOrder:
    """An order for a new file of :data:`CONTENT`, under a name of its own."""
    return UploadOrder(**{"length": SIZE, "name": f"film-{number()}.bin", **fields})


async def begin(person: Person, order: UploadOrder | None = None) -> Upload:
    return await person.engine.uploads.create(person.principal, order or named())


async def send(
    person: Person, upload: Upload, content: bytes, at: int | None = None, **options: Any
) -> Upload:
    """The upload after one more piece."""
    return await person.engine.uploads.append(
        person.principal,
        upload.id,
        upload.offset if at is None else at,
        BytesStream(content),
        size=len(content),
        **options,
    )


async def content_of(person: Person, item_id: int | None) -> bytes:
    assert item_id is not None
    file = await person.engine.files.open(person.principal, item_id)
    return await read_all(await file.read(0, file.item.size), 10**8)


async def item_of(person: Person, upload: Upload) -> Item:
    assert upload.item_id is not None
    return await person.engine.items.get(person.principal, upload.item_id, is_folder=False)
