"""An operator looks what there is left to do, what is in its way, and has it tried again."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import define

from tests.admin_cli.operator import Caretaker
from tests.db.observation import Psql

ABOUT = '{"container": "c-1"}'


@define
class Office:
    """An operator, and a database with jobs."""

    caretaker: Caretaker
    psql: Psql

    def types(self, *arguments: str, status: int = 0) -> str:
        answer = self.run(*arguments)
        assert answer.returncode == status, answer.stderr
        return answer.stdout if status == 0 else answer.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.caretaker.types("jobs", *arguments)

    def add(self, kind: str = "copy", about: str = ABOUT, **columns: object) -> int:
        job_id: int = self.psql.value(
            "SELECT job_added(%s, 'content:c-1', %s, NULL, NULL)", kind, about
        )
        for name, value in columns.items():
            self.psql.rows(f"UPDATE job SET {name} = %s WHERE id = {job_id}", value)
        return job_id


@pytest.fixture
def office(new_directory: Callable[[str], Path], database_dsn: str) -> Iterator[Office]:
    with closing(Psql(database_dsn)) as psql:
        yield Office(Caretaker(new_directory("office"), database_dsn), psql)


def test_a_list_has_what_is_not_done_with_what_is_in_its_way(office: Office) -> None:
    assert office.types("list") == "There is nothing to do.\n"
    done = office.add(finished_at="2026-01-01T00:00:00Z")
    copying = office.add(progress=6200, total=10000)
    failed = office.add(
        "remove-container", attempts=3, problem="storage: away\x1b[31m", run_at="2100-01-01"
    )

    lines = office.types("list").splitlines()

    assert [re.split(r" {2,}", line) for line in lines] == [
        ["Id", "Kind", "About", "State", "Progress", "Tries", "Problem"],
        [str(copying), "copy", "c-1", "waiting", "6,200 of 10,000", "0"],
        [str(failed), "remove-container", "c-1", "waiting", "3", "storage: away\ufffd[31m"],
    ]
    ids = [job["id"] for job in json.loads(office.types("list", "--all", "--json"))["jobs"]]
    assert ids == [done, copying, failed]


def test_one_job_is_shown_with_all_there_is_to_know(office: Office) -> None:
    first = office.add("container", '{"workspace_id": "w-1"}')
    job_id = office.add(
        progress=6200, total=10000, attempts=2, problem="storage: 503 from Swift",
        run_at="2100-01-01T00:00:00Z", after_id=first,
    )  # fmt: skip

    text = office.types("show", str(job_id))
    document = json.loads(office.types("show", str(job_id), "--json"))

    for line in (
        "Progress   6,200 of 10,000 chunks",
        "Container  c-1",
        f"After      job {first} (container), which is not done yet",
        "Tries      2 in vain",
        "Problem    storage: 503 from Swift",
    ):
        assert f"{line}\n" in text
    assert re.search(r"Next try   in \d+ s, 2100-01-01 00:00:00 UTC\n", text)
    assert (document["kind"], document["state"], document["attempts"]) == ("copy", "waiting", 2)
    assert document["arguments"] == {"container": "c-1"}
    assert (document["progress"], document["total"], document["after_id"]) == (6200, 10000, first)
    assert document["run_at"] == "2100-01-01T00:00:00.000+00:00"
    assert document["finished_at"] is None
    office.psql.rows("UPDATE job SET finished_at = now() WHERE id = %s", first)
    assert "After" not in office.types("show", str(job_id))


def test_what_is_tried_again_need_not_wait(office: Office) -> None:
    failed = office.add(attempts=1, run_at="2100-01-01")
    other = office.add(attempts=5, run_at="2100-01-01")
    delayed = office.add(run_at="2100-01-01")

    def waiting() -> list[int]:
        rows = office.psql.rows("SELECT id FROM job WHERE run_at > now() ORDER BY id")
        return [row[0] for row in rows]

    text = office.types("retry", str(failed))
    assert text == f"Job {failed} is tried again as soon as the service looks.\n"
    assert waiting() == [other, delayed]
    office.psql.rows("UPDATE job SET attempts = 0 WHERE id = %s", failed)
    assert json.loads(office.types("retry", "--all", "--json")) == {"retried": [other]}
    assert waiting() == [delayed]


def test_a_job_that_is_not_there_is_said_not_to_be(office: Office) -> None:
    for verb in ("show", "retry"):
        assert office.types(verb, "4711", status=1) == "stacksync-admin: no such job: 4711\n"
    assert "one of the arguments ID --all is required" in office.types("retry", status=2)


def test_jobs_of_a_newer_program_are_shown(office: Office) -> None:
    job_id = office.add("conjure", '{"rabbit": "white"}')
    assert "conjure" in office.types("list")
    assert "Rabbit    white\n" in office.types("show", str(job_id))
