from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fullcircle.base.checks import Column
from fullcircle.base.columns import Columns, take
from fullcircle.base.typed import build
from fullcircle.core.tables import read_json, write_json
from fullcircle.evaluation import baselines
from fullcircle.evaluation.baselines import Baselines, follow, follow_dummy
from fullcircle.evaluation.tasks import measured
from tests.evaluation.made import NUMBER, THREE, column, text, two

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.base.columns import Array
    from fullcircle.evaluation.rules import OneRule

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


def spec(names: list[str]) -> dict[str, Column]:
    return {name: Column("category" if name in ("carrier", "c") else "number") for name in names}


def fit(train: Columns, validation: Columns, names: list[str], metric: str = "auc") -> Baselines:
    return baselines.fit(train, validation, spec(names), two(), metric)


def rule_of(train: Columns, validation: Columns, names: list[str]) -> OneRule:
    rule = fit(train, validation, names).rule
    assert rule is not None
    return rule


def auc(predicted: Array, target: Array) -> float:
    return measured(predicted, target, two(), 16)["auc"]


def test_the_rule_with_the_best_auc_on_validation_rows_is_kept() -> None:
    found = rule_of(TRAIN, VALIDATION, INPUTS)
    by_column = {name: rule_of(TRAIN, VALIDATION, [name]) for name in INPUTS}
    aucs = {name: auc(follow(rule, VALIDATION), VALIDATION["target"]) for name, rule in by_column.items()}
    assert found.column == max(aucs, key=lambda name: aucs[name]) != "noise"
    assert rule_of(TRAIN, VALIDATION, ["noise", "delay"]).column == "delay"


def test_the_share_is_that_of_training_rows() -> None:
    found = fit(TRAIN, VALIDATION, INPUTS)
    assert found.dummy == pytest.approx((TRAIN["target"].mean(),))
    assert follow_dummy(found, VALIDATION).tolist() == [[found.dummy[0]]] * 1000


def test_of_equal_rules_the_first_wins() -> None:
    twice = [{"b": t["delay"], "a": t["delay"], "target": t["target"]} for t in (TRAIN, VALIDATION)]
    assert rule_of(twice[0], twice[1], ["b", "a"]).column == "b"


def test_a_category_predicts_the_smoothed_share_of_its_level() -> None:
    train: Columns = {
        "c": np.array(["a"] * 30 + ["b"] * 10 + [None] * 10, dtype=object),
        "target": np.repeat([1.0, 0.0], 25),
    }
    rule = rule_of(train, train, ["c"])
    rows = {"c": np.array(["a", "b", "z", None], dtype=object)}
    assert follow(rule, rows)[:, 0].tolist() == pytest.approx([(25 + 5) / 40, (0 + 5) / 20, 0.5, 0.5])


def test_null_has_its_own_share() -> None:
    values = np.concatenate([np.linspace(0, 1, 80), np.full(20, nan)])
    train: Columns = {"x": values, "target": np.concatenate([np.tile([0.0, 1.0], 40), np.ones(20)])}
    rule = rule_of(train, train, ["x"])
    assert follow(rule, {"x": np.array([nan])})[:, 0].tolist() == pytest.approx([(20 + 10 * 0.6) / 30])
    assert follow(rule, {"x": np.array([nan])})[0] > follow(rule, {"x": np.linspace(0, 1, 50)}).max()


def test_a_column_of_nulls_predicts_the_overall_mean() -> None:
    train: Columns = {"x": np.full(10, nan), "target": np.tile([0.0, 1.0], 5)}
    assert follow(rule_of(train, train, ["x"]), {"x": np.array([3.0, nan])})[:, 0].tolist() == [0.5, 0.5]


def test_a_value_beyond_those_of_training_is_in_the_last_bin() -> None:
    rule = rule_of(TRAIN, VALIDATION, ["delay"])
    low, high = np.nanmin(TRAIN["delay"]), np.nanmax(TRAIN["delay"])
    rows = follow(rule, {"delay": np.array([low, low - 1e9, high, high + 1e9])})[:, 0]
    assert rows[0] == rows[1] < rows[2] == rows[3]


def test_rules_are_fitted_on_training_rows_only() -> None:
    poisoned = take(VALIDATION, np.arange(1000)) | {"target": 1 - VALIDATION["target"]}
    assert fit(TRAIN, VALIDATION, ["delay"]) == fit(TRAIN, poisoned, ["delay"])


def test_auc_is_that_of_scikit_learn() -> None:
    p = np.round(np.random.default_rng(0).random(500), 2)
    assert auc(column(p), TRAIN["target"][:500]) == pytest.approx(roc_auc_score(TRAIN["target"][:500], p))


