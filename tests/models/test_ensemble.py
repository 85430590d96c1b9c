from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from fullcircle.models.configs import EnsembleConfig, MemberConfig
from fullcircle.models.ensemble import FittedEnsemble, Member, fit, merged, pick, refit
from fullcircle.models.loss import loss
from fullcircle.models.sample import Sample
from fullcircle.scoring.scorer import Part, blended
from tests.models.made import (
    DUMMY,
    EXTRA_TREES,
    FOREST,
    LINEAR,
    TASKS,
    WIDTH,
    XGBOOST,
    apart,
    scorer_of,
    sides,
    silent,
)
from tests.models.made import fitted as alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.base.columns import Array

SHALLOW = replace(XGBOOST, max_depth=2, seed=1)
ALL: tuple[MemberConfig, ...] = (XGBOOST, FOREST, EXTRA_TREES, LINEAR, DUMMY, SHALLOW)
tasks = pytest.mark.parametrize("n_classes", TASKS.values(), ids=TASKS)


def ensemble(weights: dict[MemberConfig, float], n_classes: int = 2) -> FittedEnsemble:
    """An ensemble whose weights are given."""
    return FittedEnsemble(tuple(Member(i, m, alone(m, n_classes), w) for i, (m, w) in enumerate(weights.items())))


def fitted(*members: MemberConfig, picks: int = 20, n_classes: int = 2) -> FittedEnsemble:
    return fit(EnsembleConfig("ensemble", picks, members), *sides(n_classes), 1, silent)


# --- the choice of weights


def loss_of(margins: Sequence[Array], chosen: Sequence[int], y: Array, n_classes: int) -> float:
    """Loss of the mean of the chosen margins, as the textbook writes it."""
    lost = 0.0
    for row, target in enumerate(y):
        mean = [sum(margins[i][row][k] for i in chosen) / len(chosen) for k in range(margins[0].shape[1])]
        if n_classes == 0:
            lost += (mean[0] - target) ** 2
        elif n_classes == 2:
            p = 1 / (1 + math.exp(-mean[0]))
            lost -= math.log(p if target else 1 - p)
        else:
            lost -= math.log(math.exp(mean[int(target)]) / sum(map(math.exp, mean)))
    return lost / len(y) if n_classes else math.sqrt(lost / len(y))


def drawn(seed: int, members: int, n_classes: int, rows: int = 12) -> tuple[list[Array], Array]:
    random = np.random.default_rng(seed)
    margins = list(random.normal(size=(members, rows, n_classes if n_classes > 2 else 1)) * 2)
    y = random.integers(0, n_classes, rows) if n_classes else random.normal(size=rows)
    return margins, y.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 9999),
    members=st.integers(1, 5),
    picks=st.integers(1, 8),
    n_classes=st.sampled_from([*TASKS.values()]),
)
def test_each_pick_is_the_one_that_trying_all_of_them_finds_best(
    seed: int, members: int, picks: int, n_classes: int
) -> None:
    margins, y = drawn(seed, members, n_classes)
    chosen: list[int] = []
    for _ in range(picks):
        chosen.append(min(range(members), key=lambda i: round(loss_of(margins, [*chosen, i], y, n_classes), 12)))
    assert pick(margins, y, n_classes, picks) == [chosen.count(i) for i in range(members)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 9999),
    members=st.integers(1, 5),
    picks=st.integers(1, 30),
    n_classes=st.sampled_from([*TASKS.values()]),
)
def test_the_blend_is_no_worse_than_the_best_of_its_members(
    seed: int, members: int, picks: int, n_classes: int
) -> None:
    margins, y = drawn(seed, members, n_classes)
    counts = pick(margins, y, n_classes, picks)
    assert sum(counts) == picks
    chosen = [i for i, count in enumerate(counts) for _ in range(count)]
    best = min(loss_of(margins, [i], y, n_classes) for i in range(members))
    assert loss_of(margins, chosen, y, n_classes) <= best + 1e-9


