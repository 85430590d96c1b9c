from __future__ import annotations

from dataclasses import replace
from statistics import median_high
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.base.errors import DataError
from fullcircle.models import model_of
from fullcircle.models.configs import EnsembleConfig, MemberConfig
from fullcircle.models.cross_fit import cross_fit
from fullcircle.models.ensemble import FittedEnsemble, pick
from fullcircle.models.loss import loss
from fullcircle.models.sample import Sample
from tests.models.made import DUMMY, FOREST, LINEAR, MODELS, TASKS, XGBOOST, fit, sample, sides, silent

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.models import OnRound

names = pytest.mark.parametrize("name", MODELS)
tasks = pytest.mark.parametrize("n_classes", TASKS.values(), ids=TASKS)
FOLD = (np.arange(600) * 7 % 13 % 3) + 5
MEMBERS: tuple[MemberConfig, ...] = (XGBOOST, FOREST, LINEAR, DUMMY)


def halves(rows: Sample, held_out: int) -> tuple[Sample, Sample]:
    """The rows outside a fold, and those inside."""
    outside, inside = (
        Sample(rows.X[chosen], rows.y[chosen], rows.n_classes) for chosen in (held_out != FOLD, held_out == FOLD)
    )
    return outside, inside


def by_hand(config: MemberConfig, rows: Sample) -> tuple[Array, list[int]]:
    """Margins of all rows, each fold's by a fit on the others, and the rounds of the fits.

    A fit has the higher of the two rounds that the two other fits were stopped at, or as many as it went through.
    """
    margin = np.full((len(rows.y), rows.n_classes if rows.n_classes > 2 else 1), np.nan)
    through: dict[int, int] = dict.fromkeys((5, 6, 7), 0)

    def counted(held_out: int) -> OnRound:
        def count(train: float, validation: float) -> None:
            through[held_out] += 1

        return count

    fits = {held_out: fit(config, *halves(rows, held_out), on_round=counted(held_out)) for held_out in through}
    for held_out, fitted in fits.items():
        told = fitted
        if fitted.rounds is not None:
            others = max(other.rounds or 0 for place, other in fits.items() if place != held_out)
            told = replace(fitted, rounds=min(others, through[held_out]))  # type: ignore[type-var]
        margin[held_out == FOLD] = told.margin(halves(rows, held_out)[1].X)
    return margin, [fitted.rounds for fitted in fits.values() if fitted.rounds is not None]


@pytest.mark.parametrize("config", MEMBERS)
@tasks
def test_each_row_is_foretold_by_a_fit_on_the_other_folds(config: MemberConfig, n_classes: int) -> None:
    rows, _ = sides(n_classes)
    margin, _ = by_hand(config, rows)
    assert cross_fit(config, rows, FOLD, 2, silent).margin.tolist() == margin.tolist()


@tasks
def test_no_fold_is_foretold_by_a_fit_that_it_stopped_at_its_best(n_classes: int) -> None:
    rows, _ = sides(n_classes)
    config = replace(XGBOOST, max_rounds=200, patience=5)
    margin = cross_fit(config, rows, FOLD, 1, silent).margin
    assert margin.tolist() == by_hand(config, rows)[0].tolist()
    stopped = np.full_like(margin, np.nan)
    for held_out in (5, 6, 7):
        train, validation = halves(rows, held_out)
        stopped[held_out == FOLD] = fit(config, train, validation).margin(validation.X)
    assert loss(margin, rows.y, n_classes) > loss(stopped, rows.y, n_classes)


def test_no_row_tells_of_itself() -> None:
    rows, _ = sides(0)
    first = cross_fit(FOREST, rows, FOLD, 1, silent).margin
    y = rows.y.copy()
    y[FOLD == 6] = -50
    poisoned = cross_fit(FOREST, Sample(rows.X, y, 0), FOLD, 1, silent).margin
    assert poisoned[FOLD == 6].tolist() == first[FOLD == 6].tolist()
    assert (poisoned[FOLD != 6] < first[FOLD != 6]).all()


