"""Synthetic sweeps: trials of boosted trees and linear models, in two conditional spaces."""

from __future__ import annotations

import math
import random
from typing import Any

from fullcircle.sweep.result import Incumbent, SweepResult
from fullcircle.sweep.trials import Trial, running_best

SPACE = {
    "model": "choice(xgboost, linear)",
    "model.max_depth": "range(3, 11)",
    "model.learning_rate": "interval(0.005, 0.3)",
    "model.min_child_weight": "interval(1, 200)",
    "model.subsample": "interval(0.5, 1)",
    "model.colsample": "interval(0.3, 1)",
    "model.l2": "interval(1e-4, 100)",
    "split.kind": "choice(time, random)",
}
LOG = ("model.learning_rate", "model.min_child_weight", "model.l2")


def trial(number: int, draw: random.Random, progress: float) -> Trial:
    """One synthetic trial; `progress` (0..1) is how far the sampler has converged."""
    seconds = draw.uniform(5, 60)
    choices: dict[str, Any] = {"model": "linear" if draw.random() < 0.3 * (1 - progress) else "xgboost"}
    choices["split.kind"] = draw.choice(["time", "random"])
    choices["model.l2"] = 10 ** draw.uniform(-4, 2)
    loss = 0.002 * abs(math.log10(choices["model.l2"]))
    if choices["model"] == "xgboost":
        rate = 10 ** (progress * -1.5 + (1 - progress) * draw.uniform(-2.3, -0.52))
        depth = round(progress * 6 + (1 - progress) * draw.uniform(3, 10))
        choices |= {"model.max_depth": depth, "model.learning_rate": rate}
        choices |= {"model.min_child_weight": 10 ** draw.uniform(0, 2.3), "model.subsample": draw.uniform(0.5, 1)}
        choices["model.colsample"] = draw.uniform(0.3, 1)
        loss += 0.004 * abs(depth - 6) + 0.02 * abs(math.log10(rate) + 1.5)
    else:
        loss += 0.05
    value = 0.735 - loss + draw.gauss(0, 0.002)
    metrics: dict[str, float | None] = {
        "val_auc": value,
        "val_ece": draw.uniform(0.005, 0.02),
        "rounds": float(draw.randrange(100, 900)),
    }
    state = draw.random()
    if state < 0.06:
        error = "train: XGBoostError: bad allocation (std::bad_alloc) at round 311"
        return Trial(number, "failed", choices, seconds=seconds, error=error)
    if state < 0.25:
        return Trial(number, "pruned", choices, seconds=seconds / 3)
    name = f"xgboost-{number:03d}"
    return Trial(number, "complete", choices, value, draw.uniform(0.001, 0.003), metrics, seconds, "", name)


def swept(count: int = 50, seed: int = 0, **changed: Any) -> SweepResult:
    """A sweep of `count` trials; `changed` replaces fields."""
    draw = random.Random(seed)  # noqa: S311  synthetic data
    trials = tuple(trial(i + 1, draw, i / count * 0.8) for i in range(count))
    best = running_best(trials, "maximize")
    first = best[0].value or 0.0 if best else 0.0
    incumbents = []
    for each in best:
        test = 0.69 + 0.4 * ((each.value or 0.0) - first) + draw.gauss(0, 0.001)
        incumbents.append(Incumbent(each.number, each.value or 0.0, test, (test - 0.006, test + 0.006)))
    shares = [draw.random() ** 3 for _ in SPACE]
    importance = {key: share / sum(shares) for key, share in zip(SPACE, shares, strict=True)}
    parts: dict[str, Any] = {
        "name": "xgboost",
        "metric": "val_auc",
        "direction": "maximize",
        "sampler": "TPESampler",
        "seed": seed,
        "workers": 4,
        "repeats": 3,
        "seconds": sum(t.seconds for t in trials) / 4,
        "space": SPACE,
        "log": LOG,
        "trials": trials,
        "importance": importance if count >= 8 else {},
        "incumbents": tuple(incumbents),
        "adopt_command": f"fullcircle adopt {best[-1].experiment}" if best else "",
    }
    return SweepResult(**(parts | changed))