def test_two_that_err_on_different_rows_are_both_picked_and_one_that_errs_everywhere_is_not() -> None:
    y = np.array([1.0, 1, 0, 0])
    margins = np.array([[3.0, -1, -3, 1], [-1.0, 3, 1, -3], [-5.0, -5, 5, 5]])[:, :, None]
    assert pick([*margins], y, 2, 10) == [5, 5, 0]


def test_a_tie_goes_to_the_earlier() -> None:
    margins, y = drawn(0, 1, 2)
    assert pick([margins[0], margins[0].copy()], y, 2, 7) == [7, 0]
    assert pick([margins[0], margins[0] * (1 + 1e-15)], y, 2, 7) == [7, 0]
    assert pick([margins[0] * (1 + 1e-15), margins[0]], y, 2, 7) == [7, 0]


# --- the fit


def test_weights_are_shares_of_the_picks_and_add_up_to_one() -> None:
    members = fitted(*ALL, picks=7).members
    assert len(members) > 1
    assert sum(member.weight for member in members) == pytest.approx(1, abs=1e-12)
    assert all(round(member.weight * 7, 12).is_integer() and member.weight > 0 for member in members)


@tasks
def test_one_pick_is_the_best_member_alone(n_classes: int) -> None:
    _, validation = sides(n_classes)
    losses = [loss(alone(config, n_classes).margin(validation.X), validation.y, n_classes) for config in ALL]
    (member,) = fitted(*ALL, picks=1, n_classes=n_classes).members
    assert (member.place, member.weight) == (int(np.argmin(losses)), 1.0)
    assert member.fitted.onnx() == alone(member.config, n_classes).onnx()


def test_a_useless_member_is_dropped() -> None:
    rows, _ = sides(2)  # on the rows it was fitted on, a shrunk model gains nothing from more shrinking
    estimator = fit(EnsembleConfig("ensemble", 20, (DUMMY, LINEAR)), rows, rows, 1, silent)
    assert [(member.place, member.config, member.weight) for member in estimator.members] == [(1, LINEAR, 1.0)]
    assert len(onnx.load_model_from_string(estimator.onnx()).graph.output) == 1


def test_the_order_of_members_moves_no_weight() -> None:
    weights = {member.config: member.weight for member in fitted(XGBOOST, FOREST, LINEAR).members}
    assert {member.config: member.weight for member in fitted(LINEAR, FOREST, XGBOOST).members} == weights


def test_a_member_is_fitted_as_it_is_alone_and_reports_no_rounds() -> None:
    heard: list[float] = []
    config = EnsembleConfig("ensemble", 20, (XGBOOST, FOREST))
    estimator = fit(config, *sides(2), 1, lambda train, _: heard.append(train))
    assert heard == []
    assert estimator.rounds is None
    for member in estimator.members:
        assert member.fitted.onnx() == alone(member.config).onnx()


def test_refitting_keeps_weights_and_each_member_its_rounds() -> None:
    train, validation = sides(2)
    first = fitted(XGBOOST, SHALLOW, LINEAR, FOREST)
    assert len(first.members) > 2
    config = EnsembleConfig("ensemble", 20, (XGBOOST, SHALLOW, LINEAR, FOREST))
    again = refit(config, train + validation, first, 1)
    assert again.parts == first.parts
    assert [m.place for m in again.members] == [m.place for m in first.members]
    assert [m.fitted.rounds for m in again.members] == [m.fitted.rounds for m in first.members]
    for one, other in zip(first.members, again.members, strict=True):
        assert one.fitted.onnx() != other.fitted.onnx()


def test_importance_is_the_weighted_mean_of_those_that_have_one() -> None:
    both = ensemble({XGBOOST: 0.25, LINEAR: 0.75})
    expected = 0.25 * alone(XGBOOST).importance() + 0.75 * alone(LINEAR).importance()
    np.testing.assert_allclose(both.importance(), expected, atol=1e-15)
    np.testing.assert_allclose(ensemble({DUMMY: 0.5, LINEAR: 0.5}).importance(), alone(LINEAR).importance(), atol=1e-15)
    assert not ensemble({DUMMY: 1.0}).importance().any()


# --- the way to ONNX


