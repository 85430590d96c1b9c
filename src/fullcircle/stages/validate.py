"""validate: the test rows, scored through the scorer -> metrics with intervals, slices, behaviour, and the verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Behaviour, Gate
from fullcircle.core.stage import run
from fullcircle.core.tables import read_columns, read_json, write_csv, write_json
from fullcircle.evaluation import curves
from fullcircle.evaluation.baselines import Baselines, auc, follow
from fullcircle.evaluation.behaviour import Behaved, behave, share_passed
from fullcircle.evaluation.gates import GATED, Verdict, judge
from fullcircle.evaluation.intervals import bootstrap, groups_of
from fullcircle.evaluation.metrics import NAMES, Predictions, evaluate, predictions
from fullcircle.evaluation.slices import Slice, gap, slices
from fullcircle.runtime.columns import take
from fullcircle.runtime.errors import ConfigError
from fullcircle.runtime.scorer import Scorer
from fullcircle.runtime.typed import build

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Columns


@dataclass(frozen=True, slots=True)
class ValidateConfig:
    """How test rows are judged; what each number means stands in conf/config.yaml."""

    resamples: int
    resample_by: tuple[str, ...]
    interval: float
    slice_rows: int
    bins: int
    seed: int

    def __post_init__(self) -> None:
        if not 0 < self.interval < 1:
            raise ValueError(f"interval {self.interval:g} is outside 0..1")
        if self.resamples < 20 or self.bins < 2 or self.slice_rows < 1:
            raise ValueError("resamples must be at least 20, bins 2, slice_rows 1")


@dataclass(frozen=True, slots=True)
class Validated:
    """Everything that the test rows said."""

    predictions: Predictions
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    baselines: dict[str, float]
    slices: list[Slice]
    behaviour: list[Behaved]
    rejected: dict[str, int]
    verdict: Verdict


def validate(
    scorer: Scorer,
    test: Columns,
    known: Baselines,
    train_auc: float,
    config: ValidateConfig,
    slice_by: tuple[str, ...],
    behaviour: tuple[Behaviour, ...],
    gates: tuple[Gate, ...],
) -> Validated:
    """Score test rows (raw inputs, `target`, and the columns to slice and resample by) and judge what comes back."""
    demand_gates(gates)
    raw = {name: test[name] for name in scorer.plan.inputs}
    scored = scorer.score(raw, threads=2)
    rows = take(test, scored.kept)
    inputs = {name: rows[name] for name in scorer.plan.inputs}
    target, threshold = rows["target"], scorer.spec.threshold
    s = predictions(scored.probability, target, threshold, config.bins)
    metrics = evaluate(s)
    group = groups_of([rows[name] for name in config.resample_by])
    of_slices = slices(
        {name: rows[name] for name in slice_by},
        scored.probability,
        target,
        threshold,
        config.bins,
        config.slice_rows,
    )
    behaved = behave(behaviour, inputs, scorer.probability)
    rule_auc = auc(follow(known.rule, rows), target)
    values: dict[str, float | None] = {
        **metrics,
        "slice_gap": gap(metrics["auc"], of_slices),
        "train_gap": train_auc - metrics["auc"],
        "over_dummy": metrics["auc"] - 0.5,
        "over_rule": metrics["auc"] - rule_auc,
        "over_champion": None,
        "invariance": share_passed(behaved, ("same",)),
        "direction": share_passed(behaved, ("up", "down")),
    }
    dummy = evaluate(predictions(np.full(len(target), known.share), target, threshold, config.bins))
    return Validated(
        s,
        metrics,
        bootstrap(s, group, config.resamples, config.interval, config.seed),
        {
            "dummy_auc": dummy["auc"],
            "dummy_brier": dummy["brier"],
            "dummy_logloss": dummy["logloss"],
            "rule_auc": rule_auc,
        },
        of_slices,
        behaved,
        {reason: scored.reasons.count(reason) for reason in sorted(set(scored.reasons))},
        judge(gates, values),
    )


def demand_gates(gates: tuple[Gate, ...]) -> None:
    """Refuse a gate on a value that does not exist: it could never fail."""
    for gate in gates:
        if gate.metric not in NAMES and gate.metric not in GATED:
            raise ConfigError(f"problem.gates: no metric {gate.metric}. Known: {', '.join((*NAMES, *GATED))}")


def report(validated: Validated, known: Baselines, config: ValidateConfig) -> dict[str, Any]:
    """Everything that is not a metric of one number, for the page and the card."""
    return {
        "rows": len(validated.predictions.target),
        "rejected": validated.rejected,
        "positive": float(validated.predictions.target.mean()),
        "threshold": validated.predictions.threshold,
        "interval": config.interval,
        "resampled_by": list(config.resample_by),
        "intervals": validated.intervals,
        "baselines": validated.baselines | {"rule_column": known.rule.column},
        "slices": [asdict(s) for s in validated.slices],
        "behaviour": [asdict(b) | {"passed": b.passed} for b in validated.behaviour],
    }


def main() -> None:
    """Score the test rows and write what they say."""
    config, slice_by = load(ValidateConfig, "validate"), load(tuple[str, ...], "problem.slices")
    scorer = Scorer.load(paths.SCORER)
    known = build(Baselines, read_json(paths.BASELINES), str(paths.BASELINES))
    wanted = dict.fromkeys([*scorer.plan.inputs, "target", *slice_by, *config.resample_by])
    validated = validate(
        scorer,
        read_columns(paths.TEST, list(wanted)),
        known,
        read_json(paths.TRAIN_REPORT)["train_auc"],
        config,
        slice_by,
        load(tuple[Behaviour, ...], "problem.behaviour"),
        load(tuple[Gate, ...], "problem.gates"),
    )
    write_json(paths.TEST_METRICS, validated.metrics)
    write_json(paths.TEST_REPORT, report(validated, known, config))
    write_json(paths.VERDICT, asdict(validated.verdict))
    s, spec = validated.predictions, scorer.spec
    write_csv(paths.ROC, curves.roc(s))
    write_csv(paths.PRECISION_RECALL, curves.precision_recall(s))
    write_csv(paths.CALIBRATION, curves.calibration(s))
    write_csv(paths.CONFUSION, curves.confusion(s, spec.negative, spec.positive))


if __name__ == "__main__":
    run("validate", main)
