"""Metrics of both systems on the new rows, by scikit-learn, and whether their difference is more than chance.

The primary metric is the area under the ROC curve (binary), the log loss in nats (multiclass) or the root mean
squared error in the target's unit (regression).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score, root_mean_squared_error

from benchmarks.peer.tables import Table, Task

if TYPE_CHECKING:
    from pathlib import Path

Array: TypeAlias = npt.NDArray[Any]

MEASURES = {"binary": ("AUC", "accuracy"), "multiclass": ("log loss", "accuracy"), "regression": ("RMSE", "R²")}
RESAMPLES = 1000
FLOOR = 1e-6  # of a probability: the scorer writes six decimals, so the log loss must not depend on the seventh


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of one system for the new rows, in their order.

    `prediction`: class names, or numbers (rows,). `probability`: float64 (rows, classes), rows sum to 1, none below
    FLOOR; no columns in regression. `missing`: number of rows without a prediction; the mean or the class shares of
    the known rows are used for them.
    """

    prediction: Array
    probability: Array
    missing: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The target of the known and of the new rows: class names or numbers. Classes are sorted."""

    task: Task
    known: Array
    truth: Array

    @property
    def classes(self) -> list[str]:
        """All classes of known and new rows; empty in regression."""
        return [] if self.task == "regression" else sorted({*self.known, *self.truth})


def read_cut(table: Table, folder: Path) -> Cut:
    """The targets in known.csv and truth.csv of a folder; classes are the text in the file."""
    kind = float if table.task == "regression" else str
    known, truth = (
        pd.read_csv(folder / name, usecols=[table.target], dtype={table.target: kind}, keep_default_na=False)[
            table.target
        ].to_numpy(dtype=float if kind is float else object)
        for name in ("known.csv", "truth.csv")
    )
    return Cut(table.task, known, truth)


def read_predictions(file: Path, cut: Cut) -> Predictions:
    """Read a file of `fullcircle score`: row (from 1), prediction, and probability_CLASS for each class."""
    kind = float if cut.task == "regression" else str
    given = pd.read_csv(file, index_col="row", dtype={"prediction": kind}, keep_default_na=False)
    rows = given.reindex(range(1, len(cut.truth) + 1))
    missing = rows["prediction"].isna().to_numpy()
    if cut.task == "regression":
        return Predictions(
            rows["prediction"].fillna(cut.known.mean()).to_numpy(float), np.empty((len(rows), 0)), missing.sum()
        )
    shares = np.array([(cut.known == name).mean() for name in cut.classes])
    columns = [f"probability_{name}" for name in cut.classes]
    probability = rows.reindex(columns=columns, fill_value=0.0).to_numpy(float)
    probability[missing] = shares
    probability = np.maximum(probability, FLOOR)
    predicted = rows["prediction"].fillna(cut.classes[int(shares.argmax())]).to_numpy(object)
    return Predictions(predicted, probability / probability.sum(axis=1, keepdims=True), int(missing.sum()))


def measure(cut: Cut, predictions: Predictions, weight: Array | None = None) -> float:
    """The primary metric of the new rows, each counted `weight` times (None: once)."""
    if cut.task == "regression":
        return float(root_mean_squared_error(cut.truth, predictions.prediction, sample_weight=weight))
    if cut.task == "multiclass":
        return float(log_loss(cut.truth, predictions.probability, labels=cut.classes, sample_weight=weight))
    return float(roc_auc_score(cut.truth == cut.classes[1], predictions.probability[:, 1], sample_weight=weight))


def second(cut: Cut, predictions: Predictions) -> float:
    """The secondary metric: accuracy, or R²."""
    score = r2_score if cut.task == "regression" else accuracy_score
    return float(score(list(cut.truth), list(predictions.prediction)))


def gains(cut: Cut, ours: Predictions, theirs: Predictions, resamples: int = RESAMPLES) -> Array:
    """The gain of this project in each resample of the new rows, the same rows for both (paired bootstrap).

    Returns float64 (resamples,); above 0 this project is better, for every metric. In binary tasks each class is
    resampled to its size, so that no resample is without a class.
    """
    sign = 1.0 if cut.task == "binary" else -1.0
    groups = [cut.truth == name for name in cut.classes] if cut.task == "binary" else [np.ones(len(cut.truth), bool)]
    rng, found = np.random.default_rng(0), np.empty(resamples)
    for i in range(resamples):
        weight = np.zeros(len(cut.truth))
        for group in groups:
            weight[group] = rng.multinomial(group.sum(), np.full(group.sum(), 1 / group.sum()))
        found[i] = sign * (measure(cut, ours, weight) - measure(cut, theirs, weight))
    return found


def interval(drawn: list[Array]) -> tuple[float, float]:
    """95 % interval of the gain, averaged over the cuts of a table (resamples are paired by position).

    Cuts of one table share rows, so with several cuts the interval is rather too narrow than too wide.
    """
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """`win` if the interval is above 0, `loss` if it is below, else `tie`."""
    return "win" if low > 0 else "loss" if high < 0 else "tie"
