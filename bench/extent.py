"""How long and how much is measured: the full run, and a quick one to try the benchmarks."""

from __future__ import annotations

from attrs import frozen


@frozen
class Extent:
    """Durations are seconds; the rest counts what is measured.

    ``window`` is how many commits are in flight while throughput is measured.
    """

    name: str
    warm_up: float
    throughput: float
    window: int
    reference: float
    reference_again: float
    latency_samples: int
    batches: int
    batch_items: int
    changes_sizes: tuple[int, ...]
    changes_samples: int
    large_bytes: int
    small_files: int
    shared_files: int
    shared_samples: int


FULL = Extent(
    name="full",
    warm_up=3.0,
    throughput=20.0,
    window=64,
    reference=10.0,
    reference_again=5.0,
    latency_samples=5000,
    batches=50,
    batch_items=100,
    changes_sizes=(100, 1000, 10_000),
    changes_samples=20,
    large_bytes=1024**3,
    small_files=1000,
    shared_files=1000,
    shared_samples=3,
)
QUICK = Extent(
    name="quick",
    warm_up=1.0,
    throughput=4.0,
    window=64,
    reference=2.0,
    reference_again=1.0,
    latency_samples=500,
    batches=10,
    batch_items=100,
    changes_sizes=(100, 1000, 10_000),
    changes_samples=5,
    large_bytes=256 * 1024**2,
    small_files=200,
    shared_files=100,
    shared_samples=2,
)
