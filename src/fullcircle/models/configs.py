"""The parameters of each model; conf/model/NAME.yaml says what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


def _check(value: float, low: float, high: float, name: str) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} {value:g} is outside {low:g}..{high:g}")


def _check_rows(max_rows: int | None) -> None:
    if max_rows is not None:
        _check(max_rows, 100, 1e12, "max_rows")


def _check_boosting(config: XGBoostConfig | LightGBMConfig | CatBoostConfig) -> None:
    """What boosted trees of every library have in common."""
    _check(config.max_rounds, 1, 100_000, "max_rounds")
    _check(config.patience, 1, 100_000, "patience")
    _check(config.learning_rate, 1e-6, 1, "learning_rate")
    _check(config.l2, 0, 1e9, "l2")
    _check(config.max_bin, 2, 4096, "max_bin")


@dataclass(frozen=True, slots=True)
class XGBoostConfig:
    """Gradient boosted trees."""

    name: Literal["xgboost"]
    max_rounds: int
    patience: int
    learning_rate: float
    max_depth: int
    min_child_weight: float
    subsample: float
    colsample: float
    l2: float
    max_bin: int
    seed: int

    def __post_init__(self) -> None:
        _check_boosting(self)
        _check(self.max_depth, 1, 20, "max_depth")
        _check(self.min_child_weight, 0, 1e9, "min_child_weight")
        _check(self.subsample, 0.01, 1, "subsample")
        _check(self.colsample, 0.01, 1, "colsample")


@dataclass(frozen=True, slots=True)
class ForestConfig:
    """Random forest. `max_rows`: a tree sees so many rows at most; None: there is no limit."""

    name: Literal["forest"]
    trees: int
    max_depth: int
    min_leaf: int
    max_features: float
    max_samples: float
    seed: int
    max_rows: int | None = None

    def __post_init__(self) -> None:
        _check(self.trees, 1, 10_000, "trees")
        _check(self.max_depth, 1, 60, "max_depth")
        _check(self.min_leaf, 1, 1e9, "min_leaf")
        _check(self.max_features, 0.01, 1, "max_features")
        _check(self.max_samples, 0.01, 1, "max_samples")
        _check_rows(self.max_rows)


@dataclass(frozen=True, slots=True)
class ExtraTreesConfig:
    """Extremely randomized trees. `max_rows`: a tree sees so many rows at most, drawn; None: all rows."""

    name: Literal["extra_trees"]
    trees: int
    max_depth: int
    min_leaf: int
    max_features: float
    seed: int
    max_rows: int | None = None

    def __post_init__(self) -> None:
        _check(self.trees, 1, 10_000, "trees")
        _check(self.max_depth, 1, 60, "max_depth")
        _check(self.min_leaf, 1, 1e9, "min_leaf")
        _check(self.max_features, 0.01, 1, "max_features")
        _check_rows(self.max_rows)


@dataclass(frozen=True, slots=True)
class LinearConfig:
    """Logistic regression, or ridge regression of a number."""

    name: Literal["linear"]
    c: float
    max_iterations: int

    def __post_init__(self) -> None:
        _check(self.c, 1e-9, 1e9, "c")
        _check(self.max_iterations, 1, 1_000_000, "max_iterations")


@dataclass(frozen=True, slots=True)
class DummyConfig:
    """The share of each class in training, or the mean."""

    name: Literal["dummy"]


@dataclass(frozen=True, slots=True)
class MLPConfig:
    """A small neural network. A step takes `batch` rows, or more where a pass would be more than `steps` steps.

    Of more than `max_rows` rows, as many are learnt from, evenly spaced.
    """

    name: Literal["mlp"]
    max_rounds: int
    patience: int
    learning_rate: float
    layers: int
    width: int
    batch: int
    steps: int
    l2: float
    seed: int
    max_rows: int | None = None

    def __post_init__(self) -> None:
        _check_rows(self.max_rows)
        _check(self.max_rounds, 1, 100_000, "max_rounds")
        _check(self.patience, 1, 100_000, "patience")
        _check(self.learning_rate, 1e-6, 1, "learning_rate")
        _check(self.layers, 1, 8, "layers")
        _check(self.width, 1, 4096, "width")
        _check(self.batch, 1, 1_000_000, "batch")
        _check(self.steps, 1, 1_000_000, "steps")
        _check(self.l2, 0, 1e9, "l2")


@dataclass(frozen=True, slots=True)
class LightGBMConfig:
    """Gradient boosted trees that grow leaf by leaf."""

    name: Literal["lightgbm"]
    max_rounds: int
    patience: int
    learning_rate: float
    leaves: int
    min_leaf: int
    subsample: float
    colsample: float
    l2: float
    max_bin: int
    seed: int

    def __post_init__(self) -> None:
        _check_boosting(self)
        _check(self.leaves, 2, 100_000, "leaves")
        _check(self.min_leaf, 1, 1e9, "min_leaf")
        _check(self.subsample, 0.01, 1, "subsample")
        _check(self.colsample, 0.01, 1, "colsample")


@dataclass(frozen=True, slots=True)
class CatBoostConfig:
    """Gradient boosted symmetric trees."""

    name: Literal["catboost"]
    max_rounds: int
    patience: int
    learning_rate: float
    max_depth: int
    l2: float
    max_bin: int
    seed: int

    def __post_init__(self) -> None:
        _check_boosting(self)
        _check(self.max_depth, 1, 16, "max_depth")


MemberConfig: TypeAlias = (
    XGBoostConfig
    | LightGBMConfig
    | CatBoostConfig
    | ForestConfig
    | ExtraTreesConfig
    | MLPConfig
    | LinearConfig
    | DummyConfig
)


@dataclass(frozen=True, slots=True)
class EnsembleConfig:
    """A blend of other models. `max_rows`: they are fitted on so many rows at most; None: on all."""

    name: Literal["ensemble"]
    picks: int
    members: tuple[MemberConfig, ...]
    max_rows: int | None = None

    def __post_init__(self) -> None:
        _check(self.picks, 1, 1000, "picks")
        _check_rows(self.max_rows)
        if len(self.members) < 2:
            raise ValueError(f"an ensemble needs at least 2 members, and has {len(self.members)}")
        for place, member in enumerate(self.members):
            if (first := self.members.index(member)) < place:
                raise ValueError(f"members[{place}] is the same model as members[{first}]")
