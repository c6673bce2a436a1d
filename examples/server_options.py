"""What both examples ask on the command line, and the connections that come of it."""

from __future__ import annotations

import argparse
import getpass
import os
import platform
import ssl
import sys
from urllib.parse import urlsplit

from amqp_connection import AmqpConnection, NotLetIn
from connections import Connection
from device_token import DeviceToken, TokenKeeper
from http_connection import Bearer, HttpConnection
from remembering import Memory
from trust import Trust

AMQP_URL = "amqp://127.0.0.1:5672/"
HTTP_URL = "http://127.0.0.1:8080"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where the server is, and who we are there."""
    parser.add_argument(
        "--via", choices=["amqp", "http"], required=True, help="the protocol to speak"
    )
    parser.add_argument(
        "--url",
        help=f"the broker ($STACKSYNC_AMQP, else {AMQP_URL}) "
        f"or the HTTP server ($STACKSYNC_HTTP, else {HTTP_URL})",
    )
    parser.add_argument(
        *("--http-url", "--content-url"),
        metavar="URL",
        help="with --via amqp: the HTTP server ($STACKSYNC_HTTP), which gives us the token that "
        "the broker wants to see, and takes the content of files.  If the URL of the broker has a "
        "login in it (amqp://user:password@host/), no token is needed; and without this option no "
        "content is sent then",
    )
    parser.add_argument(
        "--ca",
        metavar="FILE",
        type=authority_file,
        default=os.environ.get("STACKSYNC_CA"),
        help="by TLS (https://, amqps://): the certificate (PEM) of who has signed the server's "
        "and the broker's ($STACKSYNC_CA, else those whom this machine trusts)",
    )
    parser.add_argument(
        "--email", default="me@localhost", help="the account (default: %(default)s)"
    )
    parser.add_argument(
        "--password", help="else $STACKSYNC_PASSWORD, else it is asked for when it is needed"
    )
    parser.add_argument(
        "--device", default=platform.node() or "example", metavar="NAME", help="what to call us"
    )


def connect(arguments: argparse.Namespace) -> Connection:
    """The connection that the command line asks for.

    :raises Lost: nobody is there.
    :raises Refused: the server doesn't know us.
    """
    if arguments.via == "http":
        return sign_in(arguments, arguments.url or os.environ.get("STACKSYNC_HTTP", HTTP_URL))
    url, trust = broker_url(arguments), Trust(arguments.ca)
    if has_login(url):
        return AmqpConnection(url, arguments.email, trust)
    http_url = token_server(arguments)
    keeper = token_keeper(arguments, http_url)
    kept = keeper.kept()
    if kept is not None:
        try:
            return AmqpConnection(with_login(url, kept), arguments.email, trust)
        except NotLetIn:
            pass  # It has expired, or somebody has revoked it.
    token = keeper.ask(sign_in(arguments, http_url))
    return AmqpConnection(with_login(url, token), arguments.email, trust)


def connect_for_content(
    arguments: argparse.Namespace, connection: Connection
) -> HttpConnection | None:
    """The connection by which chunks go to the server, ``None`` if the command line names none.

    :raises Lost: nobody is there.
    :raises Refused: the server doesn't know us.
    """
    if isinstance(connection, HttpConnection):
        return connection
    if has_login(broker_url(arguments)):
        return sign_in(arguments, arguments.http_url) if arguments.http_url else None
    http_url = token_server(arguments)
    token = token_keeper(arguments, http_url).kept()
    if token is None:
        return None
    return HttpConnection(http_url, Bearer(token.secret), Trust(arguments.ca))


def sign_in(arguments: argparse.Namespace, url: str) -> HttpConnection:
    """A connection with the password."""
    password = arguments.password or os.environ.get("STACKSYNC_PASSWORD")
    if password is None:
        if not sys.stdin.isatty():
            raise SystemExit("a password is needed: --password or $STACKSYNC_PASSWORD")
        password = getpass.getpass(f"Password of {arguments.email}: ")
    # As bytes: requests would encode text in Latin-1, and the server reads UTF-8.
    proof = (arguments.email.encode(), password.encode())
    return HttpConnection(url, proof, Trust(arguments.ca))


def authority_file(path: str) -> str:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror or error}") from None
    return path


def broker_url(arguments: argparse.Namespace) -> str:
    return str(arguments.url or os.environ.get("STACKSYNC_AMQP", AMQP_URL))


def token_server(arguments: argparse.Namespace) -> str:
    return str(arguments.http_url or os.environ.get("STACKSYNC_HTTP", HTTP_URL))


def token_keeper(arguments: argparse.Namespace, http_url: str) -> TokenKeeper:
    return TokenKeeper(Memory(), http_url, arguments.email, arguments.device)


def has_login(url: str) -> bool:
    return urlsplit(url).username is not None


def with_login(url: str, token: DeviceToken) -> str:
    """The broker's URL with a login that it can ask StackSync about."""
    place = urlsplit(url)
    return place._replace(netloc=f"{token.account_id}:{token.secret}@{place.netloc}").geturl()
