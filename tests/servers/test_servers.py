"""The shared servers give every test a part of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pika
import psycopg2
import pytest

from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer


def test_a_database_comes_and_goes(postgres: PostgresServer) -> None:
    with postgres.database() as dsn, closing(psycopg2.connect(dsn)) as connection:
        assert connection.server_version >= 180000
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(dsn)


def test_a_crashed_database_keeps_what_was_committed(own_postgres: PostgresServer) -> None:
    own_postgres.execute("CREATE TABLE kept (n int)", "stacksync")
    own_postgres.kill()
    own_postgres.start()
    with closing(psycopg2.connect(own_postgres.dsn())) as connection:
        connection.cursor().execute("SELECT n FROM kept")


def test_virtual_hosts_do_not_see_each_other(rabbitmq: RabbitServer) -> None:
    with rabbitmq.vhost() as one, rabbitmq.vhost() as other:
        for vhost in (one, other):
            connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.url(vhost)))
            with closing(connection):
                channel = connection.channel()
                with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
                    channel.queue_declare("mine", passive=True)
                connection.channel().queue_declare("mine")


def test_a_user_logs_in_with_its_own_password_only(rabbitmq: RabbitServer, vhost: str) -> None:
    name = f"anna-{vhost}"
    url = rabbitmq.add_user(name, "secret", vhost)
    pika.BlockingConnection(pika.URLParameters(url)).close()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(url.replace("secret", "wrong")))
    rabbitmq.delete_user(name)


def test_a_restarted_broker_has_the_same_port(own_rabbitmq: RabbitServer) -> None:
    port = own_rabbitmq.port
    own_rabbitmq.kill()
    own_rabbitmq.start()
    assert own_rabbitmq.port == port
    pika.BlockingConnection(pika.URLParameters(own_rabbitmq.url())).close()


def test_several_tests_may_administer_the_broker_at_the_same_time(rabbitmq: RabbitServer) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: rabbitmq.evaluate(f"{number} + 1"), range(40)))
    assert answers == [str(number + 1) for number in range(40)]


def test_a_copy_of_the_template_has_the_schema(database_dsn: str) -> None:
    with closing(psycopg2.connect(database_dsn)) as connection:
        connection.cursor().execute("SELECT email FROM account")
