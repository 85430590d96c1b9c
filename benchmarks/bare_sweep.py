"""A bare Optuna loop in one script: the baseline of `benchmarks/sweeps.py`.

It reads the same feature matrices, bins once, and runs the trials of a table (`trials.csv` of a sweep) in sequence,
pruned by Optuna's MedianPruner at the same steps. It records nothing, and prints the number of completed trials.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import optuna
import pyarrow.parquet as pq
import xgboost as xgb
import yaml
from sklearn.metrics import roc_auc_score

from fullcircle.sweep.trials import read_csv

NAMES = {"l2": "lambda", "colsample": "colsample_bytree"}
folder = Path(sys.argv[1])
points = [trial.choices for trial in read_csv(folder / sys.argv[2])]
base = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))["model"]
frames = [pq.read_table(folder / f"data/features/{side}.parquet").to_pandas() for side in ("train", "validation")]
(train, y), (validation, y_validation) = ((f.drop(columns="target").to_numpy("float32"), f.target) for f in frames)
fit = xgb.QuantileDMatrix(train, y, max_bin=base["max_bin"])
watch = xgb.DMatrix(validation, y_validation)


class Report(xgb.callback.TrainingCallback):
    """Reports the log loss at steps of equal work, and stops the fit if Optuna prunes the trial."""

    def __init__(self, trial: optuna.Trial, pace: float) -> None:
        super().__init__()
        self.trial, self.pace, self.step = trial, pace, 0

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Report at most once per step."""
        if (step := int((epoch + 1) / self.pace)) > self.step:
            self.step = step
            self.trial.report(min(evals_log["validation"]["logloss"]), step)
            if self.trial.should_prune():
                raise optuna.TrialPruned
        return False


def objective(trial: optuna.Trial) -> float:
    """The AUC on validation rows; their log loss stops the fit."""
    chosen = points[trial.number]
    for key, value in chosen.items():
        trial.suggest_categorical(f"{key}@{trial.number}", [value])
    model = base | {key.removeprefix("model."): value for key, value in chosen.items()}
    names = ("learning_rate", "max_depth", "min_child_weight", "subsample", "colsample", "l2", "max_bin", "seed")
    parameters = {NAMES.get(name, name): model[name] for name in names}
    booster = xgb.train(
        parameters | {"objective": "binary:logistic", "tree_method": "hist", "eval_metric": "logloss", "nthread": 2},
        fit,
        model["max_rounds"],
        evals=[(watch, "validation")],
        early_stopping_rounds=model["patience"],
        callbacks=[Report(trial, 0.5 / model["learning_rate"])],
        verbose_eval=False,
    )
    best = (0, booster.best_iteration + 1)
    auc: float = roc_auc_score(y_validation, booster.inplace_predict(validation, iteration_range=best))
    return auc


optuna.logging.set_verbosity(optuna.logging.ERROR)
# Trials are pruned by the log loss, which is minimized, so the study minimizes 1 - AUC.
study = optuna.create_study(direction="minimize", pruner=optuna.pruners.MedianPruner(8, 0))
study.optimize(lambda trial: 1 - objective(trial), n_trials=len(points))
print(sum(trial.state is optuna.trial.TrialState.COMPLETE for trial in study.trials))
