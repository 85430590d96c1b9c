"""Estimated AUC before outcomes are known, beside NannyML's CBPE: flights of June to December, and made shifts.

`make bench-monitor` makes NannyML's environment and runs it. The model of this repository is fitted on January to March
(April decides the rounds); May is the reference. Windows are the months and weeks of June to December, and months that
were resampled or whose inputs were disturbed. The error of an estimate is its distance to the AUC that the outcomes
give. Ratios are of mean absolute errors over the same windows; their noise is by resampling windows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.measure import ROOT, Figure
from fullcircle.base.columns import take
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Features, Lookup
from fullcircle.core.schema import Schema
from fullcircle.core.tables import read_columns, read_typed
from fullcircle.evaluation.intervals import groups_of
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.models import ModelConfig
from fullcircle.models.sample import samples_of
from fullcircle.monitoring.estimates import EstimateConfig, Reference, Window
from fullcircle.monitoring.expected import estimate
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.realized import realized
from fullcircle.stages.featurize import featurize
from fullcircle.stages.train import TrainConfig, goal_of, train

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns
    from fullcircle.scoring.scorer import Scorer

SEEDS = 1  # of each made shift
NOISY = ("origin_delay_1h", "origin_delay_3h", "carrier_delay_3h", "city_delay_2h", "origin_waited", "carrier_waited")
SETS = ("months", "weeks", "carriers", "weather", "noise")


@dataclass(frozen=True, slots=True)
class Case:
    """A window with all of its outcomes. `kind`: one of SETS."""

    kind: str
    name: str
    window: Window


@dataclass(frozen=True, slots=True)
class Found:
    """The realized AUC of a case, and the estimates of it; `inside`: whether our interval holds it."""

    kind: str
    name: str
    realized: float
    cbpe: float
    pape: float
    theirs: float
    inside: dict[str, bool]


def fitted(rows: Columns) -> Scorer:
    """The model of params.yaml, fitted on January to March; April decides the rounds and the calibration."""
    schema, goal = read_typed(Schema, paths.SCHEMA), goal_of()
    lookups = [
        (each, read_columns(paths.reference(each.table))) for each in load(tuple[Lookup, ...], "problem.lookups")
    ]
    early, late = (take(rows, months(rows, *m)) for m in ((1, 2, 3), (4,)))
    config = load(FeaturizeConfig, "featurize")
    made = featurize(early, late, schema, load(Features, "problem.features"), lookups, config, 2)
    sides = samples_of((made.train, early["target"]), (made.validation, late["target"]), 2)
    return train(made.plan, sides, load(ModelConfig, "model"), load(TrainConfig, "train"), goal, lambda *_: None).scorer


def months(rows: Columns, *wanted: int) -> Array:
    """Positions of the rows of these months."""
    return np.flatnonzero(np.isin(rows["month"], wanted))


def window_of(scorer: Scorer, rows: Columns) -> Window:
    """Rows, scored, with their outcomes; a day is a group."""
    inputs = {name: rows[name] for name in scorer.plan.inputs}
    day = groups_of([rows[name] for name in ("year", "month", "day")], len(rows["target"]))
    return Window(inputs, scorer.predict(inputs, 2), day, rows["target"])


def cases(scorer: Scorer, rows: Columns) -> list[Case]:
    """Months, weeks, and made shifts of each month from June on."""
    found = [Case("months", f"month {m}", window_of(scorer, take(rows, months(rows, m)))) for m in range(6, 13)]
    late = take(rows, months(rows, *range(6, 13)))
    week = (late["time_hour"] - np.datetime64("2013-06-01", "s")).astype(np.int64) // (7 * 86400)
    for i in np.unique(week).tolist():
        of_week = take(late, week == i)
        if len(of_week["target"]) > 2000:  # the last one has two days
            found.append(Case("weeks", f"week {i}", window_of(scorer, of_week)))
    for month in range(6, 13):
        for seed in range(SEEDS):
            found += made(scorer, take(rows, months(rows, month)), f"month {month}, seed {seed}", seed)
    return found


def made(scorer: Scorer, rows: Columns, name: str, seed: int) -> list[Case]:
    """A month whose carriers are mixed anew, one with four times as much bad weather, and one with noise in inputs."""
    random = np.random.default_rng(seed)
    carriers = np.unique(rows["carrier"].astype(str))
    factor = dict(zip(carriers.tolist(), np.exp(random.normal(0, 1.5, len(carriers))).tolist(), strict=True))
    bad = (np.nan_to_num(rows["visib"], nan=10) < 6) | (np.nan_to_num(rows["precip"]) > 0)
    weights = {
        "carriers": np.array([factor[c] for c in rows["carrier"].tolist()]),
        "weather": np.where(bad, random.uniform(3, 6), 1.0),
    }
    found = []
    for kind, weight in weights.items():
        drawn = np.sort(random.choice(len(weight), len(weight), p=weight / weight.sum()))
        found.append(Case(kind, name, window_of(scorer, take(rows, drawn))))
    noisy = dict(rows)
    for column in NOISY:
        spread = np.nanstd(rows[column]) * random.uniform(0.5, 1.5)
        noisy[column] = np.maximum(
            rows[column] + random.normal(0, spread, len(rows[column])), -15 if "delay" in column else 0
        )
    return [*found, Case("noise", name, window_of(scorer, noisy))]


def theirs(
    python: Path, reference: Reference, found: list[Case], threshold: float, folder: Path
) -> dict[str, list[float]]:
    """NannyML's estimates, one per window, by its own environment."""
    _write(folder / "reference.parquet", [(-1, reference.predicted, reference.target)], threshold)
    _write(
        folder / "windows.parquet", [(i, c.window.predicted, c.window.target) for i, c in enumerate(found)], threshold
    )
    script = str(ROOT / "benchmarks/monitoring_peers/nanny.py")
    subprocess.run([str(python), "-W", "ignore", script, str(folder)], check=True)
    return dict(json.loads((folder / "estimates.json").read_text()))


