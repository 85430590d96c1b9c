from __future__ import annotations

import math

import pytest

from fullcircle.evaluation.gates import GATED
from fullcircle.evaluation.tasks import task_metrics
from fullcircle.report.terms import MEANINGS, Wording, digits_of, name_of_any, plain, wording_of
from fullcircle.scoring.verdict import GateResult
from tests.report.made import TASKS, of_numbers, of_task

CLASSES = {"binary": 2, "multiclass": 3, "regression": 0}


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_of_a_task_has_a_meaning_and_none_that_it_does_not_have(task: str) -> None:
    assert list(MEANINGS[task]) == list(task_metrics(CLASSES[task]).NAMES)


@pytest.mark.parametrize("task", TASKS)
def test_all_that_a_gate_may_be_on_has_a_name(task: str) -> None:
    say = wording_of(of_task(task))
    assert all(say.name(gated) != gated for gated in (*say.metrics.NAMES, *GATED))


def test_a_gate_says_on_which_side_better_is() -> None:
    higher, lower = Wording(task_metrics(0), "regression", "r2"), Wording(task_metrics(0), "regression", "rmse")
    assert higher.name("over_rule") == "R² above the best single rule"
    assert lower.name("over_rule") == "RMSE below the best single rule"
    assert lower.name("train_gap") == "RMSE gap to training rows"


@pytest.mark.parametrize(
    ("values", "digits"),
    [([77.1], 2), ([0.0421], 5), ([79_000.0], 0), ([1e9], 0), ([], 2), ([0.0], 2), ([None, math.nan, 5.0], 3)],
)
def test_digits_are_those_that_tell(values: list[float | None], digits: int) -> None:
    assert digits_of(values) == digits


def test_only_what_is_in_the_unit_of_the_target_has_its_digits() -> None:
    say = wording_of(of_numbers(3000.0, "EUR"))
    assert say.value("mae", 129_632.7) == "129,633"
    assert say.value("r2", 0.43121) == "0.4312"
    assert say.value("over_rule", 0.1) == "0.1000"
    assert Wording(say.metrics, "regression", "rmse", "EUR", 0).value("over_rule", 1233.6) == "1,234"
    assert say.meaning("mae").endswith("; in EUR")
    assert "EUR" not in say.meaning("r2")


def test_a_threshold_is_written_as_it_was_given() -> None:
    assert [plain(v) for v in (0.7, 250_000.0, -0.05, None)] == ["0.7", "250,000", "−0.05", "–"]
    say = wording_of(of_numbers())
    assert say.require(GateResult("mae", 1.0, None, 2_500_000.0, 0.0, "passed", "")) == "≤ 2,500,000"


def test_long_names_are_short_at_the_head_of_a_tile() -> None:
    assert wording_of(of_task("binary")).title("auc") == "ROC AUC"
    assert wording_of(of_task("regression")).title("r2") == "R²"
    assert wording_of(of_task("multiclass")).title("ece") == "ECE"


def test_a_metric_of_any_task_has_a_name() -> None:
    named = [name_of_any(name) for name in ("auc", "r2", "bacc", "rounds")]
    assert named == ["ROC AUC", "R², share of variance explained", "balanced accuracy", "rounds"]
