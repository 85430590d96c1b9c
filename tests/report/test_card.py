from __future__ import annotations

from dataclasses import replace

import pytest

from fullcircle.core.problem import SignOff
from fullcircle.evaluation.reports import Member
from fullcircle.evaluation.slices import Slice
from fullcircle.report.card import plain, render
from fullcircle.report.terms import wording_of
from fullcircle.scoring.predictions import BinaryCalibration
from fullcircle.scoring.verdict import GateResult, Verdict
from tests.report.made import INPUTS, TASKS, comparison, facts, judgement, of_classes, of_numbers, of_task, problem


def test_the_card_lists_every_input_column() -> None:
    card = render(facts())
    rows = [line for line in card.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(INPUTS)
    assert "| `weight` | number | 0..30 | no | kg |" in card
    assert "| `rain_1h` | number | 0..∞ | yes | mm |" in card


@pytest.mark.parametrize("task", TASKS)
def test_the_card_gives_metrics_verdict_limits_and_provenance(task: str) -> None:
    whole = of_task(task)
    card, say = render(whole), wording_of(whole)
    for name, value in whole.tested.metrics.items():
        interval = say.interval(name, whole.tested.intervals.get(name))
        assert f"| {say.name(name)} | {say.value(name, value)} | {interval} |" in card
    for part in (
        f"**{whole.verdict.status.upper()}.**",
        "It knows nothing of letters.",
        "ab" * 32,
        "numpy 2.4.0",
        "(not signed yet)",
    ):
        assert part in card
    assert "fullcircle score dist/bundle in.csv out.csv" in card


def test_the_card_names_the_worst_slices_and_those_not_judged() -> None:
    assert "| depot | 2 | 0.740 (south) | 0.060 (south) | 0.600 (south) | east |" in render(facts())
    several = render(of_classes())
    assert "| column | levels evaluated | highest log loss | lowest accuracy | highest ECE | not evaluated |" in several
    assert "| depot | 2 | 0.360 (south) | 0.880 (south) | 0.070 (south) | none |" in several
    assert "| depot | 2 | 0.390 (south) | 45.0 (south) | −6.0 (south) | none |" in render(of_numbers())


def test_the_card_says_what_a_forecast_is() -> None:
    assert "It gives the probability of `lost`, and raises an alarm from 0.200 (a miss costs 4" in render(facts())
    assert "alarm from 0.200 (where it is the more probable)" in render(facts(problem=problem(costs=None)))
    assert "each of 3 classes, and predicts the most probable: `adelie`, `chinstrap`, `gentoo`." in render(of_classes())
    assert "a number in mm, and an interval around it that reaches 90.25 mm to either side" in render(of_numbers())


@pytest.mark.parametrize("task", TASKS)
def test_every_heading_of_the_card_stands_alone(task: str) -> None:
    lines = render(of_task(task)).splitlines()
    headings = [i for i, line in enumerate(lines) if line.startswith("## ")]
    assert len(headings) == 11
    assert all(lines[i - 1] == lines[i + 1] == "" for i in headings)


@pytest.mark.parametrize("task", TASKS)
def test_every_row_of_a_table_has_the_cells_of_its_head(task: str) -> None:
    cells = 0
    for line in render(of_task(task)).splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        cells = cells or line.count("|")
        assert line.count("|") == cells, line


def test_the_card_does_without_what_is_optional() -> None:
    asked = problem(slices=(), behaviour=(), limits=(), sign_off=SignOff("chief", "A. B."))
    judged = judgement(slices=(), behaviour=(), intervals={})
    calibration = BinaryCalibration("binary", "found", "lost", 1.0, 0.0, 0.2)
    fit = replace(facts().fit, rounds=None, calibration=calibration)
    card = render(facts(problem=asked, tested=judged, versions={}, fit=fit))
    assert "Made with" not in card
    assert "rounds" not in card
    assert "chief, A. B." in card
    assert "as the model gives them" in card


def test_the_card_names_the_model_with_its_parameters_and_rounds() -> None:
    assert "\nforest (trees 40), 3 rounds; 2 features of 3 input columns" in render(facts())
    without = replace(facts().fit, rounds=None)
    assert "\ndummy; 2 features" in render(facts(model={"name": "dummy"}, fit=without))


def test_the_card_names_each_member_of_an_ensemble_with_its_weight() -> None:
    members = [{"name": "xgboost", "max_depth": 6}, {"name": "forest", "trees": 9}, {"name": "linear", "c": 1.0}]
    fit = replace(facts().fit, rounds=None, members=(Member(0, 0.65, 427), Member(2, 0.35, None)))
    card = render(facts(model={"name": "ensemble", "picks": 20, "members": members}, fit=fit))
    assert "ensemble of xgboost + linear, 1 not picked; 2 features" in card
    assert "\n- 0.65 of xgboost (max_depth 6), 427 rounds\n- 0.35 of linear (c 1.0)\n\n" in card


def test_what_the_data_holds_cannot_break_the_card() -> None:
    level = "a|b\n<script>"
    card = render(
        facts(tested=judgement(slices=(Slice("depot", level, 10, (0.1,), dict.fromkeys(("auc", "ece", "rec"))),)))
    )
    assert "| depot | 0 | – | – | – | a\\|b &lt;script> |" in card
    assert plain("3 < 4, then") == "3 < 4, then"
    assert plain("[free](http://x), [1, 2]") == "[free\\](http://x), [1, 2]"
    classes = render(of_classes((level, "b", "c")))
    assert "`a\\|b &lt;script>`" in classes
    assert "<script" not in classes


def test_equal_facts_give_equal_cards() -> None:
    assert render(facts()) == render(facts())


def test_the_card_says_that_no_champion_is_registered() -> None:
    gate = GateResult("over_champion", None, 0.0, None, None, "unknown", "", "no champion is registered")
    card = render(facts(verdict=Verdict("blessed", (gate,))))
    assert "| AUC above the champion | – | ≥ 0 | unknown: no champion is registered |\n" in card
    assert "Champion" not in card


def test_the_card_compares_with_the_champion_in_a_sentence() -> None:
    card = render(facts(tested=judgement(champion=comparison())))
    assert (
        "Champion 1.2.0 has ROC AUC 0.8000 on the 1,990 test rows that both score; this model is better by 0.0120 "
        "(90% interval −0.0010 – 0.0250), and by −0.0050 in the slice that gains least (depot south).\n"
    ) in card
    assert "\n\n## How to call it" in card
    missing = comparison(overall=None, slices=(), reason="it has another target")
    assert "Champion 1.2.0" not in render(facts(tested=judgement(champion=missing)))
