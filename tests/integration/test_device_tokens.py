"""What devices keep instead of the password: useful until it is revoked, and no second longer."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress

import psycopg2
import pytest
import urllib3
from attrs import evolve

from tests.integration.clients.file_client import FileClient
from tests.integration.clients.http_device import EventStream
from tests.integration.clients.token_holder import SOON, TokenHolder, owner
from tests.integration.clients.unread import is_connected
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import until
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess, run_admin

AUTH = {"failure_delay": "10ms"}


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str) -> StackSyncProcess:
    return module_fleet.start(module_database_dsn, auth=AUTH)


@pytest.fixture(scope="module")
def other_server(module_fleet: Fleet, server: StackSyncProcess) -> StackSyncProcess:
    return module_fleet.start(server.database_url, auth=AUTH)


@pytest.fixture(scope="module")
def people(server: StackSyncProcess) -> People:
    return People(server)


def by_its_owner(holder: TokenHolder, _: StackSyncProcess) -> None:
    path = f"/tokens/{holder.told['id']}"
    assert owner(holder.server, holder.user, "DELETE", path).status_code == 204


def by_its_owner_at_the_other_server(holder: TokenHolder, other: StackSyncProcess) -> None:
    path = f"/tokens/{holder.told['id']}"
    assert owner(other, holder.user, "DELETE", path).status_code == 204


def with_its_device(holder: TokenHolder, other: StackSyncProcess) -> None:
    path = f"/devices/{holder.told['device_id']}"
    assert owner(other, holder.user, "DELETE", path).status_code == 204


def by_itself(holder: TokenHolder, _: StackSyncProcess) -> None:
    assert holder.ask("DELETE", f"/tokens/{holder.told['id']}").status_code == 204


def by_the_operator(holder: TokenHolder, _: StackSyncProcess) -> None:
    assert holder.server.admin("token", "revoke", holder.told["id"]) == {"revoked": 1}


def by_the_operator_with_all_others(holder: TokenHolder, _: StackSyncProcess) -> None:
    assert holder.server.admin("token", "revoke", "--all", holder.user.email) == {"revoked": 1}


def by_the_operator_with_its_device(holder: TokenHolder, _: StackSyncProcess) -> None:
    told = holder.server.admin("device", "revoke", holder.told["device_id"])
    assert told == {"revoked": holder.told["device_id"]}


def by_time(holder: TokenHolder, _: StackSyncProcess) -> None:
    with closing(psycopg2.connect(holder.server.database_url)) as connection, connection:
        connection.cursor().execute(
            "UPDATE token SET expires_at = now() WHERE id = %s", [holder.told["id"]]
        )


WAYS: list[Callable[[TokenHolder, StackSyncProcess], None]] = [
    by_its_owner,
    by_its_owner_at_the_other_server,
    with_its_device,
    by_itself,
    by_the_operator,
    by_the_operator_with_all_others,
    by_the_operator_with_its_device,
]


@pytest.fixture
def streams() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize("end", [*WAYS, by_time], ids=lambda way: way.__name__)
def test_a_token_ends_everywhere_at_once(
    server: StackSyncProcess,
    other_server: StackSyncProcess,
    user: KnownUser,
    streams: ExitStack,
    end: Callable[[TokenHolder, StackSyncProcess], None],
) -> None:
    holder = TokenHolder(server, user)
    mine = EventStream(server.http_url, user)
    streams.callback(mine.close)
    assert mine.next(SOON)[0] == "hello"
    opened = [holder.listen(at) for at in (server, other_server)]
    for stream in opened:
        streams.callback(stream.close)
    # Both remember the token now.
    assert [holder.status(at) for at in (server, other_server)] == [200, 200]

    end(holder, other_server)

    for stream in opened:
        with pytest.raises(EOFError):
            stream.next(SOON)
    assert [holder.status(at) for at in (server, other_server)] == [401, 401]
    # Who has signed in otherwise hears on.
    assert owner(server, user, "POST", "/folder", json={"name": "f"}).ok
    assert mine.next(SOON)[0] == "commit"


def test_a_token_that_lasts_seconds_is_refused_after_them(
    server: StackSyncProcess, user: KnownUser, streams: ExitStack
) -> None:
    # Long enough to come in with, however slow the machine is.
    holder = TokenHolder(server, user, expires_in=5)
    assert holder.status() == 200
    stream = holder.listen()
    streams.callback(stream.close)
    with pytest.raises(EOFError):
        stream.next(SOON)
    assert holder.status() == 401
    listed = owner(server, user, "GET", "/tokens").json()["tokens"]
    assert holder.told["id"] not in [each["id"] for each in listed]


def test_a_token_for_reading_reads_all_and_changes_nothing(
    server: StackSyncProcess, user: KnownUser
) -> None:
    with closing(FileClient(server.http_url, user)) as files:
        file = files.upload("letter", b"dear all")
    reader = TokenHolder(server, user, scope="read-only")

    assert reader.ask("GET", f"/file/{file['id']}/data").content == b"dear all"
    assert reader.ask("PUT", f"/file/{file['id']}/data", data=b"x").status_code == 403
    assert reader.ask("DELETE", f"/file/{file['id']}").status_code == 403
    assert reader.ask("GET", f"/file/{file['id']}/data").content == b"dear all"


def test_a_token_for_reading_can_be_given_up_by_whoever_holds_it(
    server: StackSyncProcess, user: KnownUser
) -> None:
    reader, other = TokenHolder(server, user, scope="read-only"), TokenHolder(server, user)
    assert reader.ask("DELETE", f"/tokens/{other.told['id']}").status_code == 403
    assert reader.ask("DELETE", f"/devices/{reader.told['device_id']}").status_code == 403

    by_itself(reader, server)

    assert (reader.status(), other.status()) == (401, 200)


def test_a_body_that_is_on_its_way_in_ends_with_the_token(
    server: StackSyncProcess, other_server: StackSyncProcess, user: KnownUser, streams: ExitStack
) -> None:
    holder = TokenHolder(server, user)
    host, port = server.http_url.removeprefix("http://").split(":")
    sending = streams.enter_context(socket.create_connection((host, int(port)), timeout=SOON))
    sending.sendall(
        (
            "POST /api/file?name=late HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            "Content-Type: application/octet-stream\r\nExpect: 100-continue\r\n"
            f"Authorization: {holder.headers['Authorization']}\r\n\r\n"
        ).encode()
    )
    # Somebody reads it, so that who sends has been let in.
    assert sending.recv(4096).startswith(b"HTTP/1.1 100 ")
    sending.sendall(b"x" * 10)

    by_its_owner_at_the_other_server(holder, other_server)

    assert sending.recv(4096).startswith(b"HTTP/1.1 401 ")
    listed = owner(server, user, "GET", "/folder/0/contents").json()
    assert listed["contents"] == []


def test_a_content_that_is_on_its_way_out_ends_with_the_token(
    server: StackSyncProcess, other_server: StackSyncProcess, user: KnownUser, streams: ExitStack
) -> None:
    holder = TokenHolder(server, user)
    size = 32 * 1024**2
    with closing(FileClient(server.http_url, user)) as files:
        file = files.upload("film", bytes(size))
    answer = holder.ask("GET", f"/file/{file['id']}/data", stream=True)
    streams.callback(answer.close)
    taken = len(answer.raw.read(1024))

    by_its_owner_at_the_other_server(holder, other_server)
    # Before the rest is read: there is no telling how fast that would be.
    until(lambda: not is_connected(answer), "the server has hung up")
    assert holder.status() == 401

    with suppress(urllib3.exceptions.HTTPError, OSError):
        while piece := answer.raw.read(1024**2):
            taken += len(piece)
    assert taken < size, "all of it has come"


@pytest.mark.parametrize("whose", ["revoked", "somebody else's"])
def test_with_the_password_nobody_acts_or_listens_as_a_device_that_is_not_there(
    server: StackSyncProcess, people: People, user: KnownUser, whose: str
) -> None:
    at_home = TokenHolder(server, user if whose == "revoked" else people.add())
    named = {"StackSync-Device": at_home.told["device_id"]}
    if whose == "revoked":
        assert owner(server, user, "GET", "/account", headers=named).status_code == 200
        with_its_device(at_home, server)

    for path in ("/account", "/workspaces", "/events"):
        answer = owner(server, user, "GET", path, headers=named, stream=True)
        assert answer.status_code == 404, path
        assert at_home.told["device_id"] in answer.json()["description"]


def test_a_thief_of_a_token_can_not_outlive_it_nor_lock_its_owner_out(
    server: StackSyncProcess, user: KnownUser
) -> None:
    stolen = TokenHolder(server, user)

    assert stolen.ask("POST", "/tokens", json={}).status_code == 403
    others = owner(server, user, "POST", "/tokens", json={"name": "phone"}).json()["id"]
    assert stolen.ask("DELETE", f"/tokens/{others}").status_code == 403
    assert [each["id"] for each in stolen.ask("GET", "/tokens").json()["tokens"]] == [
        stolen.told["id"]
    ]
    by_its_owner(stolen, server)
    assert stolen.status() == 401


def test_the_operator_sees_tokens_and_devices_but_no_secret(
    server: StackSyncProcess, user: KnownUser
) -> None:
    holder = TokenHolder(server, user, scope="read-only")

    (token,) = server.admin("token", "list", user.email)["tokens"]
    (device,) = server.admin("device", "list", user.email)["devices"]
    everybodys = run_admin(server.directory, "-c", str(server.configuration), "token", "list")

    told = holder.told
    assert (token["id"], token["scope"]) == (told["id"], "read-only")
    assert (device["id"], device["name"]) == (told["device_id"], "laptop")
    assert token["email"] == device["email"] == user.email
    (line,) = [each for each in everybodys.stdout.splitlines() if told["id"] in each]
    assert line.split()[1:3] == [user.email, "laptop"]
    assert holder.told["token"] not in everybodys.stdout
    assert holder.told["token"] not in server.log_text()


def a_new_one_of_the_owner_s(server: StackSyncProcess, user: KnownUser) -> KnownUser:
    changed = evolve(user, password="four words nobody combines")
    answer = owner(server, user, "PUT", "/account/password", json={"password": changed.password})
    assert answer.status_code == 204, answer.text
    return changed


def a_new_one_of_the_operator_s(server: StackSyncProcess, user: KnownUser) -> KnownUser:
    told = server.admin("user", "passwd", user.email)
    assert told["revoked"] == 1
    return evolve(user, password=told["password"])


@pytest.mark.parametrize(
    "renew", [a_new_one_of_the_owner_s, a_new_one_of_the_operator_s], ids=lambda way: way.__name__
)
def test_with_the_password_all_ends_that_it_has_given_out(
    server: StackSyncProcess,
    other_server: StackSyncProcess,
    user: KnownUser,
    streams: ExitStack,
    renew: Callable[[StackSyncProcess, KnownUser], KnownUser],
) -> None:
    holder = TokenHolder(server, user)
    opened = [holder.listen(), EventStream(other_server.http_url, user)]
    assert opened[1].next(SOON)[0] == "hello"
    for stream in opened:
        streams.callback(stream.close)
    assert [holder.status(at) for at in (server, other_server)] == [200, 200]

    changed = renew(server, user)

    for stream in opened:
        with pytest.raises(EOFError):
            stream.next(SOON)
    for at in (server, other_server):
        assert holder.status(at) == 401
        assert owner(at, user, "GET", "/account").status_code == 401
        assert owner(at, changed, "GET", "/account").status_code == 200