@tasks
def test_the_model_is_refitted_on_all_rows_for_the_rounds_of_the_median_fold(n_classes: int) -> None:
    rows, _ = sides(n_classes)
    config = replace(XGBOOST, max_rounds=200, patience=5)
    _, rounds = by_hand(config, rows)
    assert len(set(rounds)) > 1
    fitted = cross_fit(config, rows, FOLD, 1, silent).fitted
    assert fitted.rounds == median_high(rounds)
    alone = fit(config, *sides(n_classes))
    expected = model_of(config).refit(config, rows, replace(alone, rounds=median_high(rounds)), 1)  # type: ignore[type-var]
    assert fitted.onnx() == expected.onnx()


@tasks
def test_the_members_of_an_ensemble_are_weighed_on_all_rows_and_refitted_on_them(n_classes: int) -> None:
    rows, _ = sides(n_classes)
    crossed = cross_fit(EnsembleConfig("ensemble", 10, MEMBERS), rows, FOLD, 2, silent)
    margins = [by_hand(config, rows)[0] for config in MEMBERS]
    counts = pick(margins, rows.y, n_classes, 10)
    assert isinstance(crossed.fitted, FittedEnsemble)
    assert {m.place: m.weight for m in crossed.fitted.members} == {i: n / 10 for i, n in enumerate(counts) if n}
    np.testing.assert_allclose(crossed.margin, sum(n / 10 * m for n, m in zip(counts, margins, strict=True)), atol=1e-9)
    for member in crossed.fitted.members:
        alone = cross_fit(member.config, rows, FOLD, 1, silent).fitted
        assert member.fitted.rounds == alone.rounds
        assert member.fitted.onnx() == alone.onnx()


@tasks
def test_a_blend_of_crossed_members_is_no_worse_than_the_best_of_them(n_classes: int) -> None:
    rows, _ = sides(n_classes)
    blend = cross_fit(EnsembleConfig("ensemble", 20, MEMBERS), rows, FOLD, 2, silent)
    losses = [loss(by_hand(config, rows)[0], rows.y, n_classes) for config in MEMBERS]
    assert loss(blend.margin, rows.y, n_classes) <= min(losses) + 1e-9


@names
def test_neither_a_second_time_nor_threads_move_a_bit(name: str) -> None:
    rows, _ = sides(4)
    first, again = (cross_fit(MODELS[name], rows, FOLD, threads, silent) for threads in (1, 2))
    assert first.margin.tobytes() == again.margin.tobytes()
    if name != "xgboost":  # the last fit of one model has all threads
        assert first.fitted.onnx() == again.fitted.onnx()
    assert again.fitted.onnx() == cross_fit(MODELS[name], rows, FOLD, 2, silent).fitted.onnx()


def test_the_first_fold_alone_is_heard() -> None:
    rows, _ = sides(2)

    def told(heard: list[tuple[float, float]]) -> OnRound:
        return lambda *losses: heard.append(losses)

    crossed, alone, nothing = [], [], []  # type: ignore[var-annotated]
    cross_fit(XGBOOST, rows, FOLD, 2, told(crossed))
    fit(XGBOOST, *halves(rows, 5), on_round=told(alone))
    assert crossed == alone != []
    cross_fit(EnsembleConfig("ensemble", 10, MEMBERS), rows, FOLD, 2, told(nothing))
    assert nothing == []


def test_what_goes_wrong_in_one_fold_is_raised() -> None:
    def stop(train: float, validation: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_fit(XGBOOST, sides(2)[0], FOLD, 2, stop)


@names
def test_a_fold_may_hold_all_rows_of_a_class(name: str) -> None:
    rows = sample(4, 120, 0)
    crossed = cross_fit(MODELS[name], rows, rows.y.astype(int) // 2 + 3 * (rows.y == 3).astype(int), 1, silent)
    assert np.isfinite(crossed.margin).all()


def test_folds_that_cannot_be_are_refused() -> None:
    rows, _ = sides(2)
    with pytest.raises(DataError, match="600 rows needs at least 2 folds, and finds 1"):
        cross_fit(DUMMY, rows, np.zeros(600, int), 1, silent)
    with pytest.raises(DataError, match="all 300 rows outside fold 0 are of one class"):
        cross_fit(DUMMY, rows, rows.y.astype(int), 1, silent)
