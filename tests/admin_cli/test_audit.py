"""An operator reads the audit: by account, kind and time, the newest at the end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from attrs import define

from stacksync.admin_cli.arguments import parse
from stacksync.admin_cli.audit import laid_out, shown
from stacksync.admin_cli.audit_arguments import DEFAULT_LINES
from stacksync.admin_cli.output import table
from stacksync.model import AuditKind
from tests.admin_cli.operator import Caretaker
from tests.db.observation import Psql

ADD = """
    INSERT INTO audit_event (at, kind, account_id, email, address, sign_in, detail, count)
    VALUES (now() - %s * interval '1 hour', %s, %s, %s, %s, %s, %s, %s)
"""


@define
class Office:
    """An operator, and a database with an audit."""

    caretaker: Caretaker
    psql: Psql

    def types(self, *arguments: str) -> str:
        answer = self.caretaker.types(*arguments)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def account(self, email: str) -> str:
        return str(
            self.psql.value(
                "INSERT INTO account (email, name, quota_limit) VALUES (%s, 'A', 1) RETURNING id",
                email,
            )
        )

    def happened(
        self, hours_ago: float, kind: str, account: str | None = None, email: str | None = None,
        address: str | None = None, sign_in: str | None = None, count: int = 1, **detail: Any,
    ) -> None:  # fmt: skip
        told = (account, email, address, sign_in, json.dumps(detail), count)
        self.psql.rows(ADD, hours_ago, kind, *told)


@pytest.fixture
def office(new_directory: Callable[[str], Path], database_dsn: str) -> Iterator[Office]:
    with closing(Psql(database_dsn)) as psql:
        caretaker = Caretaker(new_directory("office"), database_dsn, "audit = 30d\n")
        yield Office(caretaker, psql)


def test_lines_are_a_table_for_people_and_json_for_programs(office: Office) -> None:
    assert office.types("audit") == "There is nothing of that in the audit.\n"
    anna, berta = office.account("anna@example.org"), office.account("berta@example.org")
    office.happened(
        3, "refused", email="evil\x1b[2J", address="192.0.2.7", sign_in="password", count=37
    )
    office.happened(
        2, "unshared", berta, "old@example.org", "192.0.2.1", "token",
        folder="Photos", by=anna, to=["x@y", "z@y"], unasked=True,
    )  # fmt: skip
    office.happened(1, "account-removed", berta, "berta@example.org", sign_in="operator")

    heading, *lines = [re.split(r" {2,}", each) for each in office.types("audit").splitlines()]

    assert heading == ["Time", "Kind", "Account", "From", "By", "Detail"]
    assert [each[1:] for each in lines] == [
        ["refused (37 times)", "evil�[2J", "192.0.2.7", "password"],
        [
            *("unshared", "old@example.org", "192.0.2.1", "token"),
            "by: anna@example.org, to: x@y z@y, folder: Photos, unasked: yes",
        ],
        ["account-removed", "berta@example.org", "operator"],
    ]
    assert lines[0][0] < lines[1][0] < lines[2][0]
    assert datetime.fromisoformat(lines[0][0] + "Z") < datetime.now(UTC)
    answer = json.loads(
        office.types("audit", "--json", "--account", "Anna@example.org", "--kind", "unshared")
    )
    (event,) = answer["events"]
    assert datetime.fromisoformat(event.pop("at")) < datetime.now(UTC) - timedelta(minutes=119)
    assert event.pop("id") > 0
    assert event == {
        "kind": "unshared",
        "account_id": berta,
        "email": "old@example.org",
        "address": "192.0.2.1",
        "sign_in": "token",
        "count": 1,
        "detail": {"folder": "Photos", "by": anna, "to": ["x@y", "z@y"], "unasked": True},
    }


def test_on_a_terminal_that_is_too_narrow_the_details_are_below_their_lines() -> None:
    ids = ", ".join(f"device id: {uuid4()}" for _ in range(2))
    rows = [("Time", "Kind", "Detail"), ("10:00", "signed-in", ""), ("11:00", "refused", ids)]
    heading, first, second, *below = laid_out(rows, 80)
    assert (heading, first, second) == ("Time   Kind", "10:00  signed-in", "11:00  refused")
    assert all(line.startswith(4 * " ") and len(line) <= 80 for line in below)
    assert " ".join(line.strip() for line in below) == ids
    assert laid_out(rows, None) == laid_out(rows, 200) == table(rows)


def test_a_detail_is_told_in_units_that_people_use() -> None:
    assert shown("expires_at", "2027-11-21 21:13:37.077000+00:00") == "2027-11-21 21:13 UTC"
    assert shown("quota_limit", 5 * 1024**3) == "5 GiB"
    assert shown("expires_at", "soon") == "soon"


def test_the_latest_lines_are_shown_by_account_kind_and_time(office: Office) -> None:
    anna = office.account("anna@example.org")
    for hours_ago in range(40, 0, -1):
        office.happened(hours_ago, "signed-in", anna, "former@example.org", count=hours_ago)
    office.happened(0.5, "refused", email="ANNA@example.org", count=1000)

    def counts(*arguments: str) -> list[int]:
        document = json.loads(office.types("audit", "--json", *arguments))
        return [each["count"] for each in document["events"]]

    assert counts("--account", "anna@example.org", "--since", "150m") == [2, 1, 1000]
    assert counts("--account", anna.upper(), "--kind", "signed-in", "--limit", "2") == [2, 1]


def test_old_lines_are_removed_by_gc(office: Office) -> None:
    for days_ago in (29, 31, 32):
        office.happened(days_ago * 24, "unshared")
    assert "2 would be removed" in office.types("gc", "--dry-run")
    assert json.loads(office.types("gc", "--json"))["audit_lines"] == 2
    assert office.psql.value("SELECT count(*) FROM audit_event") == 1


def test_all_is_wanted_unless_told_otherwise() -> None:
    arguments = parse(["audit"])
    assert (arguments.account, arguments.kinds, arguments.since) == (None, None, None)
    assert (arguments.limit, arguments.json) == (DEFAULT_LINES, False)
    arguments = parse(["audit", "--kind", "refused", "--kind", "unshared"])
    assert arguments.kinds == [AuditKind.REFUSED, AuditKind.UNSHARED]


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-11-21", "2026-11-21T00:00:00+00:00"),
        ("2026-11-21T18:30", "2026-11-21T18:30:00+00:00"),
        ("2026-11-21T18:30+02:00", "2026-11-21T16:30:00+00:00"),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(told: str, meant: str) -> None:
    assert parse(["audit", "--since", told]).since == datetime.fromisoformat(meant)


def test_a_time_can_be_so_long_ago() -> None:
    since = parse(["audit", "--since", "7d"]).since
    assert since is not None
    assert abs(datetime.now(UTC) - timedelta(days=7) - since) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "yesterday"], "'yesterday' is neither how long ago (12h, 7d) nor a time"),
        (["--limit", "0"], "'0' is not a number from 1 on"),
        (["--limit", "²"], "is not a number from 1 on"),
        (["--kind", "levitated"], "levitated"),
        (["show"], "unrecognized arguments: show"),
    ],
)
def test_wrong_usage_is_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["audit", *arguments])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
