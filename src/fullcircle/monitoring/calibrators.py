"""Calibrators of probabilities, fitted to weighted rows with outcomes: cheap enough to fit one per resample.

Three are compared: none; a logistic one, softmax(slope * ln p + bias of each class), which is Platt's (1999) for two
classes and temperature scaling with bias (Alexandari et al. 2020) for more; and for two classes isotonic regression
over bins (Zadrozny and Elkan 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.scoring.predictions import softmax

BINS = 50
FOLDS = 5
PRIOR = 1.0
"""Rows that pull the logistic calibrator towards none, and each bin of the isotonic one to the overall share."""


class Calibrator(Protocol):
    """Turns predictions into calibrated probabilities."""

    def probability(self, predicted: Array, /) -> Array:
        """Of each class, float64 (rows, classes); `predicted`: (rows, outputs). A row adds up to 1."""


@dataclass(frozen=True, slots=True)
class Uncalibrated:
    """Probabilities as they were predicted."""

    def probability(self, predicted: Array) -> Array:
        """Of each class."""
        return _classes(predicted)


@dataclass(frozen=True, slots=True)
class Logistic:
    """`weights`: the slope, then the bias of each class but the first, float64 (classes,)."""

    weights: Array

    def probability(self, predicted: Array) -> Array:
        """Of each class."""
        return softmax(_design(predicted) @ self.weights)


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Two classes: straight lines between the bins' mean score and share of positives, level beyond the ends."""

    score: Array
    share: Array

    def probability(self, predicted: Array) -> Array:
        """Of each class."""
        positive = np.interp(predicted[:, 0], self.score, self.share)
        return np.stack([1 - positive, positive], axis=1)


def fit_logistic(predicted: Array, table: Array) -> Logistic:
    """By Newton steps on the log loss. `predicted`: (units, outputs). `table`: weights, (units, classes)."""
    design, count, total = _design(predicted), table.sum(axis=1), table.sum()
    flat = design.reshape(-1, design.shape[2])
    start = np.zeros(design.shape[2])
    start[0] = 1.0
    weights, ridge = start.copy(), PRIOR * np.eye(len(start))
    for _ in range(30):
        expected = count[:, None] * softmax(design @ weights)
        gradient = flat.T @ (expected - table).ravel() + PRIOR * (weights - start)
        mean = np.einsum("uk,ukp->up", expected, design)
        curvature = flat.T @ (flat * expected.ravel()[:, None]) - mean.T @ (mean / np.maximum(count, 1e-300)[:, None])
        step = np.linalg.solve(curvature + ridge + 1e-9 * total * np.eye(len(start)), gradient)
        step *= min(1.0, 2.0 / np.abs(step).max()) if np.abs(step).max() > 0 else 1.0  # Newton overshoots far away
        weights = weights - step
        if np.abs(step).max() < 1e-7:
            break
    return Logistic(weights)


def fit_isotonic(predicted: Array, table: Array) -> Isotonic:
    """By pooling adjacent violators over bins of equal weight. `predicted`: (units, 1), `table`: (units, 2)."""
    order = np.argsort(predicted[:, 0], kind="stable")
    score, count, positive = predicted[order, 0], table[order].sum(axis=1), table[order, 1]
    middle = (np.cumsum(count) - count / 2) / count.sum()
    at = np.minimum((middle * BINS).astype(np.int64), BINS - 1)
    rows, hits, scores = (np.bincount(at, weights=values) for values in (count, positive, count * score))
    used = rows > 0
    overall = positive.sum() / count.sum()
    share = (hits[used] + PRIOR * overall) / (rows[used] + PRIOR)
    return Isotonic(scores[used] / rows[used], _rising(share, rows[used]))


def choose(predicted: Array, tables: list[Array]) -> str:
    """The calibrator with the lowest log loss on held-out folds: none, logistic or isotonic; none in case of a tie.

    `tables`: per fold, weight of each unit and class. With one fold nothing can be held out, and logistic is returned.
    """
    if len(tables) < 2:
        return "logistic"
    whole = sum(tables[1:], tables[0])
    names = ["none", "logistic", *(["isotonic"] if whole.shape[1] == 2 else [])]
    losses = dict.fromkeys(names, 0.0)
    for held_out in tables:
        for name in names:
            probability = fit(name, predicted, np.maximum(whole - held_out, 0.0)).probability(predicted)
            losses[name] -= float((held_out * np.log(np.clip(probability, 1e-15, 1.0))).sum())
    return min(names, key=lambda name: losses[name])


def fit(name: str, predicted: Array, table: Array) -> Calibrator:
    """Fit a calibrator by its name."""
    if name == "none" or not table.sum() > 0:
        return Uncalibrated()
    return fit_logistic(predicted, table) if name == "logistic" else fit_isotonic(predicted, table)


def _classes(predicted: Array) -> Array:
    return predicted if predicted.shape[1] > 1 else np.hstack([1 - predicted, predicted])


def _design(predicted: Array) -> Array:
    """(rows, classes, parameters): ln p for the slope, and an indicator of each class but the first."""
    logs = np.log(np.clip(_classes(predicted), 1e-7, 1.0))
    classes = logs.shape[1]
    indicators = np.broadcast_to(np.eye(classes)[None, :, 1:], (len(logs), classes, classes - 1))
    return np.concatenate([logs[:, :, None], indicators], axis=2)


def _rising(share: Array, weight: Array) -> Array:
    """The closest rising values, by weighted squares (Ayer et al. 1955)."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, bins
    for mean, w in zip(share.tolist(), weight.tolist(), strict=True):
        block = (mean, w, 1)
        while blocks and blocks[-1][0] >= block[0]:
            m, v, n = blocks.pop()
            block = ((m * v + block[0] * block[1]) / (v + block[1]), v + block[1], n + block[2])
        blocks.append(block)
    return np.repeat([b[0] for b in blocks], [b[2] for b in blocks])
