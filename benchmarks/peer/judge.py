"""One judge for both sides: scikit-learn's measures on the new rows, and whether a difference is more than chance.

The measure that decides is the area under the ROC curve (binary), the log loss in nats (multiclass) or the root mean
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
FLOOR = 1e-6  # of a probability: the scorer writes six decimals, and a log loss must not hang on the seventh


@dataclass(frozen=True, slots=True)
class Answers:
    """One side's answers for the new rows, in their order.

    `prediction`: class names, or numbers (rows,). `probability`: float64 (rows, classes), rows adding up to 1, none
    below FLOOR; no columns in regression. `unanswered`: rows that it gave no answer for; they got the dullest one, the
    mean or the shares of the known rows.
    """

    prediction: Array
    probability: Array
    unanswered: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What is asked: the target of the known and of the new rows, class names or numbers; classes in sorted order."""

    task: Task
    known: Array
    truth: Array

    @property
    def classes(self) -> list[str]:
        """Every class of known and new rows; none in regression."""
        return [] if self.task == "regression" else sorted({*self.known, *self.truth})


def read_cut(table: Table, folder: Path) -> Cut:
    """The targets in known.csv and truth.csv of a folder of cuts; classes are the text that the file has."""
    kind = float if table.task == "regression" else str
    known, truth = (
        pd.read_csv(folder / name, usecols=[table.target], dtype={table.target: kind}, keep_default_na=False)[
            table.target
        ].to_numpy(dtype=float if kind is float else object)
        for name in ("known.csv", "truth.csv")
    )
    return Cut(table.task, known, truth)


def read_answers(file: Path, cut: Cut) -> Answers:
    """The answers in a file of `fullcircle score`: row (from 1), prediction, and a probability_CLASS for each class."""
    kind = float if cut.task == "regression" else str
    given = pd.read_csv(file, index_col="row", dtype={"prediction": kind}, keep_default_na=False)
    rows = given.reindex(range(1, len(cut.truth) + 1))
    silent = rows["prediction"].isna().to_numpy()
    if cut.task == "regression":
        return Answers(
            rows["prediction"].fillna(cut.known.mean()).to_numpy(float), np.empty((len(rows), 0)), silent.sum()
        )
    shares = np.array([(cut.known == name).mean() for name in cut.classes])
    columns = [f"probability_{name}" for name in cut.classes]
    probability = rows.reindex(columns=columns, fill_value=0.0).to_numpy(float)
    probability[silent] = shares
    probability = np.maximum(probability, FLOOR)
    predicted = rows["prediction"].fillna(cut.classes[int(shares.argmax())]).to_numpy(object)
    return Answers(predicted, probability / probability.sum(axis=1, keepdims=True), int(silent.sum()))


def measure(cut: Cut, answers: Answers, weight: Array | None = None) -> float:
    """The measure that decides, of new rows that count `weight` times each (None: once)."""
    if cut.task == "regression":
        return float(root_mean_squared_error(cut.truth, answers.prediction, sample_weight=weight))
    if cut.task == "multiclass":
        return float(log_loss(cut.truth, answers.probability, labels=cut.classes, sample_weight=weight))
    return float(roc_auc_score(cut.truth == cut.classes[1], answers.probability[:, 1], sample_weight=weight))


def second(cut: Cut, answers: Answers) -> float:
    """The measure that is told beside it: share of right classes, or R²."""
    score = r2_score if cut.task == "regression" else accuracy_score
    return float(score(list(cut.truth), list(answers.prediction)))


def gains(cut: Cut, ours: Answers, theirs: Answers, resamples: int = RESAMPLES) -> Array:
    """By how much ours is better in each resample of the new rows, the same rows for both (paired bootstrap).

    Returns float64 (resamples,); above 0 ours is better, whichever way the measure points. In binary tasks each class
    is resampled to its own size, or a resample could be without one.
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
    """95 % interval of the gain, averaged over the cuts of a table (resamples paired by their place).

    Cuts of one table share rows, so that several make it too narrow rather than too wide.
    """
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """`win` if the interval lies above 0, `loss` if it lies below, else `tie`."""
    return "win" if low > 0 else "loss" if high < 0 else "tie"
