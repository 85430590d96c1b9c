"""Time and memory of `fullcircle monitor` for one day of 1,000,000 predictions with their outcomes, in a SQLite log.

The rows are test rows, again and again, each a record of its own. Filling the log does not count.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.measure import ROOT, Figure, run
from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.log.bundles import LoggedBundle, note_bundle
from fullcircle.log.database import connect
from fullcircle.log.entries import Entry, new_id, utc
from fullcircle.log.outcomes import add_outcomes
from fullcircle.log.writer import Writer, WriterSettings
from fullcircle.scoring.bundle import Bundle

DAY = datetime(2013, 11, 5, tzinfo=UTC).timestamp()
REQUEST = 1000  # rows


def fill(url: str, rows: int) -> int:
    """Log so many predictions of one day, with outcomes two days later; returns how many there are."""
    bundle = Bundle.load(paths.BUNDLE)
    inputs = bundle.scorer.plan.inputs
    test = read_columns(paths.TEST, [*inputs, "target"])
    scored = bundle.scorer.score({name: test[name] for name in inputs}, threads=2)
    engine = connect(url)
    classes = bundle.scorer.spec.calibration.classes
    logged = LoggedBundle(bundle.id, "flights", bundle.version, bundle.about.target, classes, ("record",))
    note_bundle(engine, logged, utc(DAY))
    writer = Writer(engine, logged, WriterSettings(0.05, 10**9), lambda *_: None)
    writer.start()
    count, there = 0, len(scored.kept)
    target = test["target"][scored.kept].astype(int)
    outcomes: dict[str, list[str]] = {"record": [], bundle.about.target: []}
    while count < rows:
        begin = count % (there - REQUEST)
        records = [str(count + at) for at in range(REQUEST)]
        made = DAY + 86400 * count / (rows + REQUEST)
        part = (scored.inputs, scored.columns, begin, begin + REQUEST)
        writer.offer(Entry(new_id(made), made, None, 5.0, REQUEST, [part], {"record": records}, {}))
        outcomes["record"] += records
        outcomes[bundle.about.target] += [classes[value] for value in target[begin : begin + REQUEST].tolist()]
        count += REQUEST
    writer.close(3600)
    engine = connect(url)
    for at in range(0, count, 50_000):
        part_of = {name: values[at : at + 50_000] for name, values in outcomes.items()}
        add_outcomes(engine, logged, part_of, DAY + 2 * 86400)
    return count


def measure(rows: int) -> list[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/log.sqlite"
        begun = time.perf_counter()
        count = fill(url, rows)
        size = (Path(name) / "log.sqlite").stat().st_size / 2**20
        print(f"{count:,} predictions in {size:,.0f} MB, filled in {time.perf_counter() - begun:.0f} s")
        module = "import sys; from fullcircle.cli import main; main()"
        command = [sys.executable, "-c", module, "monitor", "--now", "2013-11-09T06:00", "--log", url]
        try:
            done = run(["bash", "-c", '"$@" || [ $? -ge 10 ]', "bash", *command], ROOT)
        except Exception as error:
            raise SystemExit(f"monitor failed: {getattr(error, 'output', error)}") from None
    print(done.output)
    seconds, peak = done.seconds, done.peak / 2**30
    return [
        Figure("seconds to monitor a window of 1,000,000 predictions", seconds, "<= 60", seconds <= 60, ""),
        Figure("peak memory, GB", peak, "<= 1", bool(np.isfinite(peak) and peak <= 1), ""),
    ]


def main() -> None:
    """Print the figures; exit code 1 if one misses its limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    found = measure(parser.parse_args().rows)
    for figure in found:
        print(figure)
    sys.exit(0 if all(figure.passed for figure in found) else 1)


if __name__ == "__main__":
    main()
