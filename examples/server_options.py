"""What both examples ask on the command line, and what they remember from run to run."""

from __future__ import annotations

import argparse
import fcntl
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from amqp_connection import AmqpConnection
from connections import Connection
from http_connection import HttpConnection

AMQP_URL = "amqp://guest:guest@127.0.0.1:5672/"
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
        "--email", default="me@localhost", help="the account (default: %(default)s)"
    )
    parser.add_argument(
        "--password",
        help="for HTTP; else $STACKSYNC_PASSWORD, else it is asked for (AMQP: it is in the URL)",
    )


def add_content_option(parser: argparse.ArgumentParser) -> None:
    """Where the content of files goes, which AMQP does not carry."""
    parser.add_argument(
        "--content-url",
        metavar="URL",
        help="with --via amqp: the HTTP server to put the content of files on, as --email with "
        "--password; without it only metadata is committed",
    )


def connect(arguments: argparse.Namespace) -> Connection:
    """The connection that the command line asks for.

    :raises Lost: nobody is there.
    :raises Refused: the server doesn't know us.
    """
    if arguments.via == "amqp":
        url = arguments.url or os.environ.get("STACKSYNC_AMQP", AMQP_URL)
        return AmqpConnection(url, arguments.email)
    return connect_http(arguments, arguments.url or os.environ.get("STACKSYNC_HTTP", HTTP_URL))


def connect_for_content(
    arguments: argparse.Namespace, connection: Connection
) -> HttpConnection | None:
    """The connection by which chunks go to the server, ``None`` if the command line names none.

    :raises Lost: nobody is there.
    :raises Refused: the server doesn't know us.
    """
    if isinstance(connection, HttpConnection):
        return connection
    return connect_http(arguments, arguments.content_url) if arguments.content_url else None


def connect_http(arguments: argparse.Namespace, url: str) -> HttpConnection:
    password = arguments.password or os.environ.get("STACKSYNC_PASSWORD")
    if password is None:
        if not sys.stdin.isatty():
            raise SystemExit("a password is needed: --password or $STACKSYNC_PASSWORD")
        password = getpass.getpass(f"Password of {arguments.email}: ")
    return HttpConnection(url, arguments.email, password)


class Memory:
    """A small JSON file below the XDG state directory; several examples may share it."""

    def __init__(self) -> None:
        state = os.environ.get("XDG_STATE_HOME", "")
        base = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
        self._file = base / "stacksync-examples" / "memory.json"

    def recall(self, *key: str) -> Any:
        """What was remembered under this key, or ``None``."""
        return self._read().get("/".join(key))

    def remember(self, value: Any, *key: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self._read() | {"/".join(key): value}
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(known, indent=1))
            new.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._file.read_text())
        except (OSError, ValueError):
            known = {}
        return known
