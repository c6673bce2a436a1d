"""Content is readable wherever its folder goes, before its chunks are there and after."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from stacksync.model import Item
from tests.db.builders import folder
from tests.engine.conftest import Person
from tests.engine.content.builders import noise
from tests.engine.estate import DAY, Estate, estate
from tests.engine.folders import shared

__all__ = ["estate"]

LARGE = noise(2_500_000)


async def all_done(estate: Estate) -> None:
    """Do what can be done, again and again, until nothing but waiting for devices is left."""
    left = "SELECT count(*) FROM job WHERE kind <> 'notify' AND finished_at IS NULL"
    for _ in range(5):
        await estate.engine.jobs.run_until_idle()
        estate.psql.rows("UPDATE job SET run_at = now() WHERE finished_at IS NULL")
    assert estate.psql.value(left) == 0


async def is_safe(estate: Estate, person: Person, item: Item) -> None:
    """Fail if the content is not what it was now, when all is done, and without the garbage."""
    assert await estate.content(person, item) == LARGE
    estate.age(100 * DAY)
    await estate.collection().run()
    assert await estate.content(person, item) == LARGE
    await all_done(estate)
    assert await estate.content(person, item) == LARGE
    estate.age(100 * DAY)
    await estate.collection().run()
    assert await estate.content(person, item) == LARGE
    await estate.is_sound()


@ensureDeferred
async def test_a_folder_is_shared_and_unshared_faster_than_it_can_be_copied(
    estate: Estate,
) -> None:
    anna, berta = await estate.person(), await estate.person()
    await all_done(estate)
    photos = await anna.item(folder("Photos"))
    item = await estate.upload(anna, "a.bin", LARGE, photos)
    for _ in range(3):
        await shared(anna, photos, berta)
        assert await estate.content(berta, item) == LARGE
        await estate.engine.members.leave(berta.principal, photos.id)
        assert await estate.content(anna, item) == LARGE
    await shared(anna, photos, berta)
    await is_safe(estate, berta, item)


@ensureDeferred
async def test_who_brought_a_file_in_is_gone_before_it_is_copied(estate: Estate) -> None:
    anna, berta = await estate.person(), await estate.person()
    await all_done(estate)
    photos = await anna.item(folder("Photos"))
    item = await estate.upload(berta, "a.bin", LARGE)
    await shared(anna, photos, berta)
    await estate.engine.items.relocate(
        berta.principal, item.id, is_folder=False, name=None, parent_id=photos.id
    )
    await estate.engine.accounts.remove(berta.user.account.id, keep_data=False)
    await is_safe(estate, anna, item)
