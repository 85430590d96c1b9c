"""Cross-fitting: validation AUC on the flights with the tail number as a feature, by number of rows.

    python -m benchmarks.crossfit

Models are fitted on rows drawn from the training months, and evaluated on rows drawn from the validation months.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xgboost
from sklearn.metrics import roc_auc_score

from fullcircle.base.checks import Column
from fullcircle.base.columns import take
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Features
from fullcircle.core.tables import read_columns
from fullcircle.features.transform import apply
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.featurizing.fit import fit_plan

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns

COLUMNS = ("carrier", "origin", "dest", "tailnum", "sched_dep_time", "distance", "temp", "precip")
SEEDS = 3
HELD_OUT = 20_000


def main() -> None:
    """Print one line per number of rows, smoothing and number of folds."""
    train, validation = (read_columns(path, [*COLUMNS, "target"]) for path in (paths.TRAIN, paths.VALIDATION))
    held_out = drawn(validation, HELD_OUT)
    print("rows    smoothing  folds  validation AUC")
    for rows in (2_000, 20_000, 100_000):
        for smoothing in (1.0, 10.0, 100.0):
            for folds in (1, 5):
                found = np.mean([auc_of(drawn(train, rows), held_out, smoothing, folds, s) for s in range(SEEDS)])
                print(f"{rows:<7,} {smoothing:<10g} {folds:<6} {found:.4f}", flush=True)


def drawn(columns: Columns, rows: int) -> Columns:
    """A random sample of `rows` rows, always the same."""
    return take(columns, np.random.default_rng(0).permutation(len(columns["target"]))[:rows])


def auc_of(train: Columns, held_out: Columns, smoothing: float, folds: int, seed: int) -> float:
    """AUC on `held_out` of boosted trees fitted on `train`; the same rows stop the fit, so only for comparison."""
    inputs = {n: Column("category" if train[n].dtype == object else "number", missing="keep") for n in COLUMNS}
    params = load(dict[str, object], "featurize") | {"min_level_rows": 2, "smoothing": smoothing, "cross_fit": folds}
    config = load(FeaturizeConfig, "featurize", {"featurize": params})
    fitted = fit_plan(train, inputs, Features(COLUMNS), [], config, 2)
    matrix = xgboost.DMatrix(apply(fitted.plan, {n: held_out[n] for n in COLUMNS}), held_out["target"])
    booster = xgboost.train(
        {"objective": "binary:logistic", "eta": 0.1, "max_depth": 6, "subsample": 0.8, "seed": seed, "nthread": 1},
        xgboost.DMatrix(fitted.matrix, train["target"]), 500, evals=[(matrix, "held_out")],
        early_stopping_rounds=20, verbose_eval=False,
    )  # fmt: skip
    predicted = booster.predict(matrix, iteration_range=(0, booster.best_iteration + 1))
    return float(roc_auc_score(held_out["target"], predicted))


if __name__ == "__main__":
    main()
