"""Featurize on tables of every kind of column, with names of any characters: what holds for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.checks import Column
from fullcircle.base.columns import Array, Columns, take
from fullcircle.base.errors import ConfigError, DataError, ParityError
from fullcircle.base.typed import build, plain
from fullcircle.core.problem import Encoding, Features
from fullcircle.core.schema import Schema
from fullcircle.core.tables import read_matrix, write_matrix
from fullcircle.features import HOMES, LIBRARY
from fullcircle.features.encoders import ENCODINGS
from fullcircle.features.plan import Plan, read_plan, write_plan
from fullcircle.features.transform import apply
from fullcircle.featurizing.checks import check_features
from fullcircle.featurizing.fit import Fitted, fit_plan
from fullcircle.models.sample import samples_of
from fullcircle.scoring.scorer import Scorer
from fullcircle.stages.train import check_parity, train
from tests.builders import GOAL, XGBOOST, featurize, silent, text, train_config, with_nulls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

nan = float("nan")
KINDS = {
    "rooms": Column("number", missing="keep"),
    "people": Column("integer"),
    "city": Column("category", missing="keep"),
    "street": Column("category"),
    "sold": Column("time", missing="keep"),
    "built": Column("time"),
    "note": Column("text", missing="keep"),
}
ALL = Features(
    columns=tuple(KINDS),
    encode={
        "city": ("onehot", "target", "frequency", "missing"),
        "street": ("target", "frequency"),
        "sold": ("parts", "cycles", "days", "missing"),
        "rooms": ("number", "missing"),
        "note": ("words", "length", "missing"),
    },
    ratios=(("rooms", "people"),),
    differences=(("rooms", "people"), ("sold", "built")),
    groups=(("rooms", "city"), ("people", "street")),
)


def homes(rows: int = 300, seed: int = 0, n_classes: int = 2) -> Columns:
    """Homes with a column of every kind, and a target that goes by each of them."""
    random = np.random.default_rng(seed)
    people, note = (
        random.integers(0, 6, rows),
        random.choice(["bright", "dark", "quiet garden", "", "loud street"], rows),
    )
    seconds = random.integers(0, 3 * 365 * 86400, rows) + 1_600_000_000
    city = random.choice(["Ulm", "Bonn", "Köln", "x=y", "a~b"], rows, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    worth = people + 2.0 * (city == "Ulm") + (note == "bright") + random.normal(0, 1, rows)
    sold = seconds.astype("datetime64[s]")
    sold[random.random(rows) < 0.1] = np.datetime64("NaT")
    edges = np.quantile(worth, np.linspace(0, 1, max(n_classes, 2) + 1)[1:-1])
    return {
        "rooms": with_nulls(random.integers(1, 9, rows).astype(float), 0.1, random),
        "people": people.astype(float),
        "city": with_nulls(text(city), 0.1, random),
        "street": text(random.integers(0, 60, rows)),
        "sold": sold,
        "built": (seconds - random.integers(0, 10**9, rows)).astype("datetime64[s]"),
        "note": with_nulls(text(note), 0.1, random),
        "target": np.searchsorted(edges, worth).astype(float) if n_classes else worth,
    }


def inputs_of(rows: Columns) -> Columns:
    return {name: values for name, values in rows.items() if name != "target"}


def fitted_on(rows: Columns, n_classes: int = 2, features: Features = ALL, **changes: Any) -> Fitted:
    return fit_plan(rows, KINDS, features, [], featurize(min_information=0.0, **changes), n_classes)


# --- every kind, every task


@pytest.mark.parametrize("n_classes", [0, 2, 4])
@pytest.mark.parametrize("how", [{}, {"cross_fit": 4, "rare": "level", "missing": "median", "scale": "standard"}])
def test_a_plan_of_every_kind_comes_back_from_its_file_and_gives_the_matrix_to_learn_from(
    tmp_path: Path, n_classes: int, how: dict[str, Any]
) -> None:
    rows = homes(n_classes=n_classes)
    found = fitted_on(rows, n_classes, **how)
    write_plan(tmp_path, found.plan)
    assert read_plan(tmp_path) == found.plan
    again = apply(read_plan(tmp_path), inputs_of(rows))
    exact = [i for i, name in enumerate(found.plan.selected) if name not in found.plan.crossed]
    np.testing.assert_array_equal(again[:, exact], found.matrix[:, exact])
    assert (len(exact) < len(found.plan.selected)) == ("cross_fit" in how)
    assert not np.isinf(found.matrix).any()


def test_every_encoding_gives_a_feature() -> None:
    found = fitted_on(homes(), max_correlation=1.0)
    names = set(found.plan.selected)
    for wanted in (
        "rooms", "rooms~missing", "city=Ulm", "city~target", "city~frequency", "city~missing", "street~target",
        "sold~month", "sold~sin~year", "sold~days", "sold~missing", "note~target", "note~characters", "note~missing",
        "rooms/people", "rooms-people", "sold-built", "rooms~mean~city", "rooms~difference~city", "people~mean~street",
    ):  # fmt: skip
        assert wanted in names


def test_columns_of_every_kind_work_without_a_word_about_them() -> None:
    rows = homes()
    names = set(fitted_on(rows, features=Features(tuple(KINDS)), max_correlation=1.0).plan.selected)
    assert {"rooms", "city=Ulm", "street~target", "sold~month", "sold~cos~year", "note~target", "note~words"} <= names
    assert not {name for name in names if name.endswith(("~missing", "~days", "~frequency"))}


def test_nulls_are_flagged_on_request_and_only_where_training_has_them() -> None:
    names = set(fitted_on(homes(), features=Features(tuple(KINDS)), flag_missing=True).plan.selected)
    assert {"rooms~missing", "city~missing", "note~missing"} <= names
    assert "people~missing" not in names


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 299), min_size=1, max_size=30))
def test_a_row_of_every_kind_has_the_same_features_in_any_company(index: list[int]) -> None:
    rows = inputs_of(homes(seed=3))
    together = apply(PLAN.plan, rows)
    np.testing.assert_array_equal(apply(PLAN.plan, take(rows, np.array(index))), together[index])


@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_nothing_fitted_of_any_kind_moves_when_other_rows_are_poisoned(n_classes: int) -> None:
    rows = homes(600, n_classes=n_classes)
    poisoned = {name: values.copy() for name, values in rows.items()}
    for values in poisoned.values():
        values[300:] = (
            "POISON" if values.dtype == object else np.datetime64("1999-01-01") if values.dtype.kind == "M" else 1.0
        )
    plans = [plain(fitted_on(take(r, np.arange(300)), n_classes, cross_fit=3).plan) for r in (rows, poisoned)]
    assert plans[0] == plans[1]
    assert plans[0] != plain(fitted_on(poisoned, n_classes, cross_fit=3).plan)


def test_stable_selection_keeps_what_tells_and_says_how_often() -> None:
    found = fitted_on(homes(), select="stable")
    assert "people" in found.plan.selected
    assert set(found.plan.selected) < set(found.selection.stability)
    assert all(found.selection.stability[name] >= 0.3 for name in found.plan.selected)
    dropped = {d.feature: d.why for d in found.selection.dropped}
    rare = min(found.selection.stability, key=lambda name: found.selection.stability[name])
    assert dropped[rare] == f"is important in {found.selection.stability[rare]:.2f} of the halves"
    assert found.plan == fitted_on(homes(), select="stable").plan


def test_stable_selection_of_nothing_but_noise_keeps_what_is_important_most_often() -> None:
    random = np.random.default_rng(0)
    rows = homes() | {"target": (random.random(300) < 0.5).astype(float)}
    found = fitted_on(rows, select="stable", min_stability=1.0)
    assert found.plan.selected
    assert len({found.selection.stability[name] for name in found.plan.selected}) == 1


# --- odd tables


ODD = ("a", "a=b", "a~target", "a~target=0", "a~missing", "target ", "a.b", '"', "'", " ", "a=", "é~2")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6) | st.sampled_from(ODD)


@settings(max_examples=40, deadline=None)
@given(st.lists(NAMES, min_size=2, max_size=5, unique=True), st.lists(NAMES, min_size=2, max_size=4, unique=True))
def test_names_of_any_characters_give_features_of_different_names(columns: list[str], levels: list[str]) -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, 2, 60).astype(float)
    table: Columns = {name: text(random.choice(levels, 60)) for name in columns[1:]} | {columns[0]: random.random(60)}
    kinds = {name: Column("category" if values.dtype == object else "number") for name, values in table.items()}
    encode = dict.fromkeys(columns[1:], ("onehot", "target", "missing"))
    asked: Features = build(Features, {"columns": columns, "encode": encode})
    found = fit_plan(table | {"target": target}, kinds, asked, [], featurize(min_level_rows=1), 2)
    outputs = [name for encoder in found.plan.encoders for name in encoder.outputs]
    assert len(set(outputs)) == len(outputs) == len(found.selection.information)
    assert "target" not in outputs
    assert build(Plan, plain(found.plan)) == found.plan
    np.testing.assert_array_equal(apply(found.plan, table), found.matrix)


def test_a_column_named_as_a_level_of_another_does_not_take_its_place(tmp_path: Path) -> None:
    rows: Columns = {
        "a=b": np.arange(40.0), "a": text(["b", "c"] * 20), "target": np.array([0.0, 1.0] * 20),
    }  # fmt: skip
    kinds = {"a=b": Column("number"), "a": Column("category")}
    found = fit_plan(rows, kinds, Features(("a=b", "a")), [], featurize(max_correlation=1.0), 2)
    assert found.plan.selected == ("a=b", "a~2=b", "a~2=c")
    np.testing.assert_array_equal(found.matrix[:, :2], np.stack([np.arange(40), [1, 0] * 20], axis=1))
    write_matrix(tmp_path / "m.parquet", found.matrix, found.plan.selected)
    np.testing.assert_array_equal(read_matrix(tmp_path / "m.parquet"), found.matrix)


def test_columns_without_a_value_and_of_one_level_are_dropped() -> None:
    rows = homes() | {
        "rooms": np.full(300, nan), "city": np.full(300, None, dtype=object), "street": text(["Main"] * 300),
        "sold": np.full(300, np.datetime64("NaT"), "datetime64[s]"), "note": np.full(300, None, dtype=object),
    }  # fmt: skip
    found = fitted_on(rows, max_correlation=1.0, missing="median", scale="standard", cross_fit=5, flag_missing=True)
    used = {name.split("~")[0].split("=")[0] for name in found.plan.selected}
    assert used == {"people", "built"}
    assert apply(found.plan, inputs_of(homes(seed=1))).shape == (300, len(found.plan.selected))


@pytest.mark.parametrize("rows", [2, 5, 30])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_table_of_few_rows_gives_features(rows: int, n_classes: int) -> None:
    table = homes(rows, n_classes=n_classes)
    table["target"][:2] = 0, 1
    found = fitted_on(table, n_classes, cross_fit=5, missing="median", scale="standard", rare="level")
    assert np.isfinite(found.matrix).all()
    assert np.isfinite(apply(found.plan, inputs_of(homes(50, 9)))).all()


# --- what may be asked


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encode": {"city": ["words"]}}, r"encode\.city: words is not for a category: onehot, target"),
        ({"encode": {"people": ["onehot"]}}, r"encode\.people: onehot is not for a number: number, missing"),
        ({"ratios": [["rooms", "city"]]}, r"ratios: \[rooms, city\] is a number and a category; it takes a number and"),
        ({"ratios": [["sold", "built"]]}, r"ratios: \[sold, built\] is a time and a time"),
        ({"differences": [["sold", "rooms"]]}, r"differences: \[sold, rooms\] .* a number and a number or a time and"),
        ({"groups": [["city", "rooms"]]}, r"groups: \[city, rooms\] is a category and a number"),
        ({"groups": [["rooms", "nothing"]]}, r"\[rooms, nothing\] uses nothing, which is no input"),
        ({"differences": [["price", "rooms"]]}, r"\[price, rooms\] uses price, which is not known when it is asked"),
        ({"columns": ["rooms", "rooms"]}, "named twice: rooms"),
        ({"encode": {"nothing": ["target"]}}, "what is no feature: nothing"),
        ({"encode": {"city": []}}, "names no encoding for city"),
        ({"encode": {"city": ["hot"]}}, "'hot' is not one of"),
    ],
)
def test_what_a_kind_does_not_allow_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_features(
            build(Features, {"columns": [*KINDS]} | change), (), Schema(KINDS, ("price",), "when it is asked")
        )


def test_every_encoding_that_a_problem_can_name_is_one_of_a_kind() -> None:
    assert set(get_args(Encoding)) == {encoding for allowed in ENCODINGS.values() for encoding in allowed}


def test_an_input_called_target_is_refused() -> None:
    with pytest.raises(ConfigError, match="named target"):
        check_features(Features(("target",)), (), Schema({"target": Column("number")}, (), "now"))


# --- features of one's own


@pytest.fixture
def own() -> Iterator[None]:
    """Three created features more, as a module of one's own would bring."""

    def per_person(rooms: Array, people: Array) -> Array:
        return np.asarray(rooms / people)

    def initial(city: Array) -> Array:
        return np.array([None if v is None else v[:1] for v in city], dtype=object)

    def total(rooms: Array) -> Array:
        return np.asarray(rooms.sum())

    found = {f.__name__: f for f in (per_person, initial, total)}
    LIBRARY.update(found)
    HOMES.update({name: ["own"] for name in found})
    yield
    for name in found:
        del LIBRARY[name], HOMES[name]


