"""Where the database, the broker and our own port are; and that passwords stay hidden."""

from __future__ import annotations

import pytest

from stacksync.config.addresses import (
    broker_url,
    database_url,
    listening_endpoint,
    without_password,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("embedded", "embedded"),
        ("postgresql://db/stacksync", "postgresql://db/stacksync"),
        ("postgresql://ada@db/stacksync", "postgresql://ada@db/stacksync"),
        ("postgresql://ada:s3cret@db:5432/x", "postgresql://ada:***@db:5432/x"),
        ("amqp://ada:s3cret@[::1]:5672/%2F", "amqp://ada:***@[::1]:5672/%2F"),
        ("amqp://ada:s3@s3cret@broker/", "amqp://ada:***@broker/"),
        ("amqp://ada:s3/s3cret@broker/", "amqp://ada:***@broker/"),
        ("amqp://:s3cret@broker/", "amqp://:***@broker/"),
        ("ada:s3cret@broker", "ada:***@broker"),
        ("postgresql:/ada:s3cret@db/x", "postgresql:***@db/x"),
        ("postgresql://db/x?password=s3cret&user=ada", "postgresql://db/x?password=***&user=ada"),
        ("postgresql://db/x?sslpassword=s3cret", "postgresql://db/x?sslpassword=***"),
        ("host=db password = s3cret", "host=db password = ***"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "embedded",
        "postgresql://ada:s%40cret@db.example:5432/stacksync",
        "postgres://ada@[::1]:5432/stacksync?sslmode=require",
        "postgresql://first:5432,second/stacksync",
        "postgresql:///stacksync?host=/run/postgresql",
    ],
)
def test_a_database_is_embedded_or_a_libpq_url(url: str) -> None:
    assert database_url().read(url) == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is not embedded or postgresql://"),
        ("Embedded", "is not embedded or postgresql://"),
        ("mysql://db/stacksync", "is not embedded or postgresql://"),
        ("host=db", "is not embedded or postgresql://"),
        ("postgresql://db", "names no database"),
        ("postgresql://db/", "names no database"),
        ("postgresql://db:0/x", "host and port"),
        ("postgresql://db:65536/x", "host and port"),
        ("postgresql://[::1/x", "host and port"),
        ("postgresql://db/my database", "write %20"),
        ("postgresql://ada:s3cret@db:port/x", "host and port"),
        ("postgresql://ada:s3/s3cret@db/x", "write %40 %3A %2F"),
        ("postgresql://ada:s3?s3cret@db/x", "write %40 %3A %2F"),
        ("postgresql://ada:s3#s3cret@db/x", "write %23"),
        ("postgresql:/ada:s3cret@db/x", "is not embedded or postgresql://"),
    ],
)
def test_a_wrong_database_url_is_explained_without_its_password(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        database_url().read(url)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["auto", "off", "amqp://broker", "amqp://ada:pass@broker:5672/%2Fone"]
)
def test_a_broker_is_found_or_left_out_or_named(url: str) -> None:
    assert broker_url().read(url) == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("on", "is not auto, off or amqp://"),
        ("http://broker/", "is not auto, off or amqp://"),
        ("amqp:///vhost", "names no host"),
        ("amqp://ada:s3cret@:5672/", "names no host"),
        ("amqp://broker:99999/", "host and port"),
    ],
)
def test_a_wrong_broker_url_is_explained(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        broker_url().read(url)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    [
        "off",
        "tcp:8080",
        "tcp:port=8080:interface=127.0.0.1",
        "tcp6:8080:interface=\\:\\:1",
        "unix:/run/stacksync/http.socket:mode=660",
        "systemd:domain=INET:index=0",
        "ssl:443:privateKey=/nowhere/key.pem:certKey=/nowhere/cert.pem",
        "ssl:port=443:privateKey=a.pem:extraCertChain=b.pem:interface=\\:\\::backlog=5",
    ],
)
def test_the_server_listens_on_an_endpoint(endpoint: str) -> None:
    assert listening_endpoint().read(endpoint) == endpoint


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        ("", "is not an endpoint"),
        ("8080", "is not an endpoint"),
        ("127.0.0.1:8080", "is not an endpoint"),
        ("tcp:http-alt", "is not an endpoint"),
        ("tcp:8080:host=127.0.0.1", "is not an endpoint"),
        ("tcp:65536", "the largest port is 65535"),
        ("tcp6:port=65536", "the largest port is 65535"),
        ("ssl:65536:privateKey=a.pem", "the largest port is 65535"),
        ("ssl:443", "privateKey is missing"),
        ("ssl:privateKey=a.pem", "the port is missing"),
        ("ssl:443:privateKey=a.pem:certificate=b.pem", "certificate: there are port, privateKey"),
        ("ssl:443:privateKey=a.pem:sslmethod=TLSv1_METHOD", "sslmethod: .*leave it out"),
        ("ssl:443:privateKey=a.pem:dhParameters=dh.pem", "dhParameters: .*leave it out"),
    ],
)
def test_a_wrong_endpoint_is_refused(endpoint: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        listening_endpoint().read(endpoint)
