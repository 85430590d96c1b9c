"""The comparison as a Markdown table, from the answers that are kept; its tally; and what it was measured with."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peer.judge import (
    MEASURES,
    Answers,
    Cut,
    gains,
    interval,
    measure,
    read_answers,
    read_cut,
    second,
    verdict,
)
from benchmarks.peer.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.peer.runs import Place, Theirs

HEADINGS = (
    "table", "task", "rows", "columns", "measure", "ours", "AutoGluon", "better by (95 %)", "also", "ours", "AutoGluon",
    "seconds", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """What one side made of a table, a value a cut: `seconds` of its runs, and the answers of those that gave any."""

    seconds: list[float]
    failed: int
    answers: list[Answers | None]


@dataclass(frozen=True, slots=True)
class Compared:
    """One table: its cuts, both sides, and by how much ours is better (the mean, then the ends of its interval)."""

    table: Table
    shape: tuple[int, int]
    cuts: list[Cut]
    ours: Side
    theirs: Side
    gain: tuple[float, float, float] | None
    verdict: str


def report(places: list[Place], kind: Theirs, limit: float) -> str:
    """The table, the tally by task, and the versions, for every table and seed of `places`, against AutoGluon's `kind`.

    Ours loses a table on which it gave no answers, or took more than `limit` seconds in the mean of its runs. A table
    that one side has not been run on has no verdict.
    """
    by_table: dict[str, list[Place]] = {}
    for place in places:
        by_table.setdefault(place.table.name, []).append(place)
    compared = [_compare(cuts, kind, limit) for cuts in by_table.values()]
    head = [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    return "\n".join([*head, *map(_line, compared), "", *_tally(compared), "", _versions(places, kind)])


def _compare(places: list[Place], kind: Theirs, limit: float) -> Compared:
    table = places[0].table
    cuts = [read_cut(table, place.of("cuts")) for place in places]
    ours, theirs = (_side([place.of(side) for place in places], cuts) for side in ("ours", kind))
    both = [
        (measure(cut, a), measure(cut, b), gains(cut, a, b))
        for cut, a, b in zip(cuts, ours.answers, theirs.answers, strict=True)
        if a and b
    ]
    gain = None
    if both:
        sign = 1 if table.task == "binary" else -1
        gain = (float(np.mean([sign * (a - b) for a, b, _ in both])), *interval([drawn for _, _, drawn in both]))
    shape = _shape(places[0].of("cuts"))
    return Compared(table, shape, cuts, ours, theirs, gain, _verdict(ours, theirs, gain, len(places), limit))


def _side(folders: list[Path], cuts: list[Cut]) -> Side:
    told = [json.loads((f / "run.json").read_text("utf-8")) for f in folders if (f / "run.json").exists()]
    answers = [
        read_answers(folder / "answers.csv", cut) if (folder / "answers.csv").exists() else None
        for folder, cut in zip(folders, cuts, strict=True)
    ]
    return Side([run["seconds"] for run in told], sum(run["failed"] for run in told), answers)


def _verdict(ours: Side, theirs: Side, gain: tuple[float, float, float] | None, runs: int, limit: float) -> str:
    if min(len(ours.seconds), len(theirs.seconds)) < runs:
        return ""
    if ours.failed:
        return "loss (no answers)"
    if np.mean(ours.seconds) > limit:
        return "loss (late)"
    if theirs.failed or gain is None:
        return "win (AutoGluon gave no answers)"
    unanswered = sum(each.unanswered for each in ours.answers if each)
    return verdict(gain[1], gain[2]) + (f" ({unanswered:,} rows set aside)" if unanswered else "")


def _line(compared: Compared) -> str:
    first, also = MEASURES[compared.table.task]
    sides = (compared.ours, compared.theirs)
    cells = [
        compared.table.name,
        compared.table.task,
        *(f"{count:,}" for count in compared.shape),
        first,
        *(_mean([measure(c, a) for c, a in zip(compared.cuts, s.answers, strict=True) if a], ".4g") for s in sides),
        "" if compared.gain is None else "{:+.3g} ({:+.3g} to {:+.3g})".format(*compared.gain),
        also,
        *(_mean([second(c, a) for c, a in zip(compared.cuts, s.answers, strict=True) if a], ".3f") for s in sides),
        " / ".join(_mean(side.seconds, ".0f") for side in sides),
        compared.verdict,
    ]
    return f"| {' | '.join(cells)} |"


def _tally(compared: list[Compared]) -> list[str]:
    """A line a task and one of all: how many wins, ties and losses, of the tables that have a verdict."""
    lines = []
    for task in (*MEASURES, "all"):
        said = Counter(c.verdict.split(" ")[0] for c in compared if c.verdict and task in (c.table.task, "all"))
        lines.append(f"{task}: {said['win']} won, {said['tie']} tied, {said['loss']} lost  ")
    return lines


def _versions(places: list[Place], kind: Theirs) -> str:
    runs = [place.of(side) / "run.json" for side in ("ours", kind) for place in places]
    versions: dict[str, Any] = {json.loads(run.read_text("utf-8"))["version"]: None for run in runs if run.exists()}
    seeds = len({place.seed for place in places})
    machine = f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"{', '.join(versions)}; {seeds} cut{'s' if seeds > 1 else ''} a table; {machine}"


def _shape(folder: Path) -> tuple[int, int]:
    """Rows, known and new, and columns less the target."""
    rows = 0
    for name in ("known.csv", "new.csv"):
        with (folder / name).open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            columns = len(next(reader))
            rows += sum(1 for _ in reader)
    return rows, columns  # of new.csv, which has no target


def _mean(values: list[float], form: str) -> str:
    return format(float(np.mean(values)), form) if values else ""
