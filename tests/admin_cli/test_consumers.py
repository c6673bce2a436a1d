"""An operator says which applications may ask people for access."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.admin_cli.operator import Caretaker

CALLBACK = "https://app.example.org/done"


def test_an_application_is_added_shown_and_revoked(
    new_directory: Callable[[str], Path], database_dsn: str
) -> None:
    caretaker = Caretaker(new_directory("office"), database_dsn)
    added = caretaker.types("consumer", "add", "Photo frame", "--callback", CALLBACK)
    assert added.returncode == 0, added.stderr
    told = dict(line.split(None, 1) for line in added.stdout.splitlines())
    assert told["Name"] == "Photo frame"
    secret = told["Secret"].split()[0]
    caretaker.types("consumer", "revoke", told["Key"])
    listed = caretaker.types("consumer", "list").stdout
    assert told["Key"] in listed
    assert "UTC" in listed
    assert secret not in listed
    refused = caretaker.types("consumer", "revoke", "nobodys")
    assert refused.returncode == 1
    assert "no such consumer: nobodys" in refused.stderr
