from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.columns import Columns, take
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import build, plain
from fullcircle.core import paths
from fullcircle.core.problem import Behaviour, Gate
from fullcircle.core.tables import read_typed, write_columns, write_json
from fullcircle.evaluation import baselines
from fullcircle.evaluation.gates import GATED
from fullcircle.evaluation.reports import TrainReport, ValidateReport
from fullcircle.evaluation.tasks import FILES, measured, task_metrics
from fullcircle.stages import validate as module
from fullcircle.stages.validate import Requirements, ValidateConfig, Validated, report, validate
from tests.stages.made import INPUTS, TASKS, known

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = ValidateConfig(60, (), 0.95, 50, 5, 0)
TRAIN_SCORE = {"binary": 0.9, "multiclass": 0.5, "regression": 0.9}
FAR = Behaviour("further", "miles", "same", add=1.0)
HIGH = {
    "binary": [Gate("auc", min=0.99), Gate("brier", max=0.01), Gate("ece", max=0.0), Gate("over_rule", min=0.5)],
    "multiclass": [Gate("logloss", max=0.1), Gate("bacc", min=0.99), Gate("over_rule", min=0.5)],
    "regression": [Gate("r2", min=0.99), Gate("rmse", max=0.1), Gate("coverage", min=0.99), Gate("over_rule", min=0.5)],
}


def validated(name: str = "binary", *gates: Gate, test: Columns | None = None, **changes: Any) -> Validated:
    task = TASKS[name]
    requirements = Requirements(
        changes.pop("metric", task.metric), ("carrier",), changes.pop("behaviour", (task.later, FAR)), gates
    )
    rows = task.table(400, 11) if test is None else test
    return validate(task.scorer, rows, known(name), TRAIN_SCORE[name], replace(CONFIG, **changes), requirements)


def value_of(found: Validated, metric: str) -> float | None:
    return next(gate.value for gate in found.verdict.gates if gate.metric == metric)


@pytest.mark.parametrize("name", TASKS)
def test_metrics_are_those_of_the_scorer_on_the_test_rows(name: str) -> None:
    task, test = TASKS[name], TASKS[name].table(400, 11)
    predicted = task.scorer.predict({column: test[column] for column in INPUTS})
    assert validated(name).metrics == measured(predicted, test["target"], task.calibration, 5)
    assert set(validated(name).metrics) == set(task_metrics(len(task.calibration.classes)).NAMES)


@pytest.mark.parametrize("name", TASKS)
def test_a_good_enough_model_is_blessed(name: str) -> None:
    gates = (Gate("over_dummy", min=0.05), Gate("over_rule", min=0.0), Gate("over_champion", min=0.0))
    assert validated(name, *gates, Gate("direction", min=1.0), Gate("invariance", min=1.0)).verdict.status == "blessed"


@pytest.mark.parametrize(("name", "gate"), [(name, gate) for name, gates in HIGH.items() for gate in gates])
def test_a_gate_that_is_too_high_rejects_the_model(name: str, gate: Gate) -> None:
    verdict = validated(name, gate, Gate("over_dummy", min=0.0)).verdict
    assert verdict.status == "rejected"
    assert [g.metric for g in verdict.gates if g.status == "failed"] == [gate.metric]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("metric", ["over_dummy", "train_gap", "slice_gap"])
def test_each_difference_can_reject_a_model_that_knows_nothing(name: str, metric: str) -> None:
    test = TASKS[name].table(400, 11)
    turned = test | {"delay": np.random.default_rng(0).permutation(test["delay"])}
    turned["delay"][test["carrier"] != "AA"] *= -1  # and it is at its worst where the carrier is another
    gate = Gate(metric, min=0.05) if metric == "over_dummy" else Gate(metric, max=0.01)
    assert validated(name, gate, test=turned).verdict.status == "rejected"


@pytest.mark.parametrize("name", TASKS)
def test_differences_are_in_the_primary_metric_and_positive_where_the_model_is_better(name: str) -> None:
    metric, test = TASKS[name].metric, TASKS[name].table(400, 11)
    gates = tuple(Gate(gated, max=0.9) for gated in ("over_dummy", "over_rule", "train_gap", "slice_gap"))
    found = validated(name, *gates)
    sign = -1 if metric == "logloss" else 1
    rule = known(name).rule
    assert rule is not None
    by_rule = measured(baselines.follow(rule, test), test["target"], TASKS[name].calibration, 5)[metric]
    dummy = measured(baselines.follow_dummy(known(name), test), test["target"], TASKS[name].calibration, 5)[metric]
    worst = min(sign * value for s in found.slices if (value := s.values[metric]) is not None)
    mine = found.metrics[metric]
    assert value_of(found, "over_rule") == pytest.approx(sign * (mine - by_rule))
    assert value_of(found, "over_dummy") == pytest.approx(sign * (mine - dummy))
    assert value_of(found, "train_gap") == pytest.approx(sign * (TRAIN_SCORE[name] - mine))
    assert value_of(found, "slice_gap") == pytest.approx(sign * mine - worst)


