"""`python -m benchmarks.peer --environment PATH`: runs both sides on every table and prints the comparison.

PATH is the environment of AutoGluon (`make bench-peer` makes it). AutoGluon is run twice: given all known rows, and
given those that ours learned from, which keeps a test side out of them. It takes about two minutes a table and a seed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.measure import ROOT
from benchmarks.peer.report import report
from benchmarks.peer.runs import KINDS, Place, cut, run_ours, run_theirs
from benchmarks.peer.tables import TABLES

CORES, SECONDS = 2, 60.0


def main() -> None:
    """Run what is asked for, table by table, then judge all answers that are kept."""
    asked = _arguments()
    environment = asked.environment.absolute()
    python = environment / "bin/python"
    if not python.exists():
        sys.exit(
            f"{python} is not there: `make bench-peer` makes this environment, of benchmarks/peer/requirements.txt"
        )
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # children keep to them too
    tables = [table for table in TABLES if table.name in asked.tables]
    places = [Place(asked.scratch.absolute(), table, seed) for table in tables for seed in range(asked.seeds)]
    for place in places:
        cut(place, environment)
        if not asked.peer_only and not (asked.missing and place.ran("ours")):
            run_ours(place)
        for kind in KINDS:
            if not asked.ours_only and not (asked.missing and place.ran(kind)):
                run_theirs(place, environment, SECONDS, kind)
        print(f"{place.table.name}, seed {place.seed}: done", file=sys.stderr, flush=True)
    for kind, given in KINDS.items():
        print(f"AutoGluon is given {given}:\n\n{report(places, kind, SECONDS)}\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer", description=__doc__.partition("\n")[0])
    parser.add_argument("--environment", type=Path, required=True, help="AutoGluon's virtual environment")
    parser.add_argument("--tables", type=_names, default=_names(""), help="names from tables.py, by commas (all)")
    parser.add_argument("--seeds", type=int, default=1, help="cuts of each table (1)")
    parser.add_argument("--scratch", type=Path, default=ROOT / "benchmarks/peer/scratch", help="where runs are kept")
    parser.add_argument("--missing", action="store_true", help="run only what has not been run; judge all")
    side = parser.add_mutually_exclusive_group()
    side.add_argument("--ours-only", action="store_true", help="AutoGluon's answers are those kept")
    side.add_argument("--peer-only", action="store_true", help="our answers are those kept")
    return parser.parse_args()


def _names(given: str) -> set[str]:
    known = {table.name for table in TABLES}
    chosen = set(given.split(",")) if given else known
    if unknown := sorted(chosen - known):
        raise argparse.ArgumentTypeError(f"no such table: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return chosen


if __name__ == "__main__":
    main()
