"""Where somebody on this machine gets to what answers the broker.

What comes of the logins that are tried is in ``test_broker_readiness.py``.
"""

from __future__ import annotations

import pytest

from stacksync.admin_cli.question_readiness import place_of


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("tcp:8089:interface=127.0.0.2", ("127.0.0.2", 8089)),
        ("tcp:port=8089", ("127.0.0.1", 8089)),
        ("tcp6:8089:interface=\\:\\:1:backlog=5", ("::1", 8089)),
        ("ssl:8089:privateKey=/a.pem:interface=0.0.0.0", ("127.0.0.1", 8089)),
        ("unix:/run/stacksync.socket", None),
    ],
)
def test_an_endpoint_is_a_place_to_connect_to(
    endpoint: str, address: tuple[str, int] | None
) -> None:
    assert place_of(endpoint).address == address