def _write(path: Path, tables: list[tuple[int, Array, Array | None]], threshold: float) -> None:
    columns: dict[str, list[Array]] = {"window": [], "probability": [], "predicted": [], "target": []}
    for name, predicted, target in tables:
        columns["window"].append(np.full(len(predicted), name))
        columns["probability"].append(predicted[:, 0])
        columns["predicted"].append((predicted[:, 0] >= threshold).astype(np.int64))
        columns["target"].append(np.asarray(target, np.int64))
    parquet.write_table(pa.table({name: np.concatenate(values) for name, values in columns.items()}), path)


def compare(python: Path) -> list[Found]:
    """Fit, make the windows, and estimate each by all."""
    rows = read_columns(paths.LABELLED)
    scorer = fitted(rows)
    of_may = window_of(scorer, take(rows, months(rows, 5)))
    assert of_may.target is not None
    reference = Reference(of_may.inputs, of_may.predicted, of_may.target, of_may.group)
    calibration = scorer.spec.calibration
    assert calibration.task == "binary"
    measure, config, found = Measure("auc", calibration), EstimateConfig(resamples=100), cases(scorer, rows)
    with tempfile.TemporaryDirectory() as folder:
        peer = theirs(python, reference, found, calibration.threshold, Path(folder))
    return [_found(case, reference, measure, config, peer[str(i)][0]) for i, case in enumerate(found)]


def _found(case: Case, reference: Reference, measure: Measure, config: EstimateConfig, peer: float) -> Found:
    truth = realized(case.window, measure, config).value
    ours = {name: estimate(reference, case.window, measure, config, name) for name in ("cbpe", "pape")}
    assert truth is not None
    inside = {name: e.low is not None and e.high is not None and e.low <= truth <= e.high for name, e in ours.items()}
    values = {name: float("nan") if e.value is None else e.value for name, e in ours.items()}
    print(f"{case.kind:9} {case.name:18} realized {truth:.4f}  cbpe {values['cbpe']:.4f}  pape {values['pape']:.4f}  "
          f"NannyML {peer:.4f}  {ours['pape'].note}", file=sys.stderr, flush=True)  # fmt: skip
    return Found(case.kind, case.name, truth, values["cbpe"], values["pape"], peer, inside)


def table(found: list[Found]) -> str:
    """Mean absolute errors by kind of window, in Markdown."""
    lines = ["| windows | number | CBPE | PAPE | NannyML's CBPE | inside CBPE's interval | inside PAPE's |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for kind in (*SETS, "all"):
        of = [f for f in found if kind in (f.kind, "all")]
        errors = [np.mean([abs(getattr(f, name) - f.realized) for f in of]) for name in ("cbpe", "pape", "theirs")]
        inside = [np.mean([f.inside[name] for f in of]) for name in ("cbpe", "pape")]
        cells = [*(f"{e:.4f}" for e in errors), *(f"{i:.0%}" for i in inside)]
        lines.append(f"| {kind} | {len(of)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def figures(found: list[Found]) -> list[Figure]:
    """Ratios of our mean absolute errors to NannyML's; ours should be no worse than its CBPE."""
    truth, peer = (np.array([getattr(f, name) for f in found]) for name in ("realized", "theirs"))
    drawn = np.random.default_rng(0).integers(0, len(found), (2000, len(found)))
    made = []
    for name in ("cbpe", "pape"):
        own = np.abs(np.array([getattr(f, name) for f in found]) - truth)
        other = np.abs(peer - truth)
        low, high = np.quantile(own[drawn].mean(axis=1) / other[drawn].mean(axis=1), [0.025, 0.975])
        value = float(own.mean() / other.mean())
        noise = f"95% {low:.3f} to {high:.3f}; {own.mean():.4f} against {other.mean():.4f}"
        made.append(Figure(f"error of {name.upper()} / of NannyML's CBPE", value, "<= 1.02", value <= 1.02, noise))
    return made


def main() -> None:
    """Print the table and the ratios; exit code 1 if one misses its limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--nannyml", type=Path, required=True, help="python of NannyML's environment")
    found = compare(parser.parse_args().nannyml.absolute())
    print(f"{table(found)}\n")
    made = figures(found)
    for figure in made:
        print(figure)
    sys.exit(0 if all(figure.passed for figure in made) else 1)


if __name__ == "__main__":
    main()
