from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from fullcircle.models.configs import EnsembleConfig, MemberConfig
from fullcircle.models.ensemble import FittedEnsemble, Member, fit, pick, refit, side_by_side
from fullcircle.runtime.scorer import Part, blended, sigmoid
from tests.builders import DUMMY, FOREST, LINEAR, XGBOOST, samples, silent
from tests.models.test_models import fit as fit_alone
from tests.models.test_models import scorer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.models import Fitted
    from fullcircle.runtime.columns import Array

SHALLOW = replace(XGBOOST, max_depth=2, seed=1)
ALL: tuple[MemberConfig, ...] = (XGBOOST, FOREST, LINEAR, DUMMY, SHALLOW)


@cache
def alone(config: MemberConfig) -> Fitted:
    """Shared by tests: do not change it."""
    return fit_alone("ensemble", config)


def ensemble(weights: dict[MemberConfig, float]) -> FittedEnsemble:
    """An ensemble whose weights are given."""
    return FittedEnsemble(tuple(Member(i, m, alone(m), w) for i, (m, w) in enumerate(weights.items())))


def fitted(*members: MemberConfig, picks: int = 20) -> FittedEnsemble:
    return fit(EnsembleConfig("ensemble", picks, members), *samples("ensemble"), 1, silent)


# --- the choice of weights


def loss_of(margins: Sequence[Array], chosen: Sequence[int], y: Array) -> float:
    """Log loss of the mean of the chosen margins, as the textbook writes it."""
    lost = 0.0
    for row, positive in enumerate(y):
        p = 1 / (1 + math.exp(-sum(margins[i][row] for i in chosen) / len(chosen)))
        lost -= math.log(p if positive else 1 - p)
    return lost / len(y)


def drawn(seed: int, members: int, rows: int = 12) -> tuple[list[Array], Array]:
    random = np.random.default_rng(seed)
    return list(random.normal(size=(members, rows)) * 2), (random.random(rows) < 0.5).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), members=st.integers(1, 5), picks=st.integers(1, 8))
def test_each_pick_is_the_one_that_trying_all_of_them_finds_best(seed: int, members: int, picks: int) -> None:
    margins, y = drawn(seed, members)
    chosen: list[int] = []
    for _ in range(picks):
        chosen.append(min(range(members), key=lambda i: round(loss_of(margins, [*chosen, i], y), 12)))
    assert pick(margins, y, picks) == [chosen.count(i) for i in range(members)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), members=st.integers(1, 5), picks=st.integers(1, 30))
def test_the_blend_is_no_worse_than_the_best_of_its_members(seed: int, members: int, picks: int) -> None:
    margins, y = drawn(seed, members)
    counts = pick(margins, y, picks)
    assert sum(counts) == picks
    chosen = [i for i, count in enumerate(counts) for _ in range(count)]
    assert loss_of(margins, chosen, y) <= min(loss_of(margins, [i], y) for i in range(members)) + 1e-9


def test_two_that_err_on_different_rows_are_both_picked_and_one_that_errs_everywhere_is_not() -> None:
    y = np.array([1.0, 1, 0, 0])
    margins = [np.array([3.0, -1, -3, 1]), np.array([-1.0, 3, 1, -3]), np.array([-5.0, -5, 5, 5])]
    assert pick(margins, y, 10) == [5, 5, 0]


def test_a_tie_goes_to_the_earlier() -> None:
    margins, y = drawn(0, 1)
    assert pick([margins[0], margins[0].copy()], y, 7) == [7, 0]
    assert pick([margins[0], margins[0] * (1 + 1e-15)], y, 7) == [7, 0]
    assert pick([margins[0] * (1 + 1e-15), margins[0]], y, 7) == [7, 0]


# --- the fit


def test_weights_are_shares_of_the_picks_and_add_up_to_one() -> None:
    members = fitted(*ALL, picks=7).members
    assert len(members) > 1
    assert sum(member.weight for member in members) == pytest.approx(1, abs=1e-12)
    assert all(round(member.weight * 7, 12).is_integer() and member.weight > 0 for member in members)


def test_one_pick_is_the_best_member_alone() -> None:
    _, validation = samples("ensemble")
    margins = [alone(config).margin(validation.X) for config in ALL]
    losses = [(np.logaddexp(0, margin) - validation.y * margin).sum() for margin in margins]
    (member,) = fitted(*ALL, picks=1).members
    assert (member.place, member.weight) == (int(np.argmin(losses)), 1.0)
    assert member.fitted.onnx() == alone(member.config).onnx()


def test_a_useless_member_is_dropped() -> None:
    rows, _ = samples("ensemble")  # on the rows it was fitted on, a shrunk model gains nothing from more shrinking
    estimator = fit(EnsembleConfig("ensemble", 20, (DUMMY, LINEAR)), rows, rows, 1, silent)
    assert [(member.place, member.config, member.weight) for member in estimator.members] == [(1, LINEAR, 1.0)]
    assert len(onnx.load_model_from_string(estimator.onnx()).graph.output) == 1


def test_the_order_of_members_moves_no_weight() -> None:
    weights = {member.config: member.weight for member in fitted(XGBOOST, FOREST, LINEAR).members}
    assert {member.config: member.weight for member in fitted(LINEAR, FOREST, XGBOOST).members} == weights


