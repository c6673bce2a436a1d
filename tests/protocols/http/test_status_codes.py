"""Every code that a call on files, folders, shares, the trash or chunks can get is got here.

``docs/http.rst`` says which those are; what it says and what is tried is the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define
from pytest_twisted import ensureDeferred

from stacksync.config import HttpConfig
from stacksync.errors import Unavailable
from tests.db.conftest import psql
from tests.db.observation import Psql
from tests.protocols.http.client import Client, Response
from tests.protocols.http.conftest import Server, StartSite, User
from tests.protocols.http.engines import NOUNS, MadeUpEngine, raising
from tests.protocols.http.status_codes import CASES, INVITED, LARGEST, Case

__all__ = ["psql"]

DOCUMENTED = Path(__file__).parents[3] / "docs" / "http.rst"
ROW = re.compile(r"^``(GET|POST|PUT|DELETE) (/\S+)`` +(\d{3}(?: \d{3})*)$", re.MULTILINE)
EVERYWHERE = {401, 405, 500, 503}
CONTRACT = {200, 201, 206, 304, 400, 401, 403, 404, 405, 409, 411, 412, 413, 416, 500, 503}


SUCCESSES = [case for case in CASES if case.code < 300]
CALLS = list({case.call: case for case in reversed(SUCCESSES)}.values())
NOBODYS = "00000000-0000-4000-8000-000000000000"
ITEMS = ("file", "folder", "inner", "deleted_file", "deleted_folder", "strangers")
SHARED = ("proposed", "guests", "below_guests")
EXAMPLE = dict.fromkeys((*ITEMS, *SHARED), 7) | dict.fromkeys(
    ("workspace", "made", "accepted", "waiting", "answered"), NOBODYS
)


@pytest.fixture
def settings() -> HttpConfig:
    return HttpConfig(max_file=LARGEST, max_body=LARGEST)


@define
class Stage:
    """Somebody with a file of two versions, folders, deleted ones and a chunk."""

    user: User
    names: dict[str, Any]


@pytest_twisted.async_fixture
async def stage(anna: User, bert: User) -> Stage:
    file, deleted = await anna.upload("file", b"one"), await anna.upload("deleted", b"old")
    folder, gone = await anna.folder("folder"), await anna.folder("gone")
    inner = await anna.folder("inner", parent=folder["id"])
    await anna.replace(file, b"x" * 100)
    await anna.delete(deleted)
    await anna.delete(gone)
    chunk = f"/api/workspaces/{anna.workspace.id}/chunks/here"
    assert (await anna.client.send("PUT", chunk, b"x")).code == 201
    return Stage(
        anna,
        {
            "file": file["id"],
            "folder": folder["id"],
            "inner": inner["id"],
            "deleted_file": deleted["id"],
            "deleted_folder": gone["id"],
            "strangers": (await bert.folder("private"))["id"],
            "workspace": anna.workspace.id,
            **await shares_of(anna, bert),
        },
    )


async def shares_of(anna: User, bert: User) -> dict[str, Any]:
    """What Anna and Bert have proposed to each other, and answered."""
    proposed = (await anna.folder("proposed"))["id"]
    made = await share(anna, proposed, INVITED)
    accepted = await share(anna, (await anna.folder("shared"))["id"], bert.account.email)
    await answer(bert, accepted)
    guests = (await bert.folder("guests"))["id"]
    below_guests = (await bert.folder("below", parent=guests))["id"]
    answered = await share(bert, guests, anna.account.email)
    await answer(anna, answered)
    waiting = await share(bert, (await bert.folder("more"))["id"], anna.account.email)
    return {
        "proposed": proposed,
        "made": made,
        "accepted": accepted,
        "guests": guests,
        "below_guests": below_guests,
        "answered": answered,
        "waiting": waiting,
    }


async def share(owner: User, folder: int, email: str) -> str:
    """The id of a new proposal."""
    told = await owner.client.post(f"/api/folder/{folder}/share", [email])
    assert told.code == 201, told.body
    pending = await owner.client.get(f"/api/folder/{folder}/shares")
    return next(each["id"] for each in pending.json["shares"] if each["email"] == email)


async def answer(addressee: User, proposal: str) -> None:
    told = await addressee.client.post(f"/api/shares/{proposal}/accept", {})
    assert told.code == 200, told.body


async def ask(client: Client, case: Case, names: Mapping[str, Any]) -> Response:
    content = case.content
    if content == {"parent": "{inner}"}:
        content = {"parent": names["inner"]}
    method, path = case.call.split()[0], f"/api{case.path.format(**names)}"
    if case.code == 411:
        return await without_length(client, method, path)
    return await client.request(method, path, content, headers=case.headers, body=case.body)


async def without_length(client: Client, method: str, path: str) -> Response:
    """What a request is answered that says nothing of its body, as no client library lets one."""
    connection = await client.raw()
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    connection.send(f"{head}{client.authorization_line}\r\n")
    told, _, body = (await connection.until_closed()).partition(b"\r\n\r\n")
    return Response(int(told.split()[1]), None, len(body), body)


def changes(case: Case) -> bool:
    return case.code < 300 and not case.call.startswith("GET")


@pytest.mark.parametrize("case", [*filter(changes, CASES)], ids=str)
@ensureDeferred
async def test_a_call_that_changes_something_is_answered_with_this_code(
    stage: Stage, psql: Psql, case: Case
) -> None:
    assert (await answer_to(case, stage, psql)).code == case.code


@pytest.mark.parametrize("call", sorted({case.call for case in CASES}))
@ensureDeferred
async def test_a_call_that_changes_nothing_is_answered_with_these_codes(
    stage: Stage, psql: Psql, call: str
) -> None:
    """All on one stage: whatever one of them did change is there for the next."""
    tried = [case for case in CASES if case.call == call and not changes(case)]

    answers = {str(case): await answer_to(case, stage, psql) for case in tried}

    assert {name: answer.code for name, answer in answers.items()} == {
        str(case): case.code for case in tried
    }
    assert len(answers) == len(tried), "two are named alike"
    for name, answer in answers.items():
        if answer.code >= 400:
            assert answer.json["error"] == answer.code, name
            assert answer.json["description"], name


async def answer_to(case: Case, stage: Stage, psql: Psql) -> Response:
    """What a case gets of whoever is in the role that it says."""
    account, workspace = str(stage.user.account.id), str(stage.user.workspace.id)
    psql.rows(
        "UPDATE membership SET role = %s WHERE account_id = %s AND workspace_id = %s",
        *(case.role, account, workspace),
    )
    psql.rows("UPDATE workspace SET is_encrypted = %s WHERE id = %s", case.is_encrypted, workspace)
    return await ask(stage.user.client, case, stage.names)


@ensureDeferred
async def test_a_stranger_is_asked_to_sign_in(server: Server) -> None:
    for case in CALLS:
        assert (await ask(Client(server.port), case, EXAMPLE)).code == 401, case.call


@ensureDeferred
async def test_what_a_path_is_not_for_is_refused(server: Server) -> None:
    for case in CALLS:
        path = f"/api{case.path.format(**EXAMPLE)}"

        answer = await Client(server.port).request("PATCH", path)

        assert answer.code == 405, case.call
        assert case.call.split()[0] in answer.header("Allow").split(", "), case.call


@pytest.mark.parametrize(
    ("error", "code"), [(Unavailable("database", "away"), 503), (ValueError("a fault"), 500)]
)
@ensureDeferred
async def test_what_goes_wrong_below_is_told(
    start_site: StartSite, error: Exception, code: int
) -> None:
    engine = MadeUpEngine(**{noun: Failing(error) for noun in NOUNS})
    _, client = await start_site(engine)

    for case in CALLS:
        answer = await ask(client, case, EXAMPLE)

        assert answer.code == code, case.call
        assert (answer.header("Retry-After") == "1") is (code == 503), case.call


class Failing:
    """A noun none of whose operations succeeds."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return raising(self._error)


def documented() -> dict[str, set[int]]:
    return {
        f"{method} {path}": {int(code) for code in codes.split()}
        for method, path, codes in ROW.findall(DOCUMENTED.read_text())
    }


def test_what_is_tried_is_what_is_documented() -> None:
    tried: dict[str, set[int]] = {}
    for case in CASES:
        tried.setdefault(case.call, set()).add(case.code)

    assert documented() == tried


def test_no_code_of_the_contract_is_left_out() -> None:
    assert {case.code for case in CASES} | EVERYWHERE >= CONTRACT
