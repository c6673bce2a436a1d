"""A service that is reached by TLS, and reaches its broker so: as an operator runs it."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.fleet import Fleet
from tests.servers.certificates import Authority, new_authority, self_signed
from tests.servers.client_hello import (
    HANDSHAKE_FAILURE,
    PROTOCOL_VERSION,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    hello,
    reaction,
)
from tests.servers.rabbitmq import RabbitServer
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser, StackSyncProcess

HOST = "127.0.0.1"
PATIENCE = 20.0


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
    """

    def __init__(self, server: StackSyncProcess, authority: Authority, directory: Path) -> None:
        self.server = server
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

    def waits_for_log(self, text: str, after: int = 0) -> None:
        log = self.server.log_text
        until(lambda: text in log()[after:], log)


@pytest.fixture(scope="module")
def authority(test_run: TestRun) -> Authority:
    return new_authority(test_run.new_directory("authority"))


@pytest.fixture(scope="module")
def secured(
    module_fleet: Fleet,
    module_database_dsn: str,
    module_amqp_url: str,
    rabbitmq: RabbitServer,
    authority: Authority,
    test_run: TestRun,
) -> Iterator[Secured]:
    """Started with trust in another broker than it finds."""
    directory = test_run.new_directory("certificates")
    brokers = authority.issue(HOST, days=30)
    brokers.chmod(0o644)
    with rabbitmq.tls_listener(brokers) as port:
        plain_port = re.search(r":(\d+)/", module_amqp_url)
        assert plain_port is not None
        url = module_amqp_url.replace("amqp:", "amqps:").replace(plain_port[1], str(port))
        pem, trusted = directory / "server.pem", directory / "trusted.pem"
        server = module_fleet.prepare(
            module_database_dsn,
            url,
            http={"certificate": str(pem), "key": str(pem)},
            amqp={"ca_file": str(trusted)},
        )
        server.speaks_tls(authority.file)
        secured = Secured(server, authority, directory)
        authority.issue(HOST, days=30, file=secured.certificate)
        trusted.write_bytes(self_signed(directory, "elsewhere").read_bytes())
        server.spawn()
        server.wait_for_status(503)
        yield secured
        server.terminate()


@pytest.fixture(scope="module")
def user(secured: Secured) -> KnownUser:
    return secured.server.add_user("anna@example.org")


def test_a_broker_that_is_not_trusted_is_joined_when_it_is(secured: Secured) -> None:
    server = secured.server
    secured.waits_for_log(
        "broker: the server's certificate is signed by nobody whom we trust:"
        " let [amqp] ca_file name the certificate of who signed it; trying again"
    )
    secured.trusted.write_bytes(secured.authority.file.read_bytes())
    secured.hang_up()

    server.wait_until_ready()
    secured.waits_for_log("broker: connected to")


def test_people_come_by_tls(secured: Secured, user: KnownUser) -> None:
    with secured.session(user) as session:
        answer = session.get(f"{secured.server.http_url}/api/account", timeout=PATIENCE)

    assert answer.json()["email"] == user.email
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert f"HTTP on {secured.server.http_url}" in secured.server.log_text()


def test_only_what_is_safe_is_offered(secured: Secured, user: KnownUser) -> None:
    good, weak = [0xC02B, 0xC02F], [0xC009, 0xC013, 0x009C, 0x002F, 0x000A, 0x0005]
    for version in (TLS_1_0, TLS_1_1):
        assert reaction(secured.port, hello(version, good + weak)).alert == PROTOCOL_VERSION
    assert reaction(secured.port, hello(TLS_1_2, weak)).alert == HANDSHAKE_FAILURE
    assert reaction(secured.port, hello(TLS_1_2, [*weak, *good])).cipher in good


def test_plain_http_is_told_where_to_go(secured: Secured, user: KnownUser) -> None:
    answer = requests.get(f"http://{HOST}:{secured.port}/api/account", timeout=PATIENCE)

    assert (answer.status_code, answer.json()["description"]) == (
        400,
        "this port speaks TLS: https://",
    )


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


def test_a_new_certificate_is_shown_without_a_failed_request(
    secured: Secured, user: KnownUser
) -> None:
    load = Load(secured, user)
    try:
        before, read = secured.shown(), len(secured.server.log_text())
        load.goes_on()
        for is_rsa in (True, False):
            was = secured.shown()
            secured.authority.issue(HOST, days=30, is_rsa=is_rsa, file=secured.certificate)
            secured.hang_up()
            until(lambda was=was: secured.shown() != was, secured.server.log_text)  # type: ignore[misc]
            load.goes_on()
        after = secured.shown()
        secured.certificate.write_text("half a certif")
        secured.hang_up()
        told = f"[http] certificate: {secured.certificate} has no certificate (PEM) in it"
        secured.waits_for_log(f"{told}; the certificate from before stays in use", read)
        load.goes_on()
    finally:
        load.end()
    assert load.failures == []
    assert secured.shown() == after != before


def test_a_service_whose_key_does_not_fit_does_not_start(
    secured: Secured, module_fleet: Fleet, module_database_dsn: str, test_run: TestRun
) -> None:
    own, other = secured.authority.issue("own"), secured.authority.issue("other")
    server = module_fleet.prepare(
        module_database_dsn, http={"certificate": str(own), "key": str(other)}
    )
    server.spawn()
    until(lambda: not server.running, server.log_text)

    assert (
        f"StackSync cannot start: [http] key: the key in {other} is not that of the certificate"
        f" in {own}"
    ) in server.log_text()
