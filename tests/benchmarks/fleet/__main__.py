"""Measures what fleets cost, and writes a report.

    python -m tests.benchmarks.fleet [--sizes 100,1000] [--sites 1,100] [--rounds 5] [--report DIR]

Writes fleets as manifests, starts a server for each that answers from memory in a process of its own, and measures
whole processes: extcal's start, validate, plan (of a service that agrees, that differs in 1 %, that has nothing yet)
and apply; a raw floor that reads the same files, fetches the same bytes and compares, with nothing else; and peers:
octoDNS (from PyPI, in an environment of its own below DIR) planning and validating as many records in as many zones,
and Terraform, where it is installed, planning 1,000 resources. All commands are run in turn, round after round, so
that a ratio is of two runs of one round; the first round is not counted.

Apply is measured where no site needs more requests than extcal sends in a minute: otherwise it would be the wait that
is measured. Of each kind of change the requests are counted; what waits for the rate limit (300 connections of one site
that are new, or whose calendars must be looked up) is measured in the first round alone, and not with --no-waiting.
Ends with 1 where a figure is missed. `--sizes=` counts the requests and measures no fleet.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.fleet import peers
from tests.benchmarks.fleet.cases import Case, Key, Peers, of_fleet, starting, write_inputs
from tests.benchmarks.fleet.changes import changes, write_changes
from tests.benchmarks.fleet.figures import figures
from tests.benchmarks.fleet.plot import svg
from tests.benchmarks.fleet.report import markdown
from tests.benchmarks.fleet.runs import FailedError, Server, Usage, measured, serving
from tests.benchmarks.fleet.worlds import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterable

Results = defaultdict[Key, list[Usage]]

_SIZES = (100, 1_000, 10_000, 50_000)
_SITES = (1, 100)
_REPORT = Path(".extcal/bench")


def main() -> int:
    """Measure, write, judge."""
    said = _arguments()
    said.report.mkdir(parents=True, exist_ok=True)
    folder = said.report.resolve()
    at_hand, remarks = _peers(folder, wanted=said.peers)
    results: Results = defaultdict(list)
    fleets = [Fleet(size, sites) for size in said.sizes for sites in said.sites]
    with tempfile.TemporaryDirectory() as scratch:
        for fleet in fleets:
            _say(f"writing {fleet}")
            write_inputs(fleet, _home(scratch, fleet), at_hand)
        write_changes(Path(scratch))
        for number in range(0 if said.warm else 1, said.rounds + 1):
            _say(f"round {number} of {said.rounds}" if number else "warming up")
            found: Results = defaultdict(list)
            _round(fleets, Path(scratch), at_hand, found)
            for key, usage in changes(
                Path(scratch), Path(scratch) / "output.txt", waiting=said.waiting and number == 1
            ):
                found[key].append(usage)
            for key, usages in found.items() if number else ():
                results[key] += usages
    command = shlex.join(["python", "-m", "tests.benchmarks.fleet", *sys.argv[1:]])
    page = markdown(results, remarks, command)
    (folder / "report.md").write_text(page)
    (folder / "plot.svg").write_text(svg(results))
    runs = [{**asdict(key), "runs": [*map(asdict, usages)]} for key, usages in results.items()]
    (folder / "runs.json").write_text(json.dumps(runs))
    _say(page)
    _say(f"written to {said.report}")
    return 0 if all(figure.reached for figure in figures(results)) else 1


def _arguments() -> argparse.Namespace:
    text = __doc__ or ""
    parser = argparse.ArgumentParser(
        "python -m tests.benchmarks.fleet", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=_numbers, default=_SIZES, help="connections, such as 100,1000 (to 50000)")
    parser.add_argument("--sites", type=_numbers, default=_SITES, help="sites that they are spread over (1,100)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (5)")
    parser.add_argument("--report", type=Path, default=_REPORT, help=f"where the report is written ({_REPORT})")
    parser.add_argument("--no-warming-up", dest="warm", action="store_false", help="count the first round too")
    parser.add_argument(
        "--no-waiting", dest="waiting", action="store_false", help="leave out what waits for the rate limit (5 minutes)"
    )
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave octoDNS and Terraform out")
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _peers(folder: Path, *, wanted: bool) -> tuple[Peers, list[str]]:
    """The peers that are at hand, and why others are not."""
    if not wanted:
        return Peers(None, None), ["The peers were left out."]
    remarks = []
    octodns = None
    try:
        octodns = peers.octodns(folder)
    except FailedError as error:
        remarks.append(f"octoDNS was not measured: {error}.")
    terraform = peers.terraform()
    if terraform is None:
        remarks.append("Terraform was not measured: it is not on this machine.")
    return Peers(octodns, terraform), remarks


def _round(fleets: Iterable[Fleet], scratch: Path, at_hand: Peers, results: Results) -> None:
    output = scratch / "output.txt"
    for case in starting():
        results[case.key].append(measured(case.command, output))
    for fleet in fleets:
        with serving(fleet) as server:
            for case in of_fleet(fleet, _home(scratch, fleet), server, at_hand):
                results[case.key].append(_measured(case, server, output))


def _measured(case: Case, server: Server, output: Path) -> Usage:
    if case.live is None:
        return measured(case.command, output)
    server.begin(case.live)
    usage = measured(case.command, output)
    return replace(usage, requests=server.requests()[0])


def _home(scratch: str | Path, fleet: Fleet) -> Path:
    return Path(scratch) / f"{fleet.connections}-in-{fleet.sites}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- what it is for


if __name__ == "__main__":
    sys.exit(main())
