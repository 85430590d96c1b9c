"""Slices: whether the model serves every part of the data, and how far the worst falls behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.evaluation.metrics import evaluate, predictions

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array


@dataclass(frozen=True, slots=True)
class Slice:
    """One level of one column. `auc` and the others are None where it has too few rows, or one class, to judge."""

    column: str
    level: str
    rows: int
    positive: float
    auc: float | None
    ece: float | None
    rec: float | None


def slices(
    columns: dict[str, Array], probability: Array, target: Array, threshold: float, bins: int, at_least: int
) -> list[Slice]:
    """Judge every level of every column, levels in order. Null is a level of its own, named `null`."""
    result = []
    for name, values in columns.items():
        texts = np.array([_text(v) for v in values.tolist()], dtype=object)
        for level in sorted(set(texts), key=lambda t: (len(t), t)):
            inside = texts == level
            result.append(_slice(name, level, probability[inside], target[inside], threshold, bins, at_least))
    return result


def gap(overall_auc: float, judged: list[Slice]) -> float | None:
    """AUC of the whole less that of the worst slice that could be judged; None where none could."""
    aucs = [s.auc for s in judged if s.auc is not None]
    return overall_auc - min(aucs) if aucs else None


def _slice(
    column: str, level: str, probability: Array, target: Array, threshold: float, bins: int, at_least: int
) -> Slice:
    share = float(target.mean())
    if len(target) < at_least or share in (0.0, 1.0):
        return Slice(column, level, len(target), share, None, None, None)
    values = evaluate(predictions(probability, target, threshold, bins))
    return Slice(column, level, len(target), share, values["auc"], values["ece"], values["rec"])


def _text(value: object) -> str:
    if value is None or value != value:
        return "null"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