def test_a_member_is_fitted_as_it_is_alone_and_reports_no_rounds() -> None:
    heard: list[float] = []
    config = EnsembleConfig("ensemble", 20, (XGBOOST, FOREST))
    estimator = fit(config, *samples("ensemble"), 1, lambda train, _: heard.append(train))
    assert heard == []
    assert estimator.rounds is None
    for member in estimator.members:
        assert member.fitted.onnx() == alone(member.config).onnx()


def test_refitting_keeps_weights_and_each_member_its_rounds() -> None:
    train, validation = samples("ensemble")
    first = fitted(XGBOOST, SHALLOW, LINEAR, FOREST)
    assert len(first.members) > 2
    config = EnsembleConfig("ensemble", 20, (XGBOOST, SHALLOW, LINEAR, FOREST))
    again = refit(config, train + validation, first, 1)
    assert again.parts == first.parts
    assert [m.place for m in again.members] == [m.place for m in first.members]
    assert [m.fitted.rounds for m in again.members] == [m.fitted.rounds for m in first.members]
    for one, other in zip(first.members, again.members, strict=True):
        assert one.fitted.onnx() != other.fitted.onnx()


def test_the_summary_says_place_weight_and_rounds() -> None:
    assert ensemble({XGBOOST: 0.25, LINEAR: 0.75}).summary() == [
        {"place": 0, "weight": 0.25, "rounds": alone(XGBOOST).rounds},
        {"place": 1, "weight": 0.75, "rounds": None},
    ]


def test_importance_is_the_weighted_mean_of_those_that_have_one() -> None:
    both = ensemble({XGBOOST: 0.25, LINEAR: 0.75})
    expected = 0.25 * alone(XGBOOST).importance() + 0.75 * alone(LINEAR).importance()
    np.testing.assert_allclose(both.importance(), expected, atol=1e-15)
    np.testing.assert_allclose(ensemble({DUMMY: 0.5, LINEAR: 0.5}).importance(), alone(LINEAR).importance(), atol=1e-15)
    assert not ensemble({DUMMY: 1.0}).importance().any()


# --- the way to ONNX


@pytest.mark.parametrize("members", [ALL, ALL[::-1], (LINEAR, DUMMY), (FOREST, replace(FOREST, seed=1))])
def test_the_scorer_agrees_with_the_blend_on_every_row(members: tuple[MemberConfig, ...]) -> None:
    estimator = ensemble(dict.fromkeys(members, 1 / len(members)))
    X = np.concatenate([side.X for side in samples("ensemble")])
    X = np.concatenate([X, np.random.default_rng(0).normal(size=X.shape).astype(np.float32) * 3])
    scorer = scorer_of(estimator, X.shape[1])
    np.testing.assert_allclose(sigmoid(scorer.margin(X)), sigmoid(estimator.margin(X)), rtol=0, atol=1e-6)


def test_boosted_members_are_blended_to_the_last_bit() -> None:
    estimator = ensemble({XGBOOST: 0.35, SHALLOW: 0.65})
    for side in samples("ensemble"):
        scorer = scorer_of(estimator, side.X.shape[1])
        assert scorer.margin(side.X).tobytes() == estimator.margin(side.X).tobytes()


def test_side_by_side_each_graph_answers_to_the_last_bit_as_it_does_alone() -> None:
    estimator = ensemble(dict.fromkeys(ALL, 0.2))
    X = samples("ensemble")[1].X
    width = X.shape[1]
    expected = blended(estimator.parts, [scorer_of(alone(config), width).margin(X) for config in ALL])
    assert scorer_of(estimator, width).margin(X).tobytes() == expected.tobytes()


def test_the_graph_has_one_input_an_output_a_member_and_no_name_twice() -> None:
    estimator = ensemble(dict.fromkeys(ALL, 0.2))
    assert [part.output for part in estimator.parts] == ["margin", "probability", "margin", "margin", "margin"]
    model = onnx.load_model_from_string(estimator.onnx())
    onnx.checker.check_model(model, full_check=True)
    assert [given.name for given in model.graph.input] == ["features"]
    assert [output.name for output in model.graph.output] == [
        "member0_probabilities", "member1_probabilities", "member2_margin", "member3_margin", "member4_probabilities",
    ]  # fmt: skip
    made = [name for node in model.graph.node for name in node.output] + [i.name for i in model.graph.initializer]
    assert len(made) == len(set(made))
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 15), ("ai.onnx.ml", 1)]


def test_the_same_members_are_the_same_bytes_and_another_order_is_another_graph() -> None:
    assert fitted(XGBOOST, FOREST, LINEAR).onnx() == fitted(XGBOOST, FOREST, LINEAR).onnx()
    assert ensemble({XGBOOST: 0.5, LINEAR: 0.5}).onnx() != ensemble({LINEAR: 0.5, XGBOOST: 0.5}).onnx()


def test_graphs_of_different_operator_versions_are_not_merged() -> None:
    graph = alone(LINEAR).onnx()
    other = onnx.load_model_from_string(graph)
    other.opset_import[0].CopyFrom(helper.make_opsetid("", 14))
    with pytest.raises(ValueError, match="members need versions 15 and 14 of ''"):
        side_by_side([graph, other.SerializeToString()])


def test_a_part_has_the_weight_of_its_member() -> None:
    assert ensemble({FOREST: 0.25, LINEAR: 0.75}).parts == (Part("probability", 0.25), Part("margin", 0.75))
