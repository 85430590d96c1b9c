from __future__ import annotations

from dataclasses import replace

from fullcircle.core.problem import SignOff
from fullcircle.evaluation.slices import Slice
from fullcircle.report import words
from fullcircle.report.card import plain, render
from fullcircle.report.facts import Member
from tests.report.made import INPUTS, facts, judgement, problem


def test_the_card_lists_every_input_column() -> None:
    card = render(facts())
    rows = [line for line in card.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(INPUTS)
    assert "| `weight` | number | 0..30 | no | kg |" in card
    assert "| `rain_1h` | number | 0..∞ | yes | mm |" in card


def test_the_card_gives_metrics_verdict_limits_and_provenance() -> None:
    whole = facts()
    card = render(whole)
    for name, value in whole.tested.metrics.items():
        interval = words.interval(whole.tested.intervals.get(name))
        assert f"| {words.name_of(name)} | {words.number(value)} | {interval} |" in card
    for part in (
        "**BLESSED.**",
        "It knows nothing of letters.",
        "ab" * 32,
        "numpy 2.4.0",
        "(not signed yet)",
    ):
        assert part in card
    assert "fullcircle score dist/bundle in.csv out.csv" in card
    assert "| depot | 2 | 0.740 (south) | 0.060 (south) | 0.600 (south) | east |" in card


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    cells = 0
    for line in render(facts()).splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        cells = cells or line.count("|")
        assert line.count("|") == cells, line


def test_the_card_does_without_what_is_optional() -> None:
    asked = problem(slices=(), behaviour=(), limits=(), sign_off=SignOff("chief", "A. B."))
    judged = judgement(slices=(), behaviour=(), intervals={})
    raw_fit = replace(facts().fit, rounds=None, calibration={"slope": 1.0, "intercept": 0.0})
    card = render(facts(problem=asked, tested=judged, versions={}, fit=raw_fit))
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
    said = "ensemble of 0.65 of xgboost (max_depth 6), 427 rounds + 0.35 of linear (c 1.0), 1 not picked; 2 features"
    assert said in card


def test_what_the_data_holds_cannot_break_the_card() -> None:
    level = "a|b\n<script>"
    card = render(facts(tested=judgement(slices=(Slice("depot", level, 10, 0.1, None, None, None),))))
    assert "| depot | 0 | – | – | – | a\\|b &lt;script> |" in card
    assert plain("3 < 4, then") == "3 < 4, then"


def test_equal_facts_give_equal_cards() -> None:
    assert render(facts()) == render(facts())
