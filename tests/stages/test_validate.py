from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.core.problem import Behaviour, Gate
from fullcircle.evaluation import baselines
from fullcircle.evaluation.gates import GATED
from fullcircle.evaluation.metrics import NAMES, evaluate, predictions
from fullcircle.runtime.columns import Columns, take
from fullcircle.runtime.errors import ConfigError
from fullcircle.runtime.typed import build, plain
from fullcircle.stages.validate import ValidateConfig, Validated, demand_gates, report, validate
from tests.builders import INPUTS, labelled, only_inputs, trained

if TYPE_CHECKING:
    from fullcircle.runtime.scorer import Scorer

CONFIG = ValidateConfig(60, ("month", "day"), 0.95, 50, 5, 0)
TEST = labelled(400, seed=11)
LATER = Behaviour("later", "delay_1h", "up", add=20.0, tolerance=0.1, share=0.5)
FAR = Behaviour("further", "distance", "same", add=1.0, tolerance=0.5, share=0.5)
GATES = (Gate("auc", min=0.5), Gate("over_dummy", min=0.0), Gate("over_champion", min=0.0))


@cache
def known() -> baselines.Baselines:
    return baselines.fit(labelled(600, 0), labelled(300, 1), list(INPUTS))


def judged(gates: tuple[Gate, ...] = GATES, test: Columns | None = None, **changes: Any) -> Validated:
    scorer = changes.pop("scorer", trained().scorer)
    rows = TEST if test is None else test
    return validate(scorer, rows, known(), 0.8, replace(CONFIG, **changes), ("carrier", "month"), (LATER, FAR), gates)


def test_metrics_are_those_of_the_scorer_on_the_test_rows() -> None:
    scorer = trained().scorer
    expected = evaluate(predictions(scorer.probability(only_inputs(TEST)), TEST["target"], scorer.spec.threshold, 5))
    assert judged().metrics == expected


def test_a_good_enough_model_is_blessed() -> None:
    assert judged().verdict.status == "blessed"


@pytest.mark.parametrize(
    "gate",
    [
        Gate("auc", min=0.99), Gate("brier", max=0.01), Gate("ece", max=0.0), Gate("over_dummy", min=0.6),
        Gate("over_rule", min=0.5), Gate("train_gap", max=-0.5), Gate("slice_gap", max=-0.5),
    ],
    ids=lambda gate: gate.metric,
)  # fmt: skip
def test_a_gate_that_is_too_high_rejects_the_model(gate: Gate) -> None:
    verdict = judged((*GATES, gate)).verdict
    assert verdict.status == "rejected"
    assert [g.metric for g in verdict.gates if g.status == "failed"] == [gate.metric]


def test_a_model_that_knows_nothing_is_rejected() -> None:
    gates = (Gate("over_dummy", min=0.05),)
    verdict = judged(gates, scorer=trained("dummy").scorer).verdict
    assert verdict.status == "rejected"
    assert verdict.gates[0].value == 0


def test_behaviour_decides_its_gates() -> None:
    gates = (Gate("direction", min=1.0), Gate("invariance", min=1.0))
    assert judged(gates).verdict.status == "blessed"
    turned = replace(LATER, expect="down", tolerance=0.0)
    found = validate(trained().scorer, TEST, known(), 0.8, CONFIG, ("carrier",), (turned, FAR), gates)
    assert [g.status for g in found.verdict.gates] == ["failed", "passed"]


def test_a_gate_on_behaviour_without_checks_is_unknown() -> None:
    found = validate(trained().scorer, TEST, known(), 0.8, CONFIG, ("carrier",), (), (Gate("direction", min=1.0),))
    assert found.verdict.status == "unknown"


def test_a_gate_on_slices_of_which_none_is_large_enough_is_unknown() -> None:
    assert judged((Gate("slice_gap", max=0.5),), slice_rows=10_000).verdict.status == "unknown"


def test_the_gap_to_training_is_what_training_has_more() -> None:
    found = judged((Gate("train_gap", max=1.0),))
    assert found.verdict.gates[0].value == pytest.approx(0.8 - found.metrics["auc"])


@pytest.mark.parametrize("metric", ["acu", "AUC", "over_dumy", ""])
def test_a_gate_on_an_unknown_metric_is_refused(metric: str) -> None:
    with pytest.raises(ConfigError, match=f"problem.gates: no metric {metric}. Known: auc, .*slice_gap"):
        demand_gates((Gate("auc", min=0.5), Gate(metric, min=0.1)))
    with pytest.raises(ConfigError, match="no metric"):
        judged((Gate(metric, min=0.1),))


def test_every_metric_and_every_other_value_can_be_gated() -> None:
    gates = tuple(Gate(metric, min=-1.0) for metric in (*NAMES, *GATED))
    unknown = [g.metric for g in judged(gates).verdict.gates if g.status == "unknown"]
    assert unknown == ["over_champion"]


def test_rows_that_break_a_rule_are_counted_and_not_judged() -> None:
    broken = {name: values.copy() for name, values in TEST.items()}
    broken["distance"][:3], broken["month"][3] = -1, 13
    found = judged(test=broken)
    assert found.rejected == {"distance not in 10..6000": 3, "month not in 1..12": 1}
    assert found.metrics == judged(test=take(TEST, np.arange(4, 400))).metrics


def test_intervals_hold_the_metrics_and_are_repeatable() -> None:
    found = judged()
    low, high = found.intervals["auc"]
    assert low < found.metrics["auc"] < high
    assert found.intervals == judged().intervals
    assert found.intervals != judged(seed=1).intervals


def test_whole_days_are_drawn() -> None:
    days = {name: np.tile(values, 6) for name, values in TEST.items()}  # each day's rows six times
    by_day, by_row = (
        judged(test=days | {"row": np.arange(2400.0)}, resample_by=by) for by in (("month", "day"), ("row",))
    )
    widths = [high - low for low, high in (found.intervals["brier"] for found in (by_day, by_row))]
    assert widths[0] > 1.5 * widths[1]


def test_the_baselines_are_those_of_the_test_rows() -> None:
    found, share = judged().baselines, TEST["target"].mean()
    assert found["dummy_auc"] == 0.5
    assert found["dummy_brier"] == pytest.approx(share * (1 - share) + (share - known().share) ** 2)
    assert found["rule_auc"] == baselines.auc(baselines.follow(known().rule, TEST), TEST["target"])


def test_validating_changes_neither_rows_nor_scorer() -> None:
    scorer: Scorer = trained().scorer
    before, model = {name: values.copy() for name, values in TEST.items()}, scorer.model
    judged()
    assert scorer.model == model
    assert all(repr(TEST[name].tolist()) == repr(before[name].tolist()) for name in TEST)


def test_the_report_says_what_was_judged_and_how() -> None:
    found = report(judged(), known(), CONFIG)
    assert found["rows"] == 400
    assert found["resampled_by"] == ["month", "day"]
    assert found["baselines"]["rule_column"] == known().rule.column
    assert [b["passed"] for b in found["behaviour"]] == [True, True]
    assert {s["column"] for s in found["slices"]} == {"carrier", "month"}


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
        build(ValidateConfig, plain(CONFIG) | change, "validate")
