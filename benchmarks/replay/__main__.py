"""Replay the flights of April to December 2013 under three policies, and quiet years: docs/replay.md.

`python -m benchmarks.replay` writes the tables of docs/replay.md, docs/replay.svg and docs/replay.json; it needs what
`dvc repro` makes. Two processes; about 20 minutes.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import ROOT
from benchmarks.replay import project, quiet, show
from benchmarks.replay.world import World
from benchmarks.replay.year import POLICIES, replay
from fullcircle.base.typed import plain

if TYPE_CHECKING:
    from benchmarks.replay.year import Day

FIRST, LAST = "2013-04-01", "2013-12-30"  # of the last day, some flights leave in 2014
HELD_DAYS = 14
QUIET = ("2013-03-17", "2013-03-30")  # the test rows of the first model
PAGE = ROOT / "docs/replay.md"
MARK = re.compile(r"(?<=<!-- replay -->\n).*(?=<!-- end -->)", re.DOTALL)


def run(folder: Path) -> tuple[dict[str, list[Day]], quiet.Quiet]:
    """Replay all policies, each in a copy of one project."""
    world = World.read(ROOT)
    print(f"{len(world.rows['year']):,} rows; the first model ...", flush=True)
    project.make(world, folder / "first", FIRST, held_days=HELD_DAYS)
    for name in (*POLICIES, "quiet"):
        shutil.copytree(folder / "first", folder / name, symlinks=True)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        order = sorted(POLICIES, key=["on alert", "monthly", "never"].index)
        jobs = {name: pool.submit(replay, str(ROOT), str(folder / name), name, FIRST, LAST) for name in order}
        silent = pool.submit(quiet.quiet, str(ROOT), str(folder / "quiet"), *QUIET)
        found = {}
        for name, job in jobs.items():
            found[name] = job.result()
            print(f"{name}: done", flush=True)
        return {name: found[name] for name in POLICIES}, silent.result()


def main() -> None:
    """Write the page's tables; exit code 1 if an answer was not the scorer's, or quiet years were not quiet."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found, silent = run(Path(folder))
    metric = "AUC"
    text = "\n\n".join([show.table(found, metric), show.counts(found), show.of_quiet(silent, quiet.YEARS, quiet.MANY)])
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(MARK.sub(lambda _: f"\n{text}\n\n", page), encoding="utf-8")
    PAGE.with_suffix(".svg").write_text(show.picture(found, metric), encoding="utf-8")
    PAGE.with_suffix(".json").write_text(json.dumps(plain(found), indent=0) + "\n", encoding="utf-8")
    different = sum(day.different for days in found.values() for day in days)
    rows = sum(day.rows for days in found.values() for day in days)
    print(f"{rows:,} answers, {different} other than the scorer's; {time.monotonic() - begun:.0f} s", file=sys.stderr)
    false_alarms = sum(count for kind, count in silent.alerts.items() if kind in ("accuracy", "surprise"))
    sys.exit(1 if different or false_alarms > quiet.YEARS else 0)


if __name__ == "__main__":
    main()
