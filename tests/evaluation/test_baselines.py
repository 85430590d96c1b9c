from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fullcircle.core.tables import read_json, write_json
from fullcircle.evaluation.baselines import Baselines, auc, fit, follow
from fullcircle.runtime.columns import Columns, take
from fullcircle.runtime.typed import build
from tests.builders import text

if TYPE_CHECKING:
    from pathlib import Path

nan = float("nan")


def table(rows: int, seed: int) -> Columns:
    random = np.random.default_rng(seed)
    target = (random.random(rows) < 0.3).astype(float)
    return {
        "noise": random.normal(size=rows),
        "delay": np.where(random.random(rows) < 0.1, nan, target * 20 + random.normal(0, 15, rows)),
        "carrier": text(np.where(random.random(rows) < 0.6, target, random.integers(0, 3, rows))),
        "target": target,
    }


TRAIN, VALIDATION = table(3000, 0), table(1000, 1)
INPUTS = ["noise", "delay", "carrier"]


def test_the_rule_with_the_best_auc_on_validation_rows_is_kept() -> None:
    found = fit(TRAIN, VALIDATION, INPUTS)
    by_column = {name: fit(TRAIN, VALIDATION, [name]).rule for name in INPUTS}
    aucs = {name: auc(follow(rule, VALIDATION), VALIDATION["target"]) for name, rule in by_column.items()}
    assert found.rule.column == max(aucs, key=lambda name: aucs[name]) != "noise"
    assert fit(TRAIN, VALIDATION, ["noise", "delay"]).rule.column == "delay"


def test_the_share_is_that_of_training_rows() -> None:
    assert fit(TRAIN, VALIDATION, INPUTS).share == pytest.approx(TRAIN["target"].mean())


def test_of_equal_rules_the_first_wins() -> None:
    twice = [{"b": t["delay"], "a": t["delay"], "target": t["target"]} for t in (TRAIN, VALIDATION)]
    assert fit(twice[0], twice[1], ["b", "a"]).rule.column == "b"


def test_a_category_gives_the_smoothed_share_of_its_level() -> None:
    train: Columns = {
        "c": np.array(["a"] * 30 + ["b"] * 10 + [None] * 10, dtype=object),
        "target": np.repeat([1.0, 0.0], 25),
    }
    rule = fit(train, train, ["c"]).rule
    asked = {"c": np.array(["a", "b", "z", None], dtype=object)}
    assert follow(rule, asked).tolist() == pytest.approx([(25 + 5) / 40, (0 + 5) / 20, 0.5, 0.5])


def test_null_has_a_share_of_its_own() -> None:
    values = np.concatenate([np.linspace(0, 1, 80), np.full(20, nan)])
    train: Columns = {"x": values, "target": np.concatenate([np.tile([0.0, 1.0], 40), np.ones(20)])}
    rule = fit(train, train, ["x"]).rule
    assert follow(rule, {"x": np.array([nan])}).tolist() == pytest.approx([(20 + 10 * 0.6) / 30])
    assert follow(rule, {"x": np.array([nan])})[0] > follow(rule, {"x": np.linspace(0, 1, 50)}).max()


def test_a_column_of_nulls_says_what_is_known_anyway() -> None:
    train: Columns = {"x": np.full(10, nan), "target": np.tile([0.0, 1.0], 5)}
    assert follow(fit(train, train, ["x"]).rule, {"x": np.array([3.0, nan])}).tolist() == [0.5, 0.5]


def test_a_value_beyond_those_of_training_is_in_the_last_bin() -> None:
    rule = fit(TRAIN, VALIDATION, ["delay"]).rule
    low, high = np.nanmin(TRAIN["delay"]), np.nanmax(TRAIN["delay"])
    asked = follow(rule, {"delay": np.array([low, low - 1e9, high, high + 1e9])})
    assert asked[0] == asked[1] < asked[2] == asked[3]


def test_rules_are_fitted_on_training_rows_alone() -> None:
    poisoned = take(VALIDATION, np.arange(1000)) | {"target": 1 - VALIDATION["target"]}
    assert fit(TRAIN, VALIDATION, ["delay"]) == fit(TRAIN, poisoned, ["delay"])


def test_auc_is_that_of_scikit_learn() -> None:
    p = np.round(np.random.default_rng(0).random(500), 2)
    assert auc(p, TRAIN["target"][:500]) == pytest.approx(roc_auc_score(TRAIN["target"][:500], p))


@pytest.mark.parametrize("column", INPUTS)
def test_baselines_come_back_from_their_file(tmp_path: Path, column: str) -> None:
    found = fit(TRAIN, VALIDATION, [column])
    write_json(tmp_path / "b.json", asdict(found))
    again = build(Baselines, read_json(tmp_path / "b.json"))
    np.testing.assert_allclose(follow(again.rule, VALIDATION), follow(found.rule, VALIDATION), rtol=1e-5)
    assert json.loads((tmp_path / "b.json").read_text())["rule"]["column"] == column
