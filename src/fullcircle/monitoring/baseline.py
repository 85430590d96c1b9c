"""The baseline: what is normal for a bundle. `package` makes it, and whatever watches the model reads it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import Array, Columns, take
from fullcircle.base.errors import DataError
from fullcircle.base.files import write_text
from fullcircle.base.threads import parallel_map
from fullcircle.base.typed import plain
from fullcircle.core.tables import read_columns, read_typed, write_columns
from fullcircle.evaluation.intervals import groups_of
from fullcircle.monitoring.bins import Bins
from fullcircle.monitoring.counts import Column, Counted, count_bins, count_category, count_key, count_number
from fullcircle.scoring.reference import Levels

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.scoring.reference import Reference
    from fullcircle.scoring.scorer import Scorer

FORMAT = 1
MOST_RARE = 20
RARE_INPUTS = Bins("category", levels=tuple(str(i) for i in range(MOST_RARE)))
"""Bins of a number of rare inputs: 0 to 19, and more."""
ABOUT, TEST, PREDICTED, COUNTS = "baseline.json", "test.parquet", "predicted.parquet", "counts.parquet"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is normal for a bundle: its training rows in bins by group, and its test rows with their predictions.

    `bundle`: the id of the bundle. `metric`: the primary one. `classes`: empty for a number. `test`: of the test rows
    that the scorer takes, the inputs and the columns of slices. `predicted`: float64 (rows, outputs), as `Scorer.score`
    gives it. `target`: float64 (rows,), the position of the class or the number. `group`: int64 (rows,), the number of
    each row's group (of the columns `together`, such as days) in the order of their values; each row its own where
    `together` is empty. `train`: the training rows of each input in bins. `rare`: the training rows by the number of
    their inputs that are rare (`counts.rare_rows`), in `RARE_INPUTS`.
    """

    bundle: str
    problem: str
    metric: str
    classes: tuple[str, ...]
    test: Columns
    predicted: Array
    target: Array
    group: Array
    train: dict[str, Counted]
    together: tuple[str, ...] = ()
    rare: Counted | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What of a problem the baseline needs: its name, primary metric, columns of slices and columns of groups."""

    problem: str
    metric: str
    slices: tuple[str, ...]
    together: tuple[str, ...]


def make_baseline(
    bundle: str, scorer: Scorer, reference: Reference, train: Columns, test: Columns, watched: Watched
) -> Baseline:
    """Score the test rows and count the training rows.

    `train`: the inputs and the columns `together`; `test`: those, the columns of slices, and `target`. `reference`: of
    the same training rows. Raises DataError if the scorer takes no test row.
    """
    inputs = scorer.plan.inputs
    scored = scorer.score({name: test[name] for name in inputs}, threads=2)
    if not len(scored.kept):
        raise DataError(f"the scorer takes none of {len(test['target']):,} test rows, e.g. {scored.reasons[:1]}")
    rows = take(test, scored.kept)
    group = groups_of([train[name] for name in watched.together], len(next(iter(train.values()))))

    def count(name: str) -> Column:
        if name in watched.together:
            return count_key(train[name], group)
        seen = reference.inputs[name]
        if isinstance(seen, Levels):
            return count_category(train[name], tuple(seen.counts), group)
        return count_number(train[name], seen.kind, group, None if seen.kind == "time" else seen.edges)

    columns = dict(zip(inputs, parallel_map(count, inputs), strict=True))
    rare = np.sum([column.rare for column in columns.values()], axis=0, dtype=np.int64)
    return Baseline(
        bundle,
        watched.problem,
        watched.metric,
        scorer.spec.calibration.classes,
        {name: rows[name] for name in dict.fromkeys([*inputs, *watched.slices])},
        scored.predicted,
        rows["target"],
        groups_of([rows[name] for name in watched.together], len(rows["target"])),
        {name: column.counted for name, column in columns.items()},
        watched.together,
        count_bins(np.minimum(rare, MOST_RARE), RARE_INPUTS, group),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    bins: Bins
    groups: int  # counted one by one
    number: int


@dataclass(frozen=True, slots=True)
class _About:
    """All of a baseline but its tables."""

    format: int
    bundle: str
    problem: str
    metric: str
    classes: tuple[str, ...]
    together: tuple[str, ...]
    train: dict[str, _Column]
    rare: _Column | None = None

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"it is of format {self.format}, and this version reads format {FORMAT}")


def _shape(counted: Counted) -> _Column:
    return _Column(counted.bins, len(counted.groups), counted.number)


def write_baseline(baseline: Baseline, folder: Path) -> None:
    """Write a folder of Parquet and JSON, which replaces `folder` when it is complete. Equal baselines: equal bytes."""
    part = folder.with_name(f".{folder.name}.part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir(parents=True)
    counted = [*baseline.train.values(), *([] if baseline.rare is None else [baseline.rare])]
    write_columns(part / TEST, baseline.test)
    outputs = {f"output_{i}": values for i, values in enumerate(baseline.predicted.T)}
    write_columns(part / PREDICTED, {"target": baseline.target, "group": baseline.group, **outputs})
    flat = [array.ravel() for c in counted for array in (c.total, c.groups)]
    write_columns(part / COUNTS, {"rows": np.concatenate([np.zeros(0, np.int64), *flat])})
    about = _About(
        FORMAT,
        baseline.bundle,
        baseline.problem,
        baseline.metric,
        baseline.classes,
        baseline.together,
        {name: _shape(counted) for name, counted in baseline.train.items()},
        None if baseline.rare is None else _shape(baseline.rare),
    )
    write_text(part / ABOUT, json.dumps(plain(about), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    part.rename(folder)


def read_baseline(folder: Path) -> Baseline:
    """Read what `write_baseline` wrote. Raises DataError or ConfigError for what is missing, damaged or older."""
    about = read_typed(_About, folder / ABOUT)
    predicted = read_columns(folder / PREDICTED)
    target, group = predicted.pop("target"), predicted.pop("group").astype(np.int64)
    counts, at = read_columns(folder / COUNTS)["rows"].astype(np.int64), 0
    shapes = [*about.train.values(), *([] if about.rare is None else [about.rare])]
    if len(counts) != sum(shape.bins.count * (1 + shape.groups) for shape in shapes):
        raise DataError(f"{folder} is damaged: {COUNTS} and {ABOUT} do not fit each other. `dvc repro` makes it again.")
    found = []
    for shape in shapes:
        table = counts[at : at + shape.bins.count * (1 + shape.groups)].reshape(-1, shape.bins.count)
        found.append(Counted(shape.bins, table[0], table[1:], shape.number))
        at += table.size
    outputs = np.stack([*predicted.values()], axis=1)
    return Baseline(
        about.bundle,
        about.problem,
        about.metric,
        about.classes,
        _test_of(folder, about, len(target)),
        outputs,
        target,
        group,
        dict(zip(about.train, found, strict=False)),
        about.together,
        None if about.rare is None else found[-1],
    )


def _test_of(folder: Path, about: _About, rows: int) -> Columns:
    test: dict[str, Any] = read_columns(folder / TEST)
    if lost := [name for name in about.train if name not in test]:
        raise DataError(f"{folder} is damaged: {TEST} lacks {', '.join(lost)}. `dvc repro` makes it again.")
    if any(len(values) != rows for values in test.values()):
        raise DataError(f"{folder} is damaged: {TEST} and {PREDICTED} have different numbers of rows. `dvc repro`.")
    return test
