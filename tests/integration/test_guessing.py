"""Ten thousand guesses: nobody else notices, and the owner is not locked out."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from attrs import define, field

from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

GUESSES = 10_000
PER_SECOND = 900.0
PAUSE = 0.01

LOADED, EBB, QUIET = 1.5, 0.2, 0.5
"""Seconds of guessing; until what was asked then is answered; of no guesses.  In turn, so that
the machine is as busy with other things in the one as in the other."""

# Both are 0.8 to 2.5 on two cores, and up to 4.5 where a dozen others want them as well; somebody
# who waits for one guess alone sees more than 20.
SLOWER, LATER = 10.0, 20.0

UNLIKE = 4.0
"""How much more than somebody who need not sign in others may be slowed down: what the machine
does besides slows down all of them."""

NOBODY = "nobody in particular"

ELSEWHERE, ANYWHERE, NOWHERE = "127.55.5.5", "127.55.5.6", "127.55.5.7"
"""Addresses that nobody has signed in from."""


@define
class Client:
    """Somebody who asks for their account again and again, over one connection.

    :ivar seconds: how long each answer took.
    """

    port: int
    authorization: str
    address: str = "127.0.0.1"
    path: str = "/api/account"
    seconds: list[float] = field(factory=list)
    connection: HTTPConnection = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.connection = HTTPConnection(
            "127.0.0.1", self.port, timeout=30, source_address=(self.address, 0)
        )

    def ask(self, method: str = "GET", path: str | None = None, body: Any = None) -> Any:
        began = time.perf_counter()
        headers = {"Authorization": self.authorization, "Content-Type": "application/json"}
        content = orjson.dumps(body) if body is not None else None
        self.connection.request(method, path or self.path, content, headers)
        answer = self.connection.getresponse()
        told = answer.read()
        self.seconds.append(time.perf_counter() - began)
        assert answer.status in (200, 201), told
        return orjson.loads(told) if told else None


def basic(user: KnownUser) -> str:
    return "Basic " + b64encode(f"{user.email}:{user.password}".encode()).decode()


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str) -> StackSyncProcess:
    """A server that checks a password with each request that has one."""
    return module_fleet.start(module_database_dsn, auth={"credential_cache": "0s"})


Taken = dict[str, list[float]]
"""By who asked: how long the answers took."""


@define
class Crowd:
    """The owner whose password is guessed, in several ways, and somebody else."""

    clients: dict[str, Client]

    def ask_for(self, seconds: float) -> None:
        """Let each ask in turn, some times a second, for that long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for client in self.clients.values():
                client.ask()
                time.sleep(PAUSE)

    def add_to(self, taken: Taken) -> None:
        """Note how long the answers took since the last time."""
        for name, client in self.clients.items():
            taken[name] += client.seconds
            client.seconds.clear()


@pytest.fixture(scope="module")
def owner(people: People) -> KnownUser:
    return people.add()


@pytest.fixture(scope="module")
def crowd(server: StackSyncProcess, owner: KnownUser, people: People) -> Iterator[Crowd]:
    with ExitStack() as connections:

        def client(authorization: str, address: str = "127.0.0.1", **options: str) -> Client:
            made = Client(port_of(server), authorization, address, **options)
            connections.callback(made.connection.close)
            return made

        made = client(basic(owner)).ask("POST", "/api/tokens", {"device": {"name": "laptop"}})
        yield Crowd(
            {
                "owner": client(basic(owner)),
                "owner, elsewhere": client(basic(owner), ELSEWHERE),
                "owner's device": client(f"Bearer {made['token']}", ANYWHERE),
                "somebody else": client(basic(people.add())),
                NOBODY: client("", path="/healthz"),
            }
        )


def port_of(server: StackSyncProcess) -> int:
    port = urlsplit(server.http_url).port
    assert port is not None
    return port


def test_guessers_neither_slow_others_down_nor_lock_the_owner_out(
    server: StackSyncProcess, owner: KnownUser, crowd: Crowd
) -> None:
    quiet: Taken = defaultdict(list)
    loaded: Taken = defaultdict(list)
    ebb: Taken = defaultdict(list)
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.integration.clients.guesser"),
            *(str(port_of(server)), str(GUESSES), str(PER_SECOND), owner.email),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as guesser:
        try:
            while guesser.poll() is None:
                guesser.send_signal(signal.SIGSTOP)
                crowd.ask_for(EBB)
                crowd.add_to(ebb)
                crowd.ask_for(QUIET)
                crowd.add_to(quiet)
                guesser.send_signal(signal.SIGCONT)
                end = time.monotonic() + LOADED
                while guesser.poll() is None and time.monotonic() < end:
                    crowd.ask_for(0.1)
                crowd.add_to(loaded)
            assert guesser.stdout is not None
            told = orjson.loads(guesser.stdout.read())
        finally:
            guesser.kill()
    codes = {int(code): times for code, times in told.items()}
    for taken in (quiet, loaded):
        for seconds in taken.values():
            seconds.sort()

    assert sum(codes.values()) == GUESSES
    assert codes.keys() <= {0, 401, 429}, "and none was right"
    # On a busy machine many an answer is not waited for.
    assert codes[429] > GUESSES / 10, "many are refused before they cost anything"
    noise = max(1.0, median(loaded.pop(NOBODY)) / median(quiet.pop(NOBODY)))
    for name, before in quiet.items():
        during = loaded[name]
        slower = median(during) / median(before)
        assert slower < min(SLOWER, UNLIKE * noise), (name, median(before), median(during), noise)
        late = during[len(during) * 9 // 10] / before[len(before) * 9 // 10]
        assert late < LATER, (name, late)
    with closing(Client(port_of(server), basic(owner), NOWHERE).connection) as connection:
        newcomer = Client(port_of(server), basic(owner), NOWHERE)
        newcomer.connection = connection
        assert newcomer.ask()["email"] == owner.email