def test_the_dummy_knows_nothing() -> None:
    share = TASKS["binary"].table(400, 11)["target"].mean()
    found, guess = validated().dummy, known("binary").dummy[0]
    assert found["auc"] == 0.5
    assert found["brier"] == pytest.approx(share * (1 - share) + (share - guess) ** 2)
    assert validated("multiclass").dummy["auc"] == 0.5
    assert validated("regression").dummy["r2"] <= 0


def test_a_baseline_is_not_measured_by_the_interval_of_the_model() -> None:
    found = validated("regression")
    assert found.rule is not None
    assert set(found.dummy) == set(found.rule) == {"r2", "rmse", "mae", "medae"}
    assert {"coverage", "width", "bias"} < set(found.metrics)


def test_the_primary_metric_may_be_another() -> None:
    found = validated("regression", Gate("over_dummy", min=0.0), metric="mae")
    assert value_of(found, "over_dummy") == pytest.approx(found.dummy["mae"] - found.metrics["mae"])
    with pytest.raises(ConfigError, match=r"problem\.metric: auc: this task has no such metric"):
        validated("regression", metric="auc")


@pytest.mark.parametrize("name", TASKS)
def test_behaviour_decides_its_gates(name: str) -> None:
    turned = replace(TASKS[name].later, expect="down")
    found = validated(name, Gate("direction", min=1.0), Gate("invariance", min=1.0), behaviour=(turned, FAR))
    assert [g.status for g in found.verdict.gates] == ["failed", "passed"]


def test_a_gate_on_behaviour_without_checks_is_unknown() -> None:
    assert validated("binary", Gate("direction", min=1.0), behaviour=()).verdict.status == "unknown"


def test_a_gate_on_slices_of_which_none_is_large_enough_is_unknown() -> None:
    assert validated("binary", Gate("slice_gap", max=0.5), slice_rows=10_000).verdict.status == "unknown"


def test_a_gate_on_a_rule_is_unknown_where_there_is_none() -> None:
    task = TASKS["binary"]
    requirements = Requirements("auc", (), (), (Gate("over_rule", min=0.0), Gate("over_dummy", min=0.0)))
    without = baselines.Baselines(known("binary").dummy)
    found = validate(task.scorer, task.table(400, 11), without, 0.8, CONFIG, requirements)
    assert [gate.status for gate in found.verdict.gates] == ["unknown", "passed"]
    assert report(found, without, CONFIG, "auc").baselines.rule is None


@pytest.mark.parametrize("metric", ["acu", "AUC", "over_dumy", ""])
def test_a_gate_on_an_unknown_metric_is_refused(metric: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?s)problem\.gates: unknown value: {metric}.*known: auc, .*slice_gap"):
        validated("binary", Gate(metric, min=0.1))


@pytest.mark.parametrize("name", TASKS)
def test_every_metric_and_every_other_value_can_be_gated(name: str) -> None:
    names = (*task_metrics(len(TASKS[name].calibration.classes)).NAMES, *GATED)
    unknown = [
        g.metric for g in validated(name, *(Gate(n, min=0.0) for n in names)).verdict.gates if g.status == "unknown"
    ]
    assert unknown == ["over_champion"]


def test_rows_that_break_a_rule_are_counted_and_not_evaluated() -> None:
    test = TASKS["binary"].table(400, 11)
    broken = {name: values.copy() for name, values in test.items()}
    broken["miles"][:3], broken["delay"][3] = -1, 1000
    found = validated(test=broken)
    assert found.rejected == {"delay not in -100..100": 1, "miles not in 0..5000": 3}
    assert found.metrics == validated(test=take(test, np.arange(4, 400))).metrics


def test_where_the_scorer_takes_no_row_there_is_nothing_to_evaluate() -> None:
    test = TASKS["binary"].table(40, 11)
    with pytest.raises(DataError, match=r"takes none of 40 test rows: \{'miles not in 0..5000': 40\}. Correct `clean`"):
        validated(test=test | {"miles": np.full(40, -1.0)})


@pytest.mark.parametrize("name", TASKS)
def test_intervals_hold_the_metrics_and_are_repeatable(name: str) -> None:
    found, metric = validated(name), TASKS[name].metric
    low, high = found.intervals[metric]
    assert low < found.metrics[metric] < high
    assert found.intervals == validated(name).intervals
    assert found.intervals != validated(name, seed=1).intervals


def test_whole_days_are_drawn() -> None:
    test = TASKS["binary"].table(400, 11)
    days = {name: np.tile(values, 6) for name, values in test.items()} | {"number": np.tile(np.arange(400.0), 6)}
    by_day, by_row = (validated(test=days, resample_by=by) for by in (("number",), ()))
    widths = [high - low for low, high in (found.intervals["brier"] for found in (by_day, by_row))]
    assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("rows", [1, 2, 6, 20])
