"""An operator collects garbage and checks everything, while people have files."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from attrs import define
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from stacksync.config import DatabaseConfig, LimitsConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.engine import engine_on
from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.model import Item
from stacksync.storage import DiskStore
from stacksync.streams import BytesStream
from tests.admin_cli.operator import Caretaker
from tests.db.observation import Psql
from tests.engine.conftest import Person
from tests.engine.estate import DAY, Estate


@define
class Site:
    """A person with files, and who looks after them."""

    estate: Estate
    caretaker: Caretaker
    anna: Person

    async def types(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        answer: subprocess.CompletedProcess[str] = await deferToThread(
            self.caretaker.types, *arguments
        )
        return answer

    async def litter(self, objects: int = 1) -> Item:
        """A file of two versions, and objects that nothing refers to, all of them old."""
        item = await self.estate.upload(self.anna, "a.txt", b"first")
        await self.estate.overwrite(self.anna, item, b"second")
        for number in range(objects):
            content = b"garbage %d" % number
            await self.estate.store.put(
                self.estate.container(self.anna), name_of(content), BytesStream(encode(content))
            )
        self.estate.age(10 * DAY)
        return item


@pytest_twisted.async_yield_fixture
async def site(new_directory: Callable[[str], Path], database_dsn: str) -> AsyncIterator[Site]:
    caretaker = Caretaker(new_directory("caretaker"), database_dsn, "keep_versions = 1\n")
    database = Database(reactor, DatabaseConfig(url=database_dsn))
    database.start()
    store = DiskStore(reactor, caretaker.objects)
    store.start()
    settings = ServiceConfig(hint_gather=0.001, sweep_interval=3600.0)
    engine = engine_on(database, reactor, settings, LimitsConfig(), lanes=2, store=store)
    with closing(Psql(database_dsn)) as psql:
        estate = Estate(database, caretaker.objects, store, engine, psql)
        yield Site(estate, caretaker, await estate.person())
        engine.stop()
        database.stop()
        await store.stop()


def told(answer: subprocess.CompletedProcess[str], status: int = 0) -> str:
    assert answer.returncode == status, answer.stderr
    assert answer.stderr == ""
    return answer.stdout


# The time that requests under way have to finish is not waited for with a short grace time.
SHORT = ("--older-than", "10ms")


@ensureDeferred
async def test_gc_names_containers_of_no_workspace_and_leaves_them(site: Site) -> None:
    await site.litter()
    await site.estate.store.create_container("stranger")

    text = told(await site.types("gc", *SHORT))
    document = json.loads(told(await site.types("gc", "--json", *SHORT)))

    assert "Container stranger belongs to no workspace of this database" in text
    assert site.estate.container(site.anna) not in document["unknown_containers"]
    assert document["unknown_containers"] == ["stranger"]
    assert "stranger" in await site.estate.store.containers()


@ensureDeferred
async def test_gc_says_what_it_would_remove_and_then_what_it_has(site: Site) -> None:
    await site.litter()
    before = site.estate.chunks(site.anna)

    foreseen = told(await site.types("gc", "--dry-run"))

    assert site.estate.chunks(site.anna) == before
    owner, workspace = site.anna.user.account.email, site.anna.user.workspace_id
    assert foreseen.startswith(f"{owner}, workspace {workspace}: 1 earlier version, 2 chunks (")
    assert "would be removed\n" in foreseen
    assert foreseen.endswith("would be freed in the store.\n")
    done = told(await site.types("gc", *SHORT))
    assert f"{owner}, workspace {workspace}: 1 earlier version, 2 chunks (" in done
    assert "safe only while nobody uploads" in done
    assert site.estate.chunks(site.anna) == {name_of(b"second")}
    assert told(await site.types("gc")) == "There is nothing to remove.\n"


@ensureDeferred
async def test_gc_tells_programs_in_numbers(site: Site) -> None:
    await site.litter(3)
    document = json.loads(told(await site.types("gc", "--json", *SHORT)))
    (workspace,) = document["workspaces"]
    assert not document["dry_run"]
    assert not document["interrupted"]
    assert workspace["id"] == str(site.anna.user.workspace_id)
    assert workspace["owner"] == site.anna.user.account.email
    assert (workspace["versions"], workspace["items"], workspace["uploads"]) == (1, 0, 0)
    assert workspace["chunks"] == 4
    assert workspace["bytes"] > 0


@ensureDeferred
async def test_of_two_at_once_the_second_says_so(site: Site) -> None:
    with closing(psycopg2.connect(site.estate.psql.dsn)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7226473012)")
        for command in (("gc",), ("fsck", "--repair")):
            answer = await site.types(*command)
            assert answer.returncode == 1
            assert answer.stdout == ""
            assert "another stacksync-admin is collecting garbage" in answer.stderr
        assert told(await site.types("fsck")).endswith("No problems were found.\n")


@ensureDeferred
async def test_fsck_is_content_with_what_is_sound(site: Site) -> None:
    await site.litter()
    text = told(await site.types("fsck"))
    assert "1 workspace, 2 chunks, 11 B of content read in" in text
    assert text.endswith("No problems were found.\n")
    document = json.loads(told(await site.types("fsck", "--json", "--no-content")))
    assert document["problems"] == []
    assert (document["remaining"], document["chunks"], document["bytes"]) == (0, 2, 0)


@ensureDeferred
async def test_fsck_says_what_is_wrong_repairs_and_is_content_then(site: Site) -> None:
    item = await site.litter()
    site.estate.psql.rows("UPDATE account SET quota_used = 99")
    site.estate.psql.rows("UPDATE item SET name = E'b\\x1b[31m' WHERE id = %s", item.id)
    owner = site.anna.user.account.email

    found = told(await site.types("fsck"), status=1)

    assert f"{owner}: 99 bytes are counted as used, but the files take 6\n" in found
    assert "/b\N{REPLACEMENT CHARACTER}[31m: it is not what its newest version, 2, says\n" in found
    assert found.endswith("2 problems found; --repair puts right what can be.\n")
    done = told(await site.types("fsck", "--repair"))
    assert "files take 6 - repaired: counted anew\n" in done
    assert done.endswith("2 problems found, all repaired.\n")
    assert told(await site.types("fsck")).endswith("No problems were found.\n")


@ensureDeferred
async def test_what_fsck_cannot_repair_is_said_and_has_status_1(site: Site) -> None:
    item = await site.litter()
    site.estate.paths(site.anna)[name_of(b"second")].unlink()
    text = told(await site.types("fsck", "--repair"), status=1)
    assert (
        f"/a.txt, version 2: chunk {name_of(b'second')} is missing"
        " - cannot be repaired: version 1 is whole and can be restored\n"
    ) in text
    assert text.endswith("1 problem found, 1 could not be repaired.\n")
    document = json.loads(told(await site.types("--json", "fsck"), status=1))
    (problem,) = document["problems"]
    assert problem["kind"] == "bad-content"
    assert (problem["item"], problem["version"]) == (item.id, 2)
    assert problem["chunks"] == [name_of(b"second")]
    assert document["remaining"] == 1


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["gc", "fsck"])
@ensureDeferred
async def test_who_is_interrupted_says_so_and_leaves_nothing_half_done(
    site: Site, command: str, sign: signal.Signals
) -> None:
    await site.litter(20)
    psql = site.estate.psql
    # The command comes as far as this lock.
    with closing(psycopg2.connect(psql.dsn)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        process = site.caretaker.begins(
            command, "--older-than=10ms" if command == "gc" else "--json"
        )
        await deferToThread(until_waiting, psql)
        process.send_signal(sign)
        out, err = await deferToThread(process.communicate, timeout=120)
    assert process.returncode == 130
    assert err == ""
    assert "Interrupted: nothing is half done" in out or json.loads(out)["interrupted"]
    assert told(await site.types("fsck")).endswith("No problems were found.\n")
    await site.estate.until_nobody_collects()
    assert "removed" in told(await site.types("gc", *SHORT))


def until_waiting(psql: Psql) -> None:
    end = time.monotonic() + 120
    while not psql.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    ):
        assert time.monotonic() < end


@ensureDeferred
async def test_who_watches_sees_where_it_is_and_who_reads_json_does_not(site: Site) -> None:
    await site.litter(3)
    for command in (("fsck",), ("gc", *SHORT)):
        status, shown = await deferToThread(site.caretaker.on_a_terminal, *command)
        assert status == 0
        assert site.anna.user.account.email in shown
        assert shown.endswith("\r\x1b[K")
        machine: tuple[int, Any] = await deferToThread(
            site.caretaker.on_a_terminal, *command, "--json"
        )
        assert machine == (0, "")
