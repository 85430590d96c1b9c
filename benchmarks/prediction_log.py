"""Requests a second of the service with a prediction log / without one. Needs `wrk`.

The rows bring the columns that identify a record. The log is SQLite, on the disk of the temporary folder.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Figure
from benchmarks.serving import Load, load, ours, running
from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.log.records import plain_values
from fullcircle.packaging.golden import records, spaced
from fullcircle.scoring.bundle import Bundle

TURNS = 4  # in which both are loaded, one after the other
ROWS = (1, 100)


def bodies(folder: Path) -> None:
    """Write the body of each request, as `load` takes it."""
    bundle = Bundle.load(paths.BUNDLE)
    inputs = bundle.scorer.plan.inputs
    for count in ROWS:
        test = spaced(read_columns(paths.TEST, [*dict.fromkeys([*inputs, *bundle.about.row])]), count)
        rows = records(test, inputs)
        for name in bundle.about.row:
            for row, value in zip(rows, plain_values(test[name]), strict=True):
                row[name] = value
        (folder / f"rows-{count}.json").write_text(json.dumps({"rows": rows}))


def measure() -> list[Figure]:
    """Load both in turns; the ratios of each turn, and their median."""
    loads: dict[tuple[str, int], list[Load]] = {}
    dropped = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies(folder)
        config, database = folder / "serving.yaml", folder / "log.sqlite"
        config.write_text(f"predictions: {{url: 'sqlite:///{database}'}}")
        for turn in range(TURNS):
            servers = [ours(), ours(str(config), "logged")]
            for server in servers if turn % 2 else servers[::-1]:
                with running(server, folder / "log"):
                    for rows in ROWS:
                        loads.setdefault((server.name, rows), []).append(load(server, rows, folder))
            log = (folder / "log").read_text()
            dropped += log.count("could not be written")
        with sqlite3.connect(database) as connection:
            (written,) = connection.execute("SELECT sum(rows) FROM blocks").fetchone()
        size = database.stat().st_size / written
    made = []
    for rows in ROWS:
        pairs = [*zip(loads["logged", rows], loads["fullcircle", rows], strict=True)]
        rates = [own.rate / other.rate for own, other in pairs]
        late = [own.p99 / other.p99 for own, other in pairs]
        rate = statistics.median(own.rate for own, _ in pairs)
        shown = f"{min(rates):.2f} to {max(rates):.2f}; {rate:,.0f} a second; p99 {statistics.median(late):.2f} times"
        value = statistics.median(rates)
        made.append(Figure(f"{rows} row(s): requests a second / without a log", value, ">= 0.9", value >= 0.9, shown))
    print(f"{written:,} rows written, {size:,.0f} bytes each, {dropped} of {TURNS} ends with rows dropped")
    return made


def main() -> None:
    """Print the figures; exit code 1 if one misses its limit."""
    begun = time.monotonic()
    found = measure()
    for figure in found:
        print(figure)
    print(f"{time.monotonic() - begun:.0f} s")
    sys.exit(0 if all(figure.passed for figure in found) else 1)


if __name__ == "__main__":
    main()
