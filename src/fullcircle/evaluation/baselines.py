"""Baselines: what a person without a model would do. A model that does not beat them does not pay for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.core.threads import side_by_side
from fullcircle.evaluation.metrics import evaluate, predictions
from fullcircle.features.selection import BINS
from fullcircle.runtime.columns import is_null

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array, Columns


@dataclass(frozen=True, slots=True)
class OneRule:
    """The best rule over one raw input column (after Holte 1993): the share of positives of its bin or level.

    For numbers `edges` are the borders between bins, and `shares` has two more: the last is null's.
    For categories `levels` maps a level to its share, and `shares` holds the overall share, for other levels.
    """

    column: str
    edges: tuple[float, ...]
    levels: dict[str, float]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Baselines:
    """`share`: of positives among training rows, what knowing nothing foretells. `rule`: the best single rule."""

    share: float
    rule: OneRule


def fit(train: Columns, validation: Columns, inputs: list[str]) -> Baselines:
    """Fit a rule to each input column on training rows; keep the one with the best AUC on validation rows.

    Both tables hold `inputs` and `target`. Of equal rules the first column's wins.
    """
    share = float(train["target"].mean())
    rules = side_by_side(lambda name: _fit_rule(name, train[name], train["target"], share), inputs)
    aucs = side_by_side(lambda rule: auc(follow(rule, validation), validation["target"]), rules)
    return Baselines(share, rules[int(np.argmax(aucs))])


def follow(rule: OneRule, columns: Columns) -> Array:
    """The share of positives that the rule foretells for each row."""
    values = columns[rule.column]
    if values.dtype == object:
        return np.array([rule.levels.get(v, rule.shares[0]) for v in values])
    at = np.where(np.isnan(values), len(rule.edges) + 1, np.searchsorted(rule.edges, values, side="left"))
    return np.array(rule.shares)[at]


def auc(probability: Array, target: Array) -> float:
    """ROC AUC."""
    return evaluate(predictions(probability, target, 0.5, 2))["auc"]


def _fit_rule(name: str, values: Array, target: Array, share: float) -> OneRule:
    if values.dtype == object:
        known = ~is_null(values)
        levels, at = np.unique(values[known].astype(str), return_inverse=True)
        shares = _shares(at, target[known], len(levels), share)
        return OneRule(name, (), dict(zip(levels.tolist(), shares, strict=True)), (share,))
    present = values[~np.isnan(values)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1])) if len(present) else np.zeros(0)
    at = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    return OneRule(name, tuple(edges.tolist()), {}, tuple(_shares(at, target, len(edges) + 2, share)))


def _shares(at: Array, target: Array, length: int, share: float) -> list[float]:
    """Share of positives of each bin; ten rows of the overall share keep a rare bin from shouting."""
    count = np.bincount(at, minlength=length) + 10.0
    return [float(s) for s in (np.bincount(at, weights=target, minlength=length) + 10.0 * share) / count]
