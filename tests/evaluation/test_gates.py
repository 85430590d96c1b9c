from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build
from fullcircle.core.problem import Gate, SignOff, unfinished
from fullcircle.evaluation import binary, multiclass, regression
from fullcircle.evaluation.gates import GATED, check_gates, evaluate_gates

if TYPE_CHECKING:
    from fullcircle.evaluation.tasks import TaskMetrics
    from fullcircle.scoring.verdict import Verdict

AUC, ECE, CHAMPION = Gate("auc", min=0.7), Gate("ece", max=0.1), Gate("over_champion", min=0.0)
GOOD: dict[str, float | None] = {"auc": 0.75, "ece": 0.05, "over_champion": None}


def verdict(**values: float | None) -> Verdict:
    return evaluate_gates((AUC, ECE, CHAMPION), GOOD | values)


def test_a_model_that_passes_every_gate_is_blessed() -> None:
    assert verdict(over_champion=0.01).status == "blessed"


@pytest.mark.parametrize(("metric", "value"), [("auc", 0.699), ("ece", 0.101), ("over_champion", -0.001)])
def test_each_gate_can_fail_by_itself(metric: str, value: float) -> None:
    found = verdict(**{metric: value})
    assert found.status == "rejected"
    assert [g.metric for g in found.gates if g.status == "failed"] == [metric]


def test_the_margin_is_positive_on_the_right_side() -> None:
    auc, ece, _ = verdict(auc=0.75, ece=0.12).gates
    assert auc.margin == pytest.approx(0.05)
    assert ece.margin == pytest.approx(-0.02)
    assert verdict(auc=0.65, ece=0.02).gates[0].margin == pytest.approx(-0.05)
    assert verdict(auc=0.65, ece=0.02).gates[1].margin == pytest.approx(0.08)


def test_the_threshold_itself_is_passed() -> None:
    assert verdict(auc=0.7, ece=0.1, over_champion=0.0).status == "blessed"


def test_while_the_problem_is_unfinished_no_model_is_blessed() -> None:
    gates, open_ = (AUC, ECE), ("decision",)
    assert evaluate_gates(gates, GOOD, open_).status == "draft"
    assert evaluate_gates(gates, GOOD, open_).unfinished == open_
    assert evaluate_gates(gates, GOOD | {"auc": 0.1}, open_).status == "rejected"
    assert evaluate_gates(gates, GOOD | {"auc": None}, open_).status == "unknown"


def test_what_a_draft_leaves_open_is_unfinished() -> None:
    assert unfinished("? Who decides", SignOff("? who")) == ("decision", "sign_off.role")
    assert unfinished("Which flights get a team?", SignOff("head of operations")) == ()


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_value_that_could_not_be_had_leaves_the_verdict_unknown(value: float | None) -> None:
    found = verdict(auc=value)
    assert found.status == "unknown"
    gate = found.gates[0]
    assert (gate.status, gate.value, gate.margin) == ("unknown", None, None)


def test_a_value_that_nobody_gave_leaves_the_verdict_unknown() -> None:
    assert evaluate_gates((AUC,), {}).status == "unknown"


def test_no_champion_is_no_obstacle() -> None:
    found = verdict(over_champion=None)
    assert found.status == "blessed"
    assert found.gates[2].status == "unknown"


def test_a_failed_gate_outweighs_an_unknown_one() -> None:
    assert verdict(auc=None, ece=0.5).status == "rejected"


@settings(max_examples=60, deadline=None)
@given(st.floats(-1, 1), st.floats(-2, 2), st.booleans())
def test_the_margin_and_the_status_agree(bound: float, value: float, least: bool) -> None:
    gate = Gate("auc", min=bound) if least else Gate("auc", max=bound)
    (found,) = evaluate_gates((gate,), {"auc": value}).gates
    assert found.margin is not None
    assert (found.status == "passed") == (found.margin >= 0) == (value >= bound if least else value <= bound)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"metric": "auc"}, "a min or a max"),
        ({"metric": "auc", "min": 0.1, "max": 0.2}, "a min or a max"),
        ({"metric": "auc", "mim": 0.7}, r"mim \(did you mean min\?\)"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Gate, data, "problem.gates[0]")


@pytest.mark.parametrize(
    ("task", "metric", "gate"),
    [
        (binary, "auc", Gate("auc", min=70)),
        (binary, "auc", Gate("auc", max=-0.5)),
        (binary, "auc", Gate("auc", max=float("nan"))),
        (binary, "auc", Gate("logloss", max=-0.1)),
        (binary, "auc", Gate("logloss", max=float("inf"))),
        (binary, "auc", Gate("over_dummy", min=1.5)),
        (binary, "auc", Gate("direction", min=-1.0)),
        (multiclass, "logloss", Gate("brier", max=2.5)),
        (regression, "rmse", Gate("r2", min=1.01)),
        (regression, "rmse", Gate("rmse", max=-1.0)),
        (regression, "r2", Gate("coverage", min=90)),
    ],
)
def test_a_gate_that_could_never_fail_or_never_be_passed_is_refused(task: TaskMetrics, metric: str, gate: Gate) -> None:
    with pytest.raises(ConfigError, match=rf"problem\.gates: {gate.metric}: threshold .* is outside"):
        check_gates((gate,), task, metric)


@pytest.mark.parametrize(
    ("task", "metric", "gates"),
    [
        (binary, "auc", (Gate("auc", min=0.7), Gate("logloss", max=3.0), Gate("over_dummy", min=0.1))),
        (binary, "logloss", (Gate("over_dummy", min=2.0), Gate("train_gap", max=5.0))),
        (multiclass, "logloss", (Gate("brier", max=1.5), Gate("bacc", min=0.5))),
        (regression, "r2", (Gate("r2", min=-2.0), Gate("over_rule", min=1.5), Gate("bias", min=-500.0))),
        (regression, "mae", (Gate("mae", max=1e6), Gate("over_dummy", min=1e5), Gate("width", max=1e6))),
    ],
)
def test_a_gate_in_the_range_of_its_value_is_taken(task: TaskMetrics, metric: str, gates: tuple[Gate, ...]) -> None:
    check_gates(gates, task, metric)


@pytest.mark.parametrize("task", [binary, multiclass, regression])
def test_every_metric_and_every_other_value_of_a_task_can_be_gated(task: TaskMetrics) -> None:
    check_gates(tuple(Gate(name, min=0.0) for name in (*task.NAMES, *GATED)), task, task.PRIMARY)


def test_a_gate_on_a_value_of_another_task_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"(?s)unknown value: auc.*known: r2, rmse, .*slice_gap"):
        check_gates((Gate("auc", min=0.5),), regression, "r2")
    with pytest.raises(ConfigError, match=r"unknown value: over_dumy \(did you mean over_dummy\?\)"):
        check_gates((Gate("over_dumy", min=0.5),), binary, "auc")


def test_gates_in_a_primary_metric_that_is_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"problem\.metric: r2: this task has no such metric"):
        check_gates((), binary, "r2")
