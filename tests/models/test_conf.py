"""The files of conf/model/, as people choose them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml

from fullcircle.base.typed import build
from fullcircle.models import ModelConfig
from fullcircle.models.configs import CatBoostConfig, EnsembleConfig, LightGBMConfig
from fullcircle.models.cross_fit import cross_fit
from fullcircle.models.loss import loss
from tests.models.made import DUMMY, TASKS, apart, fit, fitted, sides, silent

if TYPE_CHECKING:
    from typing import Any

FILES = sorted(Path("conf/model").glob("*.yaml"))
tasks = pytest.mark.parametrize("n_classes", TASKS.values(), ids=TASKS)


def config_of(file: Path) -> ModelConfig:
    config: Any = build(ModelConfig, yaml.safe_load(file.read_text(encoding="utf-8")), "model")  # type: ignore[arg-type]
    return config  # type: ignore[no-any-return]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_is_a_model(file: Path) -> None:
    config = config_of(file)
    assert file.stem.removesuffix("_fast") == config.name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@tasks
def test_each_file_is_fitted_and_answers_alike_in_its_scorer(file: Path, n_classes: int) -> None:
    train, validation = sides(n_classes)
    estimator = fit(config_of(file), train, validation)
    assert apart(estimator, validation.X, n_classes) <= 1e-6


@tasks
def test_the_default_for_an_unknown_table_is_cross_fitted(n_classes: int) -> None:
    train, validation = sides(n_classes)
    crossed = cross_fit(config_of(Path("conf/model/ensemble.yaml")), train, np.arange(len(train.y)) % 3, 2, silent)
    assert apart(crossed.fitted, validation.X, n_classes) <= 1e-6
    dull = loss(fitted(DUMMY, n_classes).margin(validation.X), validation.y, n_classes)
    assert loss(crossed.fitted.margin(validation.X), validation.y, n_classes) < 0.7 * dull


def test_the_default_for_an_unknown_table_needs_no_extra_and_bounds_its_rows() -> None:
    blend = config_of(Path("conf/model/ensemble.yaml"))
    assert isinstance(blend, EnsembleConfig)
    assert blend.max_rows
    assert not any(isinstance(member, (LightGBMConfig, CatBoostConfig)) for member in blend.members)
