"""What a newcomer gets: a service that brings everything along, and takes it away again."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from tests.servers.stacksync import StackSyncProcess
from tests.servers.sweeper import mentioning

WELCOME = re.compile(r"Account +(\S+), password (\S+) ")


def account(server: StackSyncProcess, email: str, password: str) -> Any:
    login = b64encode(f"{email}:{password}".encode()).decode()
    request = urllib.request.Request(
        f"{server.http_url}/api/account", headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_it_welcomes_survives_a_kill_and_leaves_nothing_running(
    start_server: Callable[..., StackSyncProcess],
) -> None:
    server = start_server("embedded", "auto", amqp={"identity": "message"})
    end = time.monotonic() + 30
    while (welcome := WELCOME.search(server.log_text())) is None:
        assert time.monotonic() < end, server.log_text()
        time.sleep(0.05)
    email, password = welcome.groups()
    assert account(server, email, password)["email"] == email

    assert server.admin("user", "show", email)["email"] == email
    assert server.running
    assert account(server, email, password)["email"] == email

    server.kill()
    server.start()
    assert account(server, email, password)["email"] == email
    assert len(WELCOME.findall(server.log_text())) == 1

    server.terminate()
    assert mentioning(server.directory) == []
    assert server.admin("user", "show", email)["email"] == email
