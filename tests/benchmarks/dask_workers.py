"""What a second Dask worker is worth: `plan --runner dask` of many sites behind a slow service, one worker against two.

    python -m tests.benchmarks.dask_workers [--sites 400] [--latency 0.05] [--threads 4] [--rounds 5]

The service answers from memory, each request after the latency; each worker has so many threads, and a site is a task.
Rounds are interleaved, the first is not counted. Prints least, median and most of the seconds that the workers take to
plan, of those of the whole command (which begins with a second of imports, however many workers there are), and of the
ratios; ends with 1 where two workers are not 1.8 times as fast at planning.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.dask.driver import dask_runner
from reconciler.manifests import load
from reconciler.workflow import Selection
from tests.benchmarks.fleet.runs import ROOT, serving
from tests.benchmarks.fleet.worlds import ENVIRONMENT, Fleet, write_manifests
from tests.support.servers.dask_cluster import cluster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.servers.dask_cluster import Cluster

_REACH = 1.8
_EACH = 10


def main() -> int:
    """Measure, print, and tell whether the figure is reached."""
    asked = _arguments()
    fleet = Fleet(asked.sites * _EACH, asked.sites)
    plans: dict[int, list[float]] = {1: [], 2: []}
    commands: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_manifests(fleet, folder / "manifests")
        server = stack.enter_context(serving(fleet, asked.latency))
        clusters = {}
        for workers in plans:
            (folder / str(workers)).mkdir()
            clusters[workers] = stack.enter_context(
                cluster(folder / str(workers), ENVIRONMENT, workers=workers, threads=asked.threads)
            )
        for _ in range(asked.rounds + 1):
            for workers, found in clusters.items():
                plans[workers].append(asyncio.run(_by_workers(folder, server.endpoint, found)))
                commands[workers].append(_command(folder, server.endpoint, found))
    _compared("the whole command", commands)
    return 0 if _compared("planning by the workers", plans) >= _REACH else 1


def _compared(what: str, walls: dict[int, list[float]]) -> float:
    """Say how long it took without the first round; the median ratio."""
    one, two = walls[1][1:], walls[2][1:]
    ratios = [slow / fast for slow, fast in zip(one, two, strict=True)]
    _say(f"{what}, one worker, s", one)
    _say(f"{what}, two workers, s", two)
    _say(f"{what}, one / two", ratios)
    return statistics.median(ratios)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=400)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


async def _by_workers(folder: Path, endpoint: str, found: Cluster) -> float:
    """How long the workers take to plan, in seconds."""
    desired = load([folder / "manifests"])
    async with dask_runner(found.address, endpoint, frozenset()) as runner:
        begin = time.perf_counter()
        made = await runner.plan(desired, Selection())
        took = time.perf_counter() - begin
    assert made.whole
    return took


def _command(folder: Path, endpoint: str, found: Cluster) -> float:
    """How long one plan takes, in seconds, whole process."""
    words = ["plan", "manifests", "--endpoint", endpoint, "--runner", "dask", "--scheduler", found.address]
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "reconciler", *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - begin


def _say(what: str, values: Sequence[float]) -> None:
    print(f"{what}: {min(values):.2f} - {statistics.median(values):.2f} - {max(values):.2f}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
