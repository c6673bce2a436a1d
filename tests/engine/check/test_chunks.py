"""Chunks that are missing or damaged are found, with the versions that need them."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

from pytest_twisted import ensureDeferred

from stacksync.engine.check import Finding
from stacksync.engine.content.chunk_object import encode
from stacksync.streams import BytesStream
from tests.db.builders import new
from tests.engine.content.builders import client_name, noise
from tests.engine.estate import Estate, estate

__all__ = ["estate"]


async def only(estate: Estate, **options: bool) -> Finding:
    (finding,) = await estate.check(**options)
    assert finding.kind == "bad-content"
    assert not finding.repaired
    return finding


def damage(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


@ensureDeferred
async def test_a_lost_chunk_is_told_with_the_version_that_can_take_its_place(
    estate: Estate,
) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"first")
    second = await estate.overwrite(anna, item, b"second")
    estate.paths(anna)[second.chunks[0]].unlink()

    finding = await only(estate)

    assert finding.message == f"/a, version 2: chunk {second.chunks[0]} is missing"
    assert finding.outcome == "version 1 is whole and can be restored"
    assert (finding.item_id, finding.version, finding.chunks) == (item.id, 2, second.chunks)
    assert finding.owner == anna.user.account.email
    tried = await only(estate, repair=True)
    assert tried.outcome == "cannot be repaired: version 1 is whole and can be restored"


@ensureDeferred
async def test_a_chunk_of_an_earlier_version_is_missed_as_well(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"first")
    await estate.overwrite(anna, item, b"second")
    estate.paths(anna)[item.chunks[0]].unlink()

    finding = await only(estate)

    assert finding.version == 1
    assert finding.outcome == "no earlier version is whole"
    assert (await only(estate, content=False)).message == finding.message


@ensureDeferred
async def test_other_bytes_under_the_same_name_are_found_when_content_is_read(
    estate: Estate,
) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"content")
    damage(estate.paths(anna)[item.chunks[0]], encode(b"CONTENT"))

    assert "is damaged: its content does not have the sha256" in (await only(estate)).message
    assert await estate.check(content=False) == []
    damage(estate.paths(anna)[item.chunks[0]], b"this is no gzip stream")
    assert "is damaged: it is no sound gzip stream" in (await only(estate)).message
    damage(estate.paths(anna)[item.chunks[0]], encode(b"content")[:-3])
    assert "is damaged: it is cut short" in (await only(estate)).message


@ensureDeferred
async def test_of_many_bad_chunks_a_few_are_named(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", noise(20_000_000))
    assert len(item.chunks) > 5
    shutil.rmtree(estate.root / "containers" / estate.container(anna))

    message = (await only(estate)).message

    assert message.count("is missing") == 3
    assert message.endswith(f"; and {len(item.chunks) - 3} more")


@ensureDeferred
async def test_chunks_that_do_not_make_up_the_file_are_found(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"content")
    estate.psql.rows("UPDATE item SET size = 8; UPDATE item_version SET size = 8")
    estate.psql.rows("UPDATE account SET quota_used = 8")

    for content in (True, False):
        finding = await only(estate, content=content)
        assert finding.message == "/a, version 1: it should have 8 bytes, but its chunks have 7"
    assert item.size == 7


@ensureDeferred
async def test_a_clients_chunk_is_looked_at_like_our_own(estate: Estate) -> None:
    anna = await estate.person()
    name = client_name(b"plain")
    await estate.engine.chunks.put(
        anna.principal, anna.user.workspace_id, name, BytesStream(gzip.compress(b"plain"))
    )
    await anna.commit(new("a", chunks=(name, name), size=10))
    await estate.is_sound()
    damage(estate.paths(anna)[name], gzip.compress(b"other"))

    assert f"chunk {name} is damaged" in (await only(estate)).message


@ensureDeferred
async def test_an_encrypted_chunk_only_has_to_be_there(estate: Estate) -> None:
    anna = await estate.person()
    estate.psql.rows("UPDATE workspace SET is_encrypted = true")
    await estate.engine.chunks.put(
        anna.principal, anna.user.workspace_id, "chk-1", BytesStream(os.urandom(30))
    )
    await anna.commit(new("a", chunks=("chk-1",), size=10))
    await estate.is_sound()
    estate.paths(anna)["chk-1"].unlink()

    assert (await only(estate)).message == "/a, version 1: chunk chk-1 is missing"


@ensureDeferred
async def test_what_an_interrupted_collection_and_expired_uploads_leave_is_noted(
    estate: Estate,
) -> None:
    anna = await estate.person()
    estate.psql.rows(
        "INSERT INTO doomed_chunk (workspace_id, name) VALUES (%s, 'x')", anna.user.workspace_id
    )
    check = estate.new_check()
    await check.run()
    assert check.findings.remaining == 0
    assert check.notes == ["1 chunks are on the list of a gc that was interrupted"]


@ensureDeferred
async def test_a_chunk_that_was_collected_and_comes_again_meanwhile_is_not_missing(
    estate: Estate,
) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"first")
    await estate.overwrite(anna, item, b"second")
    chunk = estate.paths(anna)[item.chunks[0]]
    away = estate.root / "away"
    steps: list[str] = []

    def meanwhile(doing: str) -> None:
        steps.append(doing.partition(": ")[2])
        if steps.count("gathering the chunks of all versions") == 2 and not away.exists():
            estate.psql.rows("CREATE TABLE past AS SELECT * FROM item_version WHERE version = 1")
            estate.psql.rows("DELETE FROM item_version WHERE version = 1")
            chunk.rename(away)
        elif steps[-1].endswith("chunks looked at"):
            away.rename(chunk)
            estate.psql.rows("INSERT INTO item_version SELECT * FROM past")

    assert await estate.check(progress=meanwhile) == []

    assert "2 of 2 chunks looked at" in steps
    assert chunk.exists()
