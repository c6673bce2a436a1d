"""Each service counts for itself."""

from __future__ import annotations

from stacksync.metrics import CONTENT_TYPE, Metrics


def test_two_services_in_one_process_do_not_count_together() -> None:
    one, other = Metrics(), Metrics()
    one.chunks_copied.inc(3)
    assert b"stacksync_chunks_copied_total 3.0\n" in one.text()
    assert b"stacksync_chunks_copied_total 0.0\n" in other.text()


def test_it_is_text_that_prometheus_knows() -> None:
    assert CONTENT_TYPE.startswith("text/plain; version=")
    assert b"# TYPE stacksync_jobs_unfinished gauge\n" in Metrics().text()
