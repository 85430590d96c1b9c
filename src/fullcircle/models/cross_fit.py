"""Cross-fitting: each row's margin by a model that was not fitted on it, and the model refitted on all rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median_high
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.errors import DataError
from fullcircle.core.threads import parallel_map_blas
from fullcircle.models import Fitted, model_of
from fullcircle.models.configs import MemberConfig
from fullcircle.models.ensemble import FittedEnsemble, Member, unknown_names, weights_of
from fullcircle.scoring.predictions import outputs_of
from fullcircle.scoring.scorer import blended

if TYPE_CHECKING:
    from fullcircle.models import ModelConfig, OnRound
    from fullcircle.models.sample import Sample


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """`fitted`: the model of all rows. `margin`: float64 (rows, outputs), each row's by a model that never saw it.

    Nor was that model stopped at its best for the row's fold: it has the median of the other folds' rounds.
    """

    fitted: Fitted
    margin: Array


def cross_fit(config: ModelConfig, sample: Sample, fold: Array, threads: int, on_round: OnRound) -> CrossFitted:
    """Fit once a fold on all other folds, with the fold as validation rows; then fit on all rows.

    `fold`: int (rows,), any numbers. The last fit is of as many rounds as the median fold's; an ensemble's weights are
    chosen on the margins of all rows. Fits run side by side, `threads` at a time, with a thread each, so that no result
    but the last fit of a model on its own depends on `threads`. `on_round` hears the first fold, and not an ensemble's.
    Raises DataError where one fold is all there is, or one class all that the others have.
    """
    _check_folds(sample, fold)
    if config.name != "ensemble":
        found = _crossed((config,), sample, fold, threads, on_round)
        (fitted,) = parallel_map_blas(lambda alone: alone.refit(sample, threads), found, 1)
        return CrossFitted(fitted, found[0].margin)
    crossed = _crossed(config.members, sample, fold, threads, unknown_names)
    picked = weights_of(config, [member.margin for member in crossed], sample)
    fits = parallel_map_blas(lambda place: crossed[place].refit(replace(sample, made={}), 1), picked, threads)
    estimator = FittedEnsemble(
        tuple(
            Member(place, config.members[place], fitted, weight)
            for (place, weight), fitted in zip(picked.items(), fits, strict=True)
        )
    )
    return CrossFitted(estimator, blended(estimator.parts, [crossed[place].margin for place in picked]))


@dataclass(frozen=True, slots=True)
class _Crossed:
    """A model that was fitted once a fold: `first` of these fits, the median of their rounds, all rows' margins."""

    config: MemberConfig
    first: Fitted
    rounds: int | None
    margin: Array

    def refit(self, sample: Sample, threads: int) -> Fitted:
        """Fit on all rows, with the rounds of the median fold."""
        chosen: Fitted = replace(cast("Any", self.first), rounds=self.rounds)
        return model_of(self.config).refit(self.config, sample, chosen, threads)


def _crossed(
    configs: tuple[MemberConfig, ...], sample: Sample, fold: Array, threads: int, on_round: OnRound
) -> list[_Crossed]:
    """Fit each of `configs` once per fold, with the fold as validation rows, and predict the fold."""
    folds = np.unique(fold)

    def fit(job: tuple[MemberConfig, int]) -> Fitted:
        config, held_out = job
        heard = on_round if held_out == folds[0] else unknown_names
        return model_of(config).fit(config, sample.take(fold != held_out), sample.take(fold == held_out), 1, heard)

    fits = iter(parallel_map_blas(fit, [(config, held_out) for config in configs for held_out in folds], threads))
    return [_of_folds(config, [next(fits) for _ in folds], sample, fold, threads) for config in configs]


def _of_folds(config: MemberConfig, fits: list[Fitted], sample: Sample, fold: Array, threads: int) -> _Crossed:
    """Predict each fold by its fit. The fold stopped that fit when it was best for the fold, which is optimistic.

    So the others' rounds count; a fit that was stopped before them predicts with all the rounds that it has.
    """
    folds = np.unique(fold)
    rounds = [fitted.rounds for fitted in fits if fitted.rounds is not None]

    def margin_of(place: int) -> Array:
        others = rounds[:place] + rounds[place + 1 :]
        fitted: Fitted = replace(cast("Any", fits[place]), rounds=median_high(others)) if others else fits[place]
        return fitted.margin(sample.X[fold == folds[place]])

    margin = np.empty((len(fold), outputs_of(sample.n_classes)))
    for held_out, part in zip(folds, parallel_map_blas(margin_of, range(len(folds)), threads), strict=True):
        margin[fold == held_out] = part
    return _Crossed(config, fits[0], median_high(rounds) if rounds else None, margin)


def _check_folds(sample: Sample, fold: Array) -> None:
    folds = np.unique(fold)
    if len(folds) < 2:
        raise DataError(f"cross-fitting {len(fold):,} rows needs at least 2 folds, and finds {len(folds)}")
    for held_out in folds if sample.n_classes else ():
        if len(np.unique(sample.y[fold != held_out])) < 2:
            raise DataError(
                f"all {(fold != held_out).sum():,} rows outside fold {held_out} are of one class; nothing can be "
                "learnt there. Draw folds that are stratified by class, or fewer of them"
            )
