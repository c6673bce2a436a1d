"""A service that is reached by TLS, and reaches its broker so: as an operator runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pika
import pika.exceptions
import pytest
import requests

from stacksync.embedded.ports import choose
from tests.examples.running import Person
from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.secured_service import HOST, PATIENCE, Load, Secured, until
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
from tests.servers.stacksync import KnownUser

SECRET = "shown-by-the-broker"


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
    directory = test_run.new_directory("certificates")
    brokers = authority.issue(HOST, days=30)
    brokers.chmod(0o644)
    # By name: Erlang does not find the address that a certificate is for.
    asked = authority.issue("localhost", days=30)
    (questions,) = choose(1)
    with rabbitmq.tls_listener(brokers) as port:
        plain_port = re.search(r":(\d+)/", module_amqp_url)
        assert plain_port is not None
        url = module_amqp_url.replace("amqp:", "amqps:").replace(plain_port[1], str(port))
        pem, trusted = directory / "server.pem", directory / "trusted.pem"
        server = module_fleet.prepare(
            module_database_dsn,
            url,
            http={"certificate": str(pem), "key": str(pem)},
            amqp={
                "ca_file": str(trusted),
                "identity": "broker",
                "auth_listen": f"ssl:{questions}:privateKey={asked}:interface={HOST}",
                "auth_secret": SECRET,
            },
        )
        server.speaks_tls(authority.file)
        secured = Secured(server, authority, directory, questions)
        authority.issue(HOST, days=30, file=secured.certificate)
        trusted.write_bytes(authority.file.read_bytes())
        server.start()
        yield secured
        server.terminate()


@pytest.fixture(scope="module")
def user(secured: Secured) -> KnownUser:
    return secured.server.add_user("anna@example.org")


def test_a_broker_that_is_not_trusted_is_joined_when_it_is(
    secured: Secured, rabbitmq: RabbitServer, module_amqp_url: str
) -> None:
    server = secured.server
    right, begun = secured.trusted.read_bytes(), len(server.log_text())
    secured.trusted.write_bytes(self_signed(secured.trusted.parent, "elsewhere").read_bytes())
    secured.hang_up()
    secured.waits_for_log("SIGHUP: reading the certificates anew", begun)

    rabbitmq.close_connections(module_amqp_url.rpartition("/")[2])

    secured.waits_for_log(
        "broker: the server's certificate is signed by nobody whom we trust:"
        " let [amqp] ca_file name the certificate of who signed it; trying again",
        begun,
    )
    server.wait_for_status(503)
    secured.trusted.write_bytes(right)
    secured.hang_up()
    server.wait_until_ready()


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


def test_a_broker_elsewhere_asks_by_tls_whom_it_trusts(
    secured: Secured,
    user: KnownUser,
    rabbitmq: RabbitServer,
    module_amqp_url: str,
    test_run: TestRun,
) -> None:
    place, token = module_amqp_url.rpartition("@")[2], secured.token(user)
    asks = f"https://{{}}:{secured.questions}/broker/{{{{}}}}?secret={SECRET}"
    stranger = new_authority(test_run.new_directory("stranger"))

    with rabbitmq.asking(asks.format("localhost"), secured.authority.file):
        laptop = AmqpDevice(f"amqp://{user.id}:{token}@{place}", user, str(user.id))
        assert laptop.account()["email"] == user.email
        laptop.close()
    for host, authority in (("localhost", stranger), (HOST, secured.authority)):
        with (
            rabbitmq.asking(asks.format(host), authority.file),
            pytest.raises(pika.exceptions.ProbableAuthenticationError),
        ):
            AmqpDevice(f"amqp://{user.id}:{token}@{place}", user)


def test_a_broker_that_asks_in_plain_text_is_told_so(secured: Secured, user: KnownUser) -> None:
    asked = f"http://{HOST}:{secured.questions}/broker/user?secret={SECRET}"

    answer = requests.post(asked, data={"username": user.email}, timeout=PATIENCE)

    assert answer.status_code == 400
    assert answer.json()["description"] == "this port speaks TLS: https://"


def test_the_examples_believe_whom_they_are_told(
    secured: Secured,
    user: KnownUser,
    rabbitmq: RabbitServer,
    module_amqp_url: str,
    tmp_path: Path,
) -> None:
    vhost = module_amqp_url.rpartition("/")[2]
    login = rabbitmq.add_user(user.email, "broker", vhost).partition("://")[2].rpartition("@")[0]
    by_tls = secured.server.amqp_url.rpartition("@")[2]
    http_url, ca = secured.server.http_url, ("--ca", str(secured.authority.file))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "notes.txt").write_text("sun\n")

    def committed(broker: str, *options: str) -> tuple[int, str]:
        person = Person(user, f"amqps://{login}@{broker}", http_url, tmp_path / "state")
        done = person.commit_tree(tmp_path / "tree", "amqp", "--http-url", http_url, *options)
        return done.status, done.text

    try:
        status, told = committed(by_tls, *ca)
        assert (status, told[:16]) == (0, "1 folder, 1 file")
        for broker, options, problem in (
            (by_tls, (), f"{by_tls.rpartition('/')[0]} can't prove who it is: "),
            (by_tls.replace(HOST, "localhost"), ca, "Hostname mismatch"),
        ):
            status, told = committed(broker, *options)
            assert status
            assert problem in told
    finally:
        rabbitmq.delete_user(user.email)


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