@pytest.mark.usefixtures("own")
def test_a_created_feature_is_encoded_by_what_it_gives_and_its_infinities_are_null() -> None:
    rows = homes()
    assert (rows["people"] == 0).any()
    features = Features(("people",), ("per_person", "initial"), groups=(("people", "initial"),))
    found = fitted_on(rows, features=features, max_correlation=1.0)
    assert {"per_person", "initial=U", "people~mean~initial"} <= set(found.plan.selected)
    at = found.plan.selected.index("per_person")
    assert np.isnan(found.matrix[rows["people"] == 0, at]).all()
    check_features(features, (), Schema(KINDS, (), "now"))


@pytest.mark.usefixtures("own")
def test_a_created_feature_that_gives_no_value_a_row_is_an_error() -> None:
    with pytest.raises(DataError, match=r"feature total returned an array of shape \(\) for 300 rows"):
        fitted_on(homes(), features=Features(("people",), ("total",)))


@pytest.mark.usefixtures("own")
def test_a_name_that_is_two_functions_or_hides_a_column_is_refused() -> None:
    schema = Schema(KINDS, (), "now")
    HOMES["initial"] = ["flights", "own"]
    with pytest.raises(ConfigError, match=r"more than one function of the name: initial \(flights, own\)"):
        check_features(Features(("city",), ("initial",)), (), schema)
    HOMES["initial"] = ["own"]
    with pytest.raises(ConfigError, match="per_person would hide a column"):
        check_features(
            Features(("city",), ("per_person",)), (), Schema(KINDS | {"per_person": Column("number")}, (), "now")
        )


def test_a_scorer_of_every_kind_answers_as_its_estimator_though_it_learnt_out_of_fold(tmp_path: Path) -> None:
    rows, others = homes(400), homes(200, 1)
    fitted = fitted_on(rows, cross_fit=5, rare="level")
    sides = samples_of((fitted.matrix, rows["target"]), (apply(fitted.plan, inputs_of(others)), others["target"]), 2)
    model = train(fitted.plan, sides, XGBOOST, train_config(), GOAL, silent)
    seen = check_parity(model, inputs_of(rows), train_config(), "training", None)
    with pytest.raises(ParityError):  # held against what was learnt from it would fail
        check_parity(model, inputs_of(rows), train_config(), "training", fitted.matrix)
    model.scorer.save(tmp_path)
    np.testing.assert_array_equal(Scorer.load(tmp_path).predict(inputs_of(rows)), seen)


PLAN = fitted_on(homes(), cross_fit=3)