@pytest.mark.parametrize("members", [ALL, ALL[::-1], (LINEAR, DUMMY), (FOREST, replace(FOREST, seed=1))])
@tasks
def test_the_scorer_agrees_with_the_blend_on_every_row(members: tuple[MemberConfig, ...], n_classes: int) -> None:
    estimator = ensemble(dict.fromkeys(members, 1 / len(members)), n_classes)
    X = np.concatenate([side.X for side in sides(n_classes)])
    X = np.concatenate([X, np.random.default_rng(0).normal(size=X.shape).astype(np.float32) * 9])
    assert apart(estimator, X, n_classes) <= 1e-6


@tasks
def test_trees_are_blended_to_the_last_bit(n_classes: int) -> None:
    estimator = ensemble({XGBOOST: 0.35, SHALLOW: 0.4, FOREST: 0.25}, n_classes)
    for side in sides(n_classes):
        scorer = scorer_of(estimator, WIDTH, n_classes)
        assert scorer.margin(side.X).tobytes() == estimator.margin(side.X).tobytes()


@tasks
def test_parallel_map_each_graph_answers_to_the_last_bit_as_it_does_alone(n_classes: int) -> None:
    estimator = ensemble(dict.fromkeys(ALL, 1 / len(ALL)), n_classes)
    X = sides(n_classes)[1].X
    expected = blended(
        estimator.parts, [scorer_of(alone(config, n_classes), WIDTH, n_classes).margin(X) for config in ALL]
    )
    assert scorer_of(estimator, WIDTH, n_classes).margin(X).tobytes() == expected.tobytes()


def test_the_graph_has_one_input_an_output_a_member_and_no_name_twice() -> None:
    estimator = ensemble(dict.fromkeys(ALL, 1 / len(ALL)))
    kinds = ["margin", "probability", "probability", "margin", "margin", "margin"]
    assert [part.output for part in estimator.parts] == kinds
    model = onnx.load_model_from_string(estimator.onnx())
    onnx.checker.check_model(model, full_check=True)
    assert [given.name for given in model.graph.input] == ["features"]
    assert [output.name for output in model.graph.output] == [
        "member0_outputs", "member1_outputs", "member2_outputs", "member3_margin", "member4_margin",
        "member5_outputs",
    ]  # fmt: skip
    made = [name for node in model.graph.node for name in node.output] + [i.name for i in model.graph.initializer]
    assert len(made) == len(set(made))
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 15), ("ai.onnx.ml", 3)]


def test_the_same_members_are_the_same_bytes_and_another_order_is_another_graph() -> None:
    assert fitted(XGBOOST, FOREST, LINEAR).onnx() == fitted(XGBOOST, FOREST, LINEAR).onnx()
    assert ensemble({XGBOOST: 0.5, LINEAR: 0.5}).onnx() != ensemble({LINEAR: 0.5, XGBOOST: 0.5}).onnx()


def test_graphs_of_different_operator_versions_are_not_merged() -> None:
    graph = alone(LINEAR).onnx()
    other = onnx.load_model_from_string(graph)
    other.opset_import[0].CopyFrom(helper.make_opsetid("", 14))
    with pytest.raises(ValueError, match="members need versions 15 and 14 of ''"):
        merged([graph, other.SerializeToString()])


def test_a_part_has_the_weight_of_its_member() -> None:
    assert ensemble({FOREST: 0.25, LINEAR: 0.75}).parts == (Part("probability", 0.25), Part("margin", 0.75))


# --- many rows


def test_of_more_rows_than_it_takes_an_ensemble_takes_some_evenly_spaced() -> None:
    train, validation = sides(2)
    config = EnsembleConfig("ensemble", 10, (XGBOOST, LINEAR), max_rows=150)
    every_fourth = Sample(train.X[::4], train.y[::4])
    few = fit(config, train, validation, 1, silent)
    assert few.onnx() == fit(replace(config, max_rows=None), every_fourth, validation, 1, silent).onnx()
    assert few.onnx() == fit(replace(config, max_rows=150), every_fourth, validation, 1, silent).onnx()
    assert refit(config, train, few, 1).onnx() == refit(config, every_fourth, few, 1).onnx()
