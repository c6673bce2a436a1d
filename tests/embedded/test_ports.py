"""Ports that are looked up one after the other differ, though nobody listens on them yet."""

from __future__ import annotations

import pytest

from stacksync.embedded import ports


def test_a_port_is_given_to_one_alone_until_there_are_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = ports._RANGE[:64]
    monkeypatch.setattr(ports, "_RANGE", few)
    monkeypatch.setattr(ports, "_given", set())

    chosen = [port for _ in range(8) for port in ports.choose(4)]

    assert len(set(chosen)) == 32
    assert set(chosen) <= set(few)
    assert ports.choose(4), "they begin anew"