def test_few_test_rows_are_evaluated_as_far_as_they_go(name: str, rows: int) -> None:
    test = take(TASKS[name].table(400, 11), np.arange(rows))
    found = validated(name, Gate("over_dummy", min=-0.9), test=test, bins=15, slice_rows=500)
    assert np.isfinite(found.metrics["mae" if name == "regression" else "brier"])
    assert (rows > 1) or np.isnan(list(found.intervals.values())).all()
    json.dumps(plain(found.verdict))


@pytest.mark.parametrize("name", ["binary", "multiclass"])
def test_test_rows_of_one_class_leave_a_gate_on_ranking_unknown(name: str) -> None:
    test = TASKS[name].table(400, 11)
    found = validated(name, Gate("auc", min=0.5), test=take(test, test["target"] == 1), metric="brier")
    assert found.verdict.status == "unknown"


def test_validating_changes_neither_rows_nor_scorer() -> None:
    test, scorer = TASKS["binary"].table(400, 11), TASKS["binary"].scorer
    before, model = {name: values.copy() for name, values in test.items()}, scorer.model
    validated(test=test)
    assert scorer.model == model
    assert all(repr(test[name].tolist()) == repr(before[name].tolist()) for name in test)


@pytest.mark.parametrize(
    ("name", "field"), [("binary", "positive"), ("multiclass", "shares"), ("regression", "deviation")]
)
def test_the_report_shows_what_was_evaluated_and_how(name: str, field: str) -> None:
    metric = TASKS[name].metric
    found = report(validated(name), known(name), CONFIG, metric)
    assert (found.task, found.metric, found.distribution.rows) == (name, metric, 400)
    assert getattr(found.distribution, field)
    assert (found.threshold is not None) == (name == "binary")
    rule = known(name).rule
    assert rule is not None
    assert found.baselines.rule is not None
    assert found.baselines.rule_column == rule.column == "delay"
    assert metric in found.baselines.dummy
    assert metric in found.baselines.rule
    assert [b.passed for b in found.behaviour] == [True, True]
    assert [s.level for s in found.slices] == ["AA", "B6", "UA"]
    assert all(next(iter(s.values)) == metric for s in found.slices)


@pytest.mark.parametrize("name", TASKS)
def test_the_stage_reads_test_rows_and_writes_every_file_of_every_task(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TASKS[name]
    monkeypatch.chdir(tmp_path)
    problem: dict[str, Any] = {
        "metric": task.metric,
        "slices": ["carrier"],
        "behaviour": [plain(task.later)],
        "gates": [],
    }
    problem |= {"decision": "Which?", "sign_off": {"role": "? who is responsible"}}
    paths.PARAMS.write_text(json.dumps({"validate": asdict(CONFIG), "problem": problem}), encoding="utf-8")
    paths.SCORER.mkdir(parents=True)
    task.scorer.save(paths.SCORER)
    write_columns(paths.TEST, task.table(400, 11))
    write_json(paths.BASELINES, asdict(known(name)))
    write_json(paths.TRAIN_REPORT, plain(TrainReport(TRAIN_SCORE[name], {}, "delay", task.calibration, {})))
    monkeypatch.setattr(module, "load", lambda kind, key: _load(kind, key, tmp_path))
    module.main()
    for file, columns in FILES.items():
        lines = (paths.ON_TEST / f"{file}.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == ",".join(columns)
        assert (len(lines) > 1) == (
            file in ("calibration", "residuals") if name == "regression" else file != "residuals"
        )
    metrics = json.loads(paths.TEST_METRICS.read_text(encoding="utf-8"))
    assert metrics[task.metric] == pytest.approx(validated(name).metrics[task.metric], rel=1e-5)
    written = read_typed(ValidateReport, paths.TEST_REPORT)
    assert written.task == name
    assert written.metrics == metrics
    assert json.loads(paths.VERDICT.read_text(encoding="utf-8")) == {
        "status": "draft",
        "gates": [],
        "unfinished": ["sign_off.role"],
    }


def _load(kind: Any, key: str, folder: Path) -> Any:
    """As `load` does, but of this folder: what it has read of another stays in memory."""
    part = json.loads((folder / paths.PARAMS).read_text(encoding="utf-8"))
    for name in key.split("."):
        part = part[name]
    return build(kind, part, key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interval": 1.0}, "interval 1 is outside"),
        ({"interval": 0.0}, "interval 0 is outside"),
        ({"resamples": 19}, "resamples must be at least 20"),
        ({"bins": 1}, "bins 2"),
        ({"slice_rows": 0}, "slice_rows 1"),
        ({"resample_by": "day"}, "resample_by: expected a list"),
        ({"resample": 3}, r"resample \(did you mean resamples\?\)"),
    ],
)
def test_a_configuration_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(ValidateConfig, asdict(CONFIG) | change, "validate")
