"""Models: estimators by name, and their way to ONNX. A model's library is imported when the model is fitted."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from fullcircle.models.configs import EnsembleConfig, MemberConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.columns import Array
    from fullcircle.models.sample import Sample
    from fullcircle.scoring.scorer import Part

    OnRound: TypeAlias = Callable[[float, float], None]  # loss on training and on validation rows, a round

ModelConfig: TypeAlias = MemberConfig | EnsembleConfig


class Fitted(Protocol):
    """An estimator that was fitted. One that has rounds may be asked for fewer or more: `replace(fitted, rounds=9)`."""

    @property
    def rounds(self) -> int | None:
        """Rounds that validation chose, and that count, as far as it has so many; None for a model without rounds."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the ONNX graph gives: a part for each of its last outputs."""

    def margin(self, X: Array) -> Array:
        """The estimator's own margin, float64 (rows, outputs), for float32 `X` (rows, features)."""

    def importance(self) -> Array:
        """How much each feature counts, float64 (features,), summing to 1 (or all 0)."""

    def onnx(self) -> bytes:
        """The same model as an ONNX graph: float32 (rows, features) in, `parts` last among its outputs."""


class Model(Protocol):
    """A module of this room: how one kind of estimator is fitted."""

    def fit(self, config: ModelConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> Fitted:
        """Fit on training rows, choosing what is to be chosen (such as rounds) on validation rows."""

    def refit(self, config: ModelConfig, sample: Sample, fitted: Fitted, threads: int) -> Fitted:
        """Fit on all rows with what `fit`, which gave `fitted`, chose on validation rows."""


def model_of(config: ModelConfig) -> Model:
    """The module that fits `config`."""
    return cast("Model", import_module(f"fullcircle.models.{config.name}"))
