"""Collapsed stacks become tables of the reactor's thread."""

from __future__ import annotations

from bench.profiling import OUTSIDE, read_collapsed

STACKS = [
    'thread (0x1): "MainThread";main (app.py:1);serve (stacksync/a.py:10);loads (json.py:3) 6',
    'thread (0x1): "MainThread";main (app.py:1);serve (stacksync/a.py:12) 3',
    'thread (0x1): "MainThread";main (app.py:1);poll (epoll.py:5) 1',
    'thread (0x2): "PoolThread";work (pool.py:1) 50',
]


def test_only_the_reactors_thread_counts() -> None:
    assert read_collapsed(STACKS).samples == 10


def test_time_is_told_by_function_whatever_the_line() -> None:
    profile = read_collapsed(STACKS)
    assert profile.own == {"loads (json.py)": 6, "serve (stacksync/a.py)": 3, "poll (epoll.py)": 1}
    assert profile.cumulative["serve (stacksync/a.py)"] == 9


def test_a_librarys_time_counts_for_our_function_that_called_it() -> None:
    assert read_collapsed(STACKS).ours == {"serve (stacksync/a.py)": 9, OUTSIDE: 1}


def test_the_way_to_the_main_loop_is_left_out() -> None:
    assert "main (app.py)" not in read_collapsed(STACKS).table()
