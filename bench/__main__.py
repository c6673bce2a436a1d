"""``python -m bench``: measure, print the table, keep the JSON.

python -m bench                    everything; kept in bench/results
python -m bench --quick            a fraction of it, to see that it works
python -m bench --only amqp        a part of it (may be said several times)
python -m bench --profile 20       where the server's time goes during commits
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from bench import course, report
from bench.client_programs import ProgramFailed
from bench.driver import DriverFailed
from bench.extent import FULL, QUICK, Extent
from bench.figures import figures
from bench.machine import describe
from bench.profiling import ProfilerFailed, program
from bench.stage import running
from stacksync.errors import StackSyncError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="StackSync's benchmarks.")
    parser.add_argument("--quick", action="store_true", help="a short run, to try things")
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=course.PARTS,
        help=f"only this part: {', '.join(course.PARTS)}",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="where to keep the results")
    parser.add_argument(
        "--profile",
        metavar="SECONDS",
        type=float,
        help="record where the server's time goes (py-spy) instead",
    )
    parser.add_argument("--show", metavar="FILE", type=Path, help="print a run that was kept")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if options.show is not None:
        kept = json.loads(options.show.read_text())
        print(report.text(kept["machine"], kept["results"], figures(kept["results"])))
        return 0
    extent = QUICK if options.quick else FULL
    parts = set(options.only or course.PARTS)
    # Ended from outside, we still end what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if options.profile is not None:
            profile(extent, parts, options.profile)
        else:
            whole = not options.quick and not options.only
            measure(extent, parts, options.json or (report.default_path("full") if whole else None))
    except (DriverFailed, ProgramFailed, ProfilerFailed, StackSyncError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def measure(extent: Extent, parts: set[str], path: Path | None) -> None:
    """Measure and tell; missed targets are told, but are no failure."""
    with running() as stage:
        machine = describe(stage)
        results = course.measure(stage, extent, parts)
    told = figures(results)
    print(report.text(machine, results, told))
    if path is not None:
        report.keep(path, extent.name, machine, results, told)
        print(f"\nKept in {path}")


def profile(extent: Extent, parts: set[str], seconds: float) -> None:
    program()  # Missing, it had better be missed before everything is started.
    with running() as stage:
        tables = course.profile(stage, extent, parts, seconds)
    for via, table in tables.items():
        path = report.default_path(f"profile-{via}", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(table)
        print(table)
        print(f"Kept in {path}\n")


if __name__ == "__main__":
    raise SystemExit(main())
