"""A service that speaks TLS, its files, and people who come to it."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.servers.certificates import Authority
from tests.servers.stacksync import KnownUser, StackSyncProcess

HOST = "127.0.0.1"
PATIENCE = 60.0


def until(condition: Callable[[], bool], told: Callable[[], str]) -> None:
    """Wait until a condition holds, or fail with what is told."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.01)


class Secured:
    """The service and its files.

    :ivar certificate: its own, with the key.
    :ivar trusted: who may have signed the broker's.
    :ivar questions: the port on which the broker may ask.
    """

    def __init__(
        self, server: StackSyncProcess, authority: Authority, directory: Path, questions: int
    ) -> None:
        self.server = server
        self.questions = questions
        self.authority = authority
        self.certificate = directory / "server.pem"
        self.trusted = directory / "trusted.pem"

    @property
    def port(self) -> int:
        return int(self.server.http_url.rpartition(":")[2])

    def hang_up(self) -> None:
        os.kill(self.server.pid, signal.SIGHUP)

    def shown(self) -> int:
        """The serial number of the certificate that a new connection is shown."""
        context = ssl.create_default_context(cafile=self.authority.file)
        with (
            socket.create_connection((HOST, self.port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as secure,
        ):
            return int((secure.getpeercert() or {})["serialNumber"], 16)

    def session(self, user: KnownUser) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.authority.file)
        session.auth = (user.email, user.password)
        return session

    def token(self, user: KnownUser) -> str:
        with self.session(user) as session:
            url, order = f"{self.server.http_url}/api/tokens", {"name": "laptop"}
            return str(session.post(url, json=order, timeout=PATIENCE).json()["token"])

    def waits_for_log(self, text: str, after: int = 0) -> None:
        log = self.server.log_text
        until(lambda: text in log()[after:], log)


class Load:
    """Requests all the time, on kept connections and on new ones.

    :ivar failures: those that were not answered with 200.
    """

    def __init__(self, secured: Secured, user: KnownUser) -> None:
        self.answered = [0, 0]
        self.failures: list[str] = []
        self._secured = secured
        self._user = user
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(kept,)) for kept in (0, 1)]
        for thread in self._threads:
            thread.start()

    def goes_on(self, requests_more: int = 5) -> None:
        """Wait until both kinds have been answered some more."""
        wanted = [count + requests_more for count in self.answered]
        until(
            lambda: all(now >= then for now, then in zip(self.answered, wanted, strict=True)),
            lambda: str(self.failures),
        )

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self, kept: int) -> None:
        url = f"{self._secured.server.http_url}/api/account"
        with self._secured.session(self._user) as session:
            while not self._ending.wait(0.01):
                try:
                    answer = session.get(url, timeout=PATIENCE)
                    if answer.status_code != 200:
                        self.failures.append(answer.text)
                except requests.RequestException as error:
                    self.failures.append(repr(error))
                self.answered[kept] += 1
                if not kept:
                    session.close()
