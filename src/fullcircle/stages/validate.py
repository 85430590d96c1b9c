"""validate: test rows, scored by the scorer -> metrics with intervals, slices, behaviour, and the verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.columns import take
from fullcircle.base.errors import BundleError, DataError
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Behaviour, Gate, SignOff, unfinished
from fullcircle.core.progress import doing
from fullcircle.core.stage import run
from fullcircle.core.tables import read_columns, read_typed, write_csv, write_json
from fullcircle.core.target import TargetDistribution
from fullcircle.evaluation.baselines import Baselines, follow, follow_dummy
from fullcircle.evaluation.behaviour import Behaved, behave, share_passed
from fullcircle.evaluation.champion import NO_CHAMPION, Challenger, Comparison, champion_values, compare
from fullcircle.evaluation.gates import check_gates, evaluate_gates
from fullcircle.evaluation.intervals import Resampling, bootstrap, groups_of
from fullcircle.evaluation.reports import BaselineMetrics, TrainReport, ValidateReport
from fullcircle.evaluation.slices import Slice, Slicing, gap, slices
from fullcircle.evaluation.tasks import better, files_of, measured, task_metrics
from fullcircle.scoring.predictions import Calibration
from fullcircle.scoring.scorer import Scorer
from fullcircle.scoring.verdict import Verdict

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns


@dataclass(frozen=True, slots=True)
class ValidateConfig:
    """How test rows are evaluated; conf/defaults.yaml explains each number.

    `champion`: the registered version that a new model must beat; None: there is none yet.
    """

    resamples: int
    resample_by: tuple[str, ...]
    interval: float
    slice_rows: int
    bins: int
    seed: int
    champion: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.interval < 1:
            raise ValueError(f"interval {self.interval:g} is outside 0..1")
        if self.resamples < 20 or self.bins < 2 or self.slice_rows < 1:
            raise ValueError("resamples must be at least 20, bins 2, slice_rows 1")
        if self.champion is not None and not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", self.champion):
            raise ValueError(f"champion {self.champion[:60]!r} must be a registered version, such as 1.2.0, or null")


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the problem requires of a model. `metric`: the primary one. `slices`: columns to slice by.

    `unfinished`: the keys of the problem that are still to be filled in.
    """

    metric: str
    slices: tuple[str, ...]
    behaviour: tuple[Behaviour, ...]
    gates: tuple[Gate, ...]
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validated:
    """Everything measured on the test rows.

    `predictions`: of the metrics of the task. `dummy`, `rule`: metrics of the baselines on the same rows; no rule if
    every input is free text. `compared`: with the champion; None if there is none.
    """

    calibration: Calibration
    predictions: Any
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    dummy: dict[str, float]
    rule: dict[str, float] | None
    slices: list[Slice]
    behaviour: list[Behaved]
    rejected: dict[str, int]
    verdict: Verdict
    compared: Comparison | None = None


def validate(
    scorer: Scorer,
    test: Columns,
    known: Baselines,
    train_score: float | None,
    config: ValidateConfig,
    requirements: Requirements,
    champion: Scorer | None = None,
) -> Validated:
    """Score test rows (raw inputs, `target`, and the columns to slice and resample by) and evaluate the predictions.

    `train_score`: the primary metric on training rows; None if it is not defined. `champion`: scores the same rows, of
    which it takes its inputs; None if there is none. Raises DataError if no row can be scored.
    """
    calibration, metric = scorer.spec.calibration, requirements.metric
    task = task_metrics(len(calibration.classes))
    check_gates(requirements.gates, task, metric)
    scored = scorer.score({name: test[name] for name in scorer.plan.inputs}, threads=2)
    rejected = {reason: scored.reasons.count(reason) for reason in sorted(set(scored.reasons))}
    if len(scored.kept) == 0:
        raise DataError(f"the scorer takes none of {len(test['target']):,} test rows: {rejected}. Correct `clean`")
    rows = take(test, scored.kept)
    target = rows["target"]
    predictions = task.predictions(scored.predicted, target, calibration, config.bins)
    metrics = task.evaluate(predictions)
    group = groups_of([rows[name] for name in config.resample_by], len(target))
    slicing = Slicing(metric, config.bins, config.slice_rows)
    resampling = Resampling(config.resamples, config.interval, config.seed)
    challenger = Challenger(rows, scored.predicted, calibration, group, requirements.slices)
    compared = compare(champion, config.champion or "", challenger, slicing, resampling) if champion else None
    of_slices = slices(
        {name: rows[name] for name in requirements.slices}, scored.predicted, target, calibration, slicing
    )
    inputs = {name: rows[name] for name in scorer.plan.inputs}
    behaved = behave(requirements.behaviour, inputs, calibration, scorer.predict)
    dummy = _baseline(follow_dummy(known, rows), target, calibration, config.bins)
    rule = None if known.rule is None else _baseline(follow(known.rule, rows), target, calibration, config.bins)

    def over(other: float | None) -> float | None:
        return None if other is None else better(task, metric, metrics[metric], other)

    values: dict[str, float | None] = {
        **metrics,
        "slice_gap": gap(task, metric, metrics[metric], of_slices),
        "train_gap": None if train_score is None else better(task, metric, train_score, metrics[metric]),
        "over_dummy": over(dummy[metric]),
        "over_rule": over(rule[metric] if rule else None),
        **champion_values(compared),
        "invariance": share_passed(behaved, ("same",)),
        "direction": share_passed(behaved, ("up", "down")),
    }
    return Validated(
        calibration=calibration,
        predictions=predictions,
        metrics=metrics,
        intervals=bootstrap(task, predictions, group, config.resamples, config.interval, config.seed),
        dummy=dummy,
        rule=rule,
        slices=of_slices,
        behaviour=behaved,
        rejected=rejected,
        verdict=evaluate_gates(
            requirements.gates, values, requirements.unfinished, compared.reason if compared else NO_CHAMPION
        ),
        compared=compared,
    )


