"""A StackSync process starts on its own database and virtual host, and goes when asked."""

from __future__ import annotations

import json
import urllib.request
from base64 import b64encode
from collections.abc import Callable

import pytest

from tests.servers.stacksync import StackSyncProcess


def test_an_account_made_by_the_operator_may_sign_in(server: StackSyncProcess) -> None:
    anna = server.add_user("anna@example.org")
    login = b64encode(f"{anna.email}:{anna.password}".encode()).decode()
    request = urllib.request.Request(
        f"{server.http_url}/api/account", headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["email"] == anna.email
    server.terminate()
    assert "StackSync has stopped" in server.log_text()


def test_wrong_settings_are_told_from_the_log(
    start_server: Callable[..., StackSyncProcess], database_dsn: str
) -> None:
    with pytest.raises(AssertionError, match=r"(?s)the server ended:.*did you mean max_body\?"):
        start_server(database_dsn, http={"max_bdy": "1M"})
