"""Compare two scorers on the test rows: `python -m benchmarks.paired models/scorer OTHER`.

Prints the AUC of both, their difference, and its 95% interval: whole days are resampled, the same days for both.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.evaluation.intervals import groups_of
from fullcircle.evaluation.tasks import task_metrics
from fullcircle.scoring.scorer import Scorer

DAY, RESAMPLES = ("year", "month", "day"), 400


def main() -> None:
    """Score the test rows of this repository with both scorers."""
    scorers = [Scorer.load(Path(folder)) for folder in sys.argv[1:3]]
    rows = read_columns(paths.TEST, [*dict.fromkeys([*scorers[0].plan.inputs, *DAY, "target"])])
    group, task = groups_of([rows[name] for name in DAY], len(rows["target"])), task_metrics(2)
    predicted = [s.predict({name: rows[name] for name in s.plan.inputs}, 2) for s in scorers]
    predictions = [
        task.predictions(predicted, rows["target"], scorer.spec.calibration, 15)
        for scorer, predicted in zip(scorers, predicted, strict=True)
    ]
    days = int(group.max()) + 1
    drawn = np.random.default_rng(0).multinomial(days, np.full(days, 1 / days), size=RESAMPLES)
    moved = [
        task.evaluate(predictions[1], w[group])["auc"] - task.evaluate(predictions[0], w[group])["auc"] for w in drawn
    ]
    first, second = (task.evaluate(each)["auc"] for each in predictions)
    low, high = np.quantile(moved, [0.025, 0.975])
    print(f"test AUC {first:.4f} and {second:.4f}: {second - first:+.4f}, 95% by days {low:+.4f} to {high:+.4f}")


if __name__ == "__main__":
    main()
