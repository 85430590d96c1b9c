"""Drift: the share of windows in which an injected shift is found, and the time that a large window takes.

    python -m benchmarks.drift

The process is that of the tests: 8 inputs and a prediction, days that differ (or not), a baseline of 240 days.
"""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace

import numpy as np
from tests.monitoring.made import Process, baseline_of, drawn_baseline, drawn_window

from fullcircle.monitoring.drift import drift
from fullcircle.monitoring.outliers import outliers
from fullcircle.monitoring.quality import quality
from fullcircle.monitoring.window import count_window

SHIFTS = (0.0, 0.25, 0.5, 1.0, 2.0)
WINDOWS = ((1, 200), (1, 1000), (7, 200), (30, 200))  # days, rows of each
REPEATS = 20
FALSE_ALARM = 0.01


def power(process: Process, days: int, rows: int) -> list[float]:
    """The share of windows in which x0 drifted, for each shift of x0 in standard deviations of its rows."""
    random = np.random.default_rng(0)
    baselines = [drawn_baseline(process, 240, random) for _ in range(4)]
    deviation = float(np.sqrt(1 + process.effect**2))
    found = []
    for shift in SHIFTS:
        hits = 0
        for i in range(REPEATS):
            base = baselines[i % len(baselines)]
            window = drawn_window(base, replace(process, rows=rows), days, random, x0=shift * deviation)
            result = drift(base, window, false_alarm=FALSE_ALARM, seed=i, draws=1000)
            hits += any(c.drifted for c in result.columns if shift == 0 or c.name == "x0")
        found.append(hits / REPEATS)
    return found


def large(rows: int = 1_000_000, days: int = 30) -> None:
    """Print the time and memory of a window of 33 columns."""
    random = np.random.default_rng(0)
    process = Process(1.0, 0.5, 500, numbers=31)
    columns, predicted, day = process.draw(200, random)
    base = baseline_of(columns, predicted, day)
    columns, predicted, day = Process(1.0, 0.5, rows // days, numbers=31).draw(days, random)
    start = time.perf_counter()
    window = count_window(base, columns, predicted, day)
    counted = time.perf_counter() - start
    drift(base, window, false_alarm=FALSE_ALARM, seed=0)
    quality(base, window, false_alarm=FALSE_ALARM, seed=0)
    outliers(base, window, columns, false_alarm=FALSE_ALARM, seed=0)
    seconds = time.perf_counter() - start
    tracemalloc.start()
    drift(base, count_window(base, columns, predicted, day), false_alarm=FALSE_ALARM, seed=0)
    more = tracemalloc.get_traced_memory()[1] / 2**20
    print(
        f"\n{window.rows:,} rows of {days} days, {len(columns)} columns: {seconds:.1f} s, of which {counted:.1f} s "
        f"count the rows; {more:.0f} MB at most beside the rows"
    )


def main() -> None:
    """Print one line per size of a window, and one column per shift."""
    print(f"share of windows with drift found, false_alarm {FALSE_ALARM:g}, {REPEATS} windows each\n")
    print("| days differ by | window | " + " | ".join(f"{shift:g} sd" for shift in SHIFTS) + " |")
    print("| --- | --- | " + " | ".join("---:" for _ in SHIFTS) + " |")
    for effect in (0.0, 0.3):
        for days, rows in WINDOWS:
            shares = power(Process(effect, 0.5, 200), days, rows)
            name = "nothing" if not effect else f"{effect:g} sd"
            sizes = f"{days} day{'s' if days > 1 else ''} of {rows:,}"
            print(f"| {name} | {sizes} | " + " | ".join(f"{share:.0%}" for share in shares) + " |", flush=True)
    large()


if __name__ == "__main__":
    main()