def _baseline(predicted: Array, target: Array, calibration: Calibration, bins: int) -> dict[str, float]:
    """Metrics of a baseline, except those of the model's interval, and those by which no model is better."""
    unranked = task_metrics(len(calibration.classes)).UNRANKED
    return {name: v for name, v in measured(predicted, target, calibration, bins).items() if name not in unranked}


def report(validated: Validated, known: Baselines, config: ValidateConfig, metric: str) -> ValidateReport:
    """Everything measured on the test rows, for the page, the card and later stages."""
    calibration = validated.calibration
    return ValidateReport(
        task=calibration.task,
        metric=metric,
        distribution=TargetDistribution.of(validated.predictions.target, calibration.classes),
        rejected=validated.rejected,
        interval=config.interval,
        resampled_by=config.resample_by,
        metrics={**validated.metrics},
        intervals={**validated.intervals},
        baselines=BaselineMetrics(
            dummy={**validated.dummy},
            rule=None if validated.rule is None else {**validated.rule},
            rule_column=None if known.rule is None else known.rule.column,
        ),
        slices=tuple(validated.slices),
        behaviour=tuple(validated.behaviour),
        threshold=calibration.threshold if calibration.task == "binary" else None,
        champion=validated.compared,
    )


def champion_of(problem: str, version: str | None) -> Scorer | None:
    """The scorer of the registered version, out of DVC's cache or remote; None without a version.

    Raises RegistryError if it is not there, BundleError if it is damaged or of a format that is no longer read: a gate
    against a champion that cannot be loaded is not passed over.
    """
    if version is None:
        return None
    from fullcircle.registry.fetch import fetch_bundle, registered

    try:
        return Scorer.load(fetch_bundle(Path(), registered(Path(), problem, version)))
    except BundleError as error:
        raise BundleError(
            f"validate.champion: the bundle of {problem} {version} cannot be used: {error}\n"
            "Name another registered version, or null to validate without a champion."
        ) from None


def main() -> None:
    """Score the test rows, by the champion too; write metrics, report, verdict and curves."""
    config = load(ValidateConfig, "validate")
    requirements = Requirements(
        load(str, "problem.metric"),
        load(tuple[str, ...], "problem.slices"),
        load(tuple[Behaviour, ...], "problem.behaviour"),
        load(tuple[Gate, ...], "problem.gates"),
        unfinished(load(str, "problem.decision"), load(SignOff, "problem.sign_off")),
    )
    scorer = Scorer.load(paths.SCORER)
    champion = champion_of(load(str, "problem.name"), config.champion)
    known = read_typed(Baselines, paths.BASELINES)
    wanted = dict.fromkeys([*scorer.plan.inputs, "target", *requirements.slices, *config.resample_by])
    wanted |= dict.fromkeys(champion.plan.inputs if champion else ())  # those that the table does not have are left out
    train_score = read_typed(TrainReport, paths.TRAIN_REPORT).train_score
    doing("scoring test rows and resampling them")
    test = read_columns(paths.TEST, list(wanted))
    validated = validate(scorer, test, known, train_score, config, requirements, champion)
    write_json(paths.TEST_METRICS, validated.metrics)
    write_json(paths.TEST_REPORT, plain(report(validated, known, config, requirements.metric)))
    write_json(paths.VERDICT, plain(validated.verdict))
    task = task_metrics(len(validated.calibration.classes))
    for name, table in files_of(task.curves(validated.predictions, validated.calibration)).items():
        write_csv(paths.ON_TEST / f"{name}.csv", table)


if __name__ == "__main__":
    run("validate", main)
