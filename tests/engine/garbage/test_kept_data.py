"""``user remove --keep-data``: all that the account had ends up in its containers, and stays."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.model import JobKind
from tests.db.builders import folder
from tests.engine.content.builders import noise
from tests.engine.estate import Estate, estate
from tests.engine.folders import shared

__all__ = ["estate"]

STORE_WORK = (JobKind.CONTAINER, JobKind.COPY, JobKind.REMOVE_CONTAINER)


async def all_done(estate: Estate) -> None:
    """What waits for its time, or for something else, is done as well."""
    for _ in range(5):
        estate.psql.rows("UPDATE job SET run_at = now()")
        await estate.engine.jobs.run_until_idle(STORE_WORK)


@pytest.mark.parametrize("is_unshared", [False, True])
@pytest.mark.parametrize("keep_data", [True, False])
@ensureDeferred
async def test_what_was_still_to_be_copied_is_kept_as_well(
    estate: Estate, keep_data: bool, is_unshared: bool
) -> None:
    anna, berta = await estate.person(), await estate.person()
    home = estate.container(anna)
    (photos,) = await anna.items(folder("Photos"))
    if not is_unshared:
        item = await estate.upload(anna, "a.jpg", noise(1_500_000), photos)
    workspace = await shared(anna, photos, berta)
    place = str(workspace.id)
    if is_unshared:
        await all_done(estate)
        # Stored in the shared container, which is to go now.
        item = await estate.upload(berta, "a.jpg", noise(1_500_000), photos)
        await estate.engine.members.leave(berta.principal, photos.id)
        place = home
    await estate.engine.accounts.remove(anna.user.account.id, keep_data=keep_data)

    # Whatever is tried first: no container goes before its content is elsewhere.
    estate.psql.rows("UPDATE job SET run_at = now()")
    await estate.engine.jobs.run_until_idle([JobKind.REMOVE_CONTAINER])
    await all_done(estate)

    containers = set(await estate.store.containers())
    kept = {each.name for each in await estate.store.list(place)} if keep_data else set()
    assert kept == (set(item.chunks) if keep_data else set())
    assert (home in containers, place in containers) == (keep_data, keep_data)
    assert not is_unshared or str(workspace.id) not in containers
    assert estate.psql.value("SELECT count(*) FROM chunk_copy") == 0
    assert not estate.psql.rows("SELECT id FROM job WHERE finished_at IS NULL AND kind <> 'notify'")


@ensureDeferred
async def test_garbage_collection_spares_what_is_still_to_be_kept(estate: Estate) -> None:
    anna, berta = await estate.person(), await estate.person()
    (photos,) = await berta.items(folder("Photos"))
    await shared(berta, photos, anna)
    item = await estate.upload(anna, "a.jpg", noise(1_500_000), photos)
    # Anna takes it out of Berta's folder: it is hers now, and its chunks are Berta's still.
    await estate.engine.items.relocate(
        anna.principal, item.id, is_folder=False, name=None, parent_id=0, expected=None,
        request_id=None,
    )  # fmt: skip
    own = estate.container(anna)
    await estate.engine.accounts.remove(anna.user.account.id, keep_data=True)
    assert await ChunkCopyTable(estate.database).count(own) == len(item.chunks)
    estate.age(1_000_000)

    await estate.collect(keep_versions=1)
    await all_done(estate)

    assert [each.name for each in await estate.store.list(own)] == sorted(item.chunks)
