"""The comparison as a Markdown table, from stored predictions; the counts of wins; and versions."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peer.metrics import (
    MEASURES,
    Cut,
    Predictions,
    gains,
    interval,
    measure,
    read_cut,
    read_predictions,
    second,
    verdict,
)
from benchmarks.peer.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.peer.runs import RunFolders, Theirs

HEADINGS = (
    "table", "task", "rows", "columns", "measure", "ours", "AutoGluon", "better by (95 %)", "also", "ours", "AutoGluon",
    "seconds", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class System:
    """The runs of one system on a table: `seconds` per run, and the predictions per cut, None if a run failed."""

    seconds: list[float]
    failed: int
    predictions: list[Predictions | None]


@dataclass(frozen=True, slots=True)
class Compared:
    """One table: its cuts, both systems, and the gain of this project (mean, and the bounds of its interval)."""

    table: Table
    shape: tuple[int, int]
    cuts: list[Cut]
    ours: System
    theirs: System
    gain: tuple[float, float, float] | None
    verdict: str


def report(places: list[RunFolders], kind: Theirs, limit: float) -> str:
    """The table, the counts per task, and the versions, for all tables and seeds, compared with AutoGluon's `kind`.

    This project loses a table if a run failed, or if its runs took more than `limit` seconds on average. A table
    without a run of both systems has no verdict.
    """
    by_table: dict[str, list[RunFolders]] = {}
    for place in places:
        by_table.setdefault(place.table.name, []).append(place)
    compared = [_compare(cuts, kind, limit) for cuts in by_table.values()]
    head = [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    return "\n".join([*head, *map(_line, compared), "", *_tally(compared), "", _versions(places, kind)])


def _compare(places: list[RunFolders], kind: Theirs, limit: float) -> Compared:
    table = places[0].table
    cuts = [read_cut(table, place.of("cuts")) for place in places]
    ours, theirs = (_system([place.of(side) for place in places], cuts) for side in ("ours", kind))
    both = [
        (measure(cut, a), measure(cut, b), gains(cut, a, b))
        for cut, a, b in zip(cuts, ours.predictions, theirs.predictions, strict=True)
        if a and b
    ]
    gain = None
    if both:
        sign = 1 if table.task == "binary" else -1
        gain = (float(np.mean([sign * (a - b) for a, b, _ in both])), *interval([drawn for _, _, drawn in both]))
    shape = _shape(places[0].of("cuts"))
    return Compared(table, shape, cuts, ours, theirs, gain, _verdict(ours, theirs, gain, len(places), limit))


def _system(folders: list[Path], cuts: list[Cut]) -> System:
    runs = [json.loads((f / "run.json").read_text("utf-8")) for f in folders if (f / "run.json").exists()]
    predictions = [
        read_predictions(folder / "answers.csv", cut) if (folder / "answers.csv").exists() else None
        for folder, cut in zip(folders, cuts, strict=True)
    ]
    return System([run["seconds"] for run in runs], sum(run["failed"] for run in runs), predictions)


def _verdict(ours: System, theirs: System, gain: tuple[float, float, float] | None, runs: int, limit: float) -> str:
    if min(len(ours.seconds), len(theirs.seconds)) < runs:
        return ""
    if ours.failed:
        return "loss (no predictions)"
    if np.mean(ours.seconds) > limit:
        return "loss (late)"
    if theirs.failed or gain is None:
        return "win (AutoGluon: no predictions)"
    missing = sum(each.missing for each in ours.predictions if each)
    return verdict(gain[1], gain[2]) + (f" ({missing:,} rows without a prediction)" if missing else "")


def _line(compared: Compared) -> str:
    first, also = MEASURES[compared.table.task]
    systems = (compared.ours, compared.theirs)
    cells = [
        compared.table.name,
        compared.table.task,
        *(f"{count:,}" for count in compared.shape),
        first,
        *(
            _mean([measure(c, a) for c, a in zip(compared.cuts, s.predictions, strict=True) if a], ".4g")
            for s in systems
        ),
        "" if compared.gain is None else "{:+.3g} ({:+.3g} to {:+.3g})".format(*compared.gain),
        also,
        *(
            _mean([second(c, a) for c, a in zip(compared.cuts, s.predictions, strict=True) if a], ".3f")
            for s in systems
        ),
        " / ".join(_mean(system.seconds, ".0f") for system in systems),
        compared.verdict,
    ]
    return f"| {' | '.join(cells)} |"


def _tally(compared: list[Compared]) -> list[str]:
    """One line per task and one for all: numbers of wins, ties and losses of the tables with a verdict."""
    lines = []
    for task in (*MEASURES, "all"):
        counts = Counter(c.verdict.split(" ")[0] for c in compared if c.verdict and task in (c.table.task, "all"))
        lines.append(f"{task}: {counts['win']} won, {counts['tie']} tied, {counts['loss']} lost  ")
    return lines


def _versions(places: list[RunFolders], kind: Theirs) -> str:
    runs = [place.of(side) / "run.json" for side in ("ours", kind) for place in places]
    versions: dict[str, Any] = {json.loads(run.read_text("utf-8"))["version"]: None for run in runs if run.exists()}
    seeds = len({place.seed for place in places})
    machine = f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"{', '.join(versions)}; {seeds} cut{'s' if seeds > 1 else ''} per table; {machine}"


def _shape(folder: Path) -> tuple[int, int]:
    """Number of rows, known and new, and of columns without the target."""
    rows = 0
    for name in ("known.csv", "new.csv"):
        with (folder / name).open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            columns = len(next(reader))
            rows += sum(1 for _ in reader)
    return rows, columns  # of new.csv, which has no target


def _mean(values: list[float], form: str) -> str:
    return format(float(np.mean(values)), form) if values else ""
