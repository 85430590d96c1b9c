"""`python -m benchmarks.peer --environment PATH`: run both systems on every table and print the comparison.

PATH is the environment of AutoGluon (`make bench-peer` creates it). AutoGluon runs twice: on all known rows, and on
the rows that this project trained on, which are fewer since it holds out test rows. This takes about two minutes per
table and seed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.measure import ROOT
from benchmarks.peer.report import report
from benchmarks.peer.runs import KINDS, RunFolders, cut, run_ours, run_theirs
from benchmarks.peer.tables import TABLES

CORES, SECONDS = 2, 60.0


def main() -> None:
    """Run the selected tables, then evaluate all predictions that are stored."""
    arguments = _arguments()
    environment = arguments.environment.absolute()
    python = environment / "bin/python"
    if not python.exists():
        sys.exit(f"{python} does not exist: `make bench-peer` creates it from benchmarks/peer/requirements.txt")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # inherited by child processes
    tables = [table for table in TABLES if table.name in arguments.tables]
    runs = [
        RunFolders(arguments.scratch.absolute(), table, seed) for table in tables for seed in range(arguments.seeds)
    ]
    for folders in runs:
        cut(folders, environment)
        if not arguments.peer_only and not (arguments.missing and folders.ran("ours")):
            run_ours(folders)
        for kind in KINDS:
            if not arguments.ours_only and not (arguments.missing and folders.ran(kind)):
                run_theirs(folders, environment, SECONDS, kind)
        print(f"{folders.table.name}, seed {folders.seed}: done", file=sys.stderr, flush=True)
    for kind, given in KINDS.items():
        print(f"AutoGluon is fitted on {given}:\n\n{report(runs, kind, SECONDS)}\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer", description=__doc__.partition("\n")[0])
    parser.add_argument("--environment", type=Path, required=True, help="AutoGluon's virtual environment")
    parser.add_argument(
        "--tables", type=_names, default=_names(""), help="names from tables.py, separated by commas (all)"
    )
    parser.add_argument("--seeds", type=int, default=1, help="random cuts per table (1)")
    parser.add_argument("--scratch", type=Path, default=ROOT / "benchmarks/peer/scratch", help="folder of stored runs")
    parser.add_argument("--missing", action="store_true", help="run only missing runs; evaluate all")
    side = parser.add_mutually_exclusive_group()
    side.add_argument("--ours-only", action="store_true", help="use stored predictions of AutoGluon")
    side.add_argument("--peer-only", action="store_true", help="use stored predictions of this project")
    return parser.parse_args()


def _names(given: str) -> set[str]:
    known = {table.name for table in TABLES}
    chosen = set(given.split(",")) if given else known
    if unknown := sorted(chosen - known):
        raise argparse.ArgumentTypeError(
            f"unknown table: {', '.join(unknown)}; the tables are {', '.join(sorted(known))}"
        )
    return chosen


if __name__ == "__main__":
    main()