def test_a_metric_of_which_lower_is_better_is_kept_at_its_lowest() -> None:
    found = fit(TRAIN, VALIDATION, INPUTS, "brier").rule
    assert found is not None
    brier = {
        name: measured(follow(rule_of(TRAIN, VALIDATION, [name]), VALIDATION), VALIDATION["target"], two(), 16)["brier"]
        for name in INPUTS
    }
    assert found.column == min(brier, key=lambda name: brier[name]) != "noise"


def test_where_no_rule_has_a_metric_the_first_is_kept() -> None:
    one_class = VALIDATION | {"target": np.zeros(1000)}
    assert rule_of(TRAIN, one_class, ["noise", "delay"]).column == "noise"


def test_for_several_classes_a_level_has_the_share_of_each() -> None:
    train: Columns = {"c": text("aaaabb"), "target": np.array([0.0, 0, 1, 2, 2, 2])}
    found = baselines.fit(train, train, spec(["c"]), THREE, "logloss")
    assert found.dummy == pytest.approx((2 / 6, 1 / 6, 3 / 6))
    assert found.rule is not None
    shares = follow(found.rule, {"c": text("abz")})
    assert shares[0].tolist() == pytest.approx([(2 + 10 / 3) / 14, (1 + 10 / 6) / 14, (1 + 10 / 2) / 14])
    assert shares[2].tolist() == pytest.approx(list(found.dummy))
    assert shares.sum(axis=1).tolist() == pytest.approx([1, 1, 1])


def test_for_a_number_a_bin_has_its_mean() -> None:
    x = np.linspace(0, 1, 1000)
    train: Columns = {"x": x, "noise": np.random.default_rng(0).random(1000), "target": 500 * x}
    found = baselines.fit(train, train, spec(["noise", "x"]), NUMBER, "r2")
    assert found.dummy == pytest.approx((250.0,))
    assert found.rule is not None
    assert found.rule.column == "x"
    assert measured(follow(found.rule, train), train["target"], NUMBER, 16)["r2"] > 0.9
    assert measured(follow_dummy(found, train), train["target"], NUMBER, 16)["r2"] == pytest.approx(0)


def test_a_time_is_a_number_of_days_and_a_null_among_times_has_its_own_mean() -> None:
    at = np.datetime64("2024-01-01", "s") + np.arange(1000) * np.timedelta64(3600, "s")
    at[:100] = np.datetime64("NaT")
    target = np.where(np.isnat(at), 7.0, np.arange(1000.0))
    train: Columns = {"at": at, "target": target}
    rule = baselines.fit(train, train, {"at": Column("time")}, NUMBER, "mae").rule
    assert rule is not None
    assert rule.edges[0] == pytest.approx(19_723 + 4 + 2.3, abs=2)  # 2024-01-01 is day 19,723 since 1970
    rows = follow(rule, {"at": np.array(["NaT", "2024-01-05", "2024-02-11"], dtype="datetime64[s]")})[:, 0]
    assert rows[0] < rows[1] < rows[2]
    assert rows[0] == pytest.approx((100 * 7 + 10 * target.mean()) / 110)


def test_free_text_is_left_out_and_where_there_is_nothing_else_there_is_no_rule() -> None:
    inputs = {"words": Column("text"), "noise": Column("number")}
    train, validation = (t | {"words": text(t["target"])} for t in (TRAIN, VALIDATION))
    found = baselines.fit(train, validation, inputs, two(), "auc")
    assert found.rule is not None
    assert found.rule.column == "noise"
    assert baselines.fit(train, validation, {"words": Column("text")}, two(), "auc").rule is None


@pytest.mark.parametrize("name", INPUTS)
def test_baselines_come_back_from_their_file(tmp_path: Path, name: str) -> None:
    found = fit(TRAIN, VALIDATION, [name])
    write_json(tmp_path / "b.json", asdict(found))
    again = build(Baselines, read_json(tmp_path / "b.json"))
    assert again.rule is not None
    assert found.rule is not None
    assert again.rule.column == name
    np.testing.assert_allclose(follow(again.rule, VALIDATION), follow(found.rule, VALIDATION), rtol=1e-5)


def test_baselines_without_a_rule_come_back_too(tmp_path: Path) -> None:
    write_json(tmp_path / "b.json", asdict(Baselines((0.2, 0.8))))
    assert build(Baselines, read_json(tmp_path / "b.json")) == Baselines((0.2, 0.8))
