from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.columns import Array, Columns, Rows, take
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.files import write_text
from fullcircle.base.typed import build, plain
from fullcircle.core import paths
from fullcircle.core.config import read_params
from fullcircle.core.problem import Features, Lookup
from fullcircle.core.schema import Schema
from fullcircle.core.tables import read_matrix, write_columns, write_json
from fullcircle.features.categories import OneHot, TargetMean
from fullcircle.features.encoders import Encoder, fit_encoders
from fullcircle.features.numbers import Number
from fullcircle.features.plan import PLAN, Plan
from fullcircle.features.targets import indicators
from fullcircle.features.transform import apply, look_up
from fullcircle.featurizing.checks import check_features
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.featurizing.fit import fit_plan
from fullcircle.featurizing.lookups import fit_lookup
from fullcircle.stages.featurize import featurize as run_featurize
from fullcircle.stages.featurize import main, report
from tests.builders import (
    FEATURES,
    FLIGHTS,
    INPUTS,
    MOMENT,
    PLANES,
    TARGET,
    featurize,
    fitted,
    labelled,
    only_inputs,
    planes,
    text,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.base.checks import Column

nan = float("nan")
SCHEMA = Schema(INPUTS, tuple(n for n, c in FLIGHTS.columns.items() if c.role == "outcome"), MOMENT.about)


def encoder_of(values: Array, target: Array, config: FeaturizeConfig, n_classes: int = 2) -> Encoder:
    return fit_encoders("x", "category", (), Rows({"x": values}), indicators(target, n_classes), config)[0][0]


def encoders_of(plan: Plan) -> dict[str, Encoder]:
    return {encoder.feature: encoder for encoder in plan.encoders}


# --- nothing is fitted on rows that are not training rows


@pytest.mark.parametrize("how", [{}, {"missing": "median"}, {"missing": "median", "scale": "standard"}])
def test_nothing_fitted_moves_when_other_rows_are_poisoned(how: dict[str, Any]) -> None:
    rows = labelled(900)
    train = take(rows, np.arange(600))
    poisoned = {name: values.copy() for name, values in rows.items()}
    for values in poisoned.values():
        values[600:] = "POISON" if values.dtype == object else 1e6
    clean, other = (fitted(take(r, np.arange(600)), **how).plan for r in (rows, poisoned))
    assert plain(clean) == plain(other) == plain(fitted(train, **how).plan)
    np.testing.assert_array_equal(apply(clean, only_inputs(train)), apply(other, only_inputs(train)))
    assert "POISON" not in repr(plain(other))


def _write_inputs(validation: Columns) -> None:
    """What `featurize` reads, in the current folder. There are no test rows to read."""
    lookup, tables = plain(PLANES), {"flights": {"columns": plain(INPUTS), "key": ["day"]}}
    tables["planes"] = {
        "columns": {"tailnum": {"kind": "category"}, "seats": {"kind": "number", "missing": "keep"}},
        "key": ["tailnum"],
    }
    problem = {
        "table": "flights", "tables": tables, "observations": None, "history": None, "lookups": [lookup],
        "features": plain(FEATURES), "moment": plain(MOMENT), "target": plain(TARGET),
    }  # fmt: skip
    write_text(paths.PARAMS, yaml.safe_dump({"problem": problem, "featurize": plain(featurize())}))
    write_columns(paths.reference("planes"), planes())
    write_json(paths.SCHEMA, plain(SCHEMA))
    write_columns(paths.TRAIN, labelled())
    write_columns(paths.VALIDATION, validation)


def test_the_stage_fits_on_training_rows_and_reads_no_test_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans, matrices = [], []
    for name, factor in (("clean", 1.0), ("poisoned", 1000.0)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        read_params.cache_clear()
        validation = labelled(200, seed=4)
        validation["delay_1h"] = validation["delay_1h"] * factor
        validation["carrier"][:50] = "UA" if factor == 1 else "POISON"
        _write_inputs(validation)
        main()
        plans.append((paths.FEATURES / PLAN).read_bytes())
        matrices.append([read_matrix(path) for path in (paths.TRAIN_FEATURES, paths.VALIDATION_FEATURES)])
    read_params.cache_clear()
    assert plans[0] == plans[1]
    np.testing.assert_array_equal(matrices[0][0], matrices[1][0])
    assert not np.array_equal(matrices[0][1], matrices[1][1], equal_nan=True)


def test_featurize_is_what_the_plan_computes_and_reports_what_was_selected() -> None:
    train, validation, references = labelled(), labelled(200, seed=4), [(PLANES, planes())]
    schema = replace(SCHEMA, records=("flight", "day"))
    made = run_featurize(train, validation, schema, FEATURES, references, featurize(cross_fit=5), 2)
    np.testing.assert_array_equal(made.validation, apply(made.plan, only_inputs(validation)))
    assert made.plan.ignored == (*SCHEMA.outcomes, "flight"), "an identifier that is an input is not ignored"
    found = report(made)
    assert found.selected == made.plan.selected
    assert found.cross_fitted == made.plan.crossed != ()
    assert (found.train_rows, found.candidates) == (600, len(found.selected) + len(found.dropped))
    assert build(type(found), plain(found)) == found
    with pytest.raises(ConfigError, match="dep_delay, which is not known"):
        run_featurize(train, validation, schema, Features(("dep_delay",)), [], featurize(), 2)


def test_training_rows_do_move_what_is_fitted() -> None:
    rows = labelled(600)
    rows["carrier"][:50] = "POISON"
    assert "POISON" in repr(plain(fitted(rows).plan))


def test_a_plan_is_the_same_when_fitted_twice() -> None:
    assert plain(fitted().plan) == plain(fitted().plan)


def test_fitting_changes_nothing_that_was_given() -> None:
    rows = labelled(300)
    before = {name: values.copy() for name, values in rows.items()}
    fitted(rows)
    assert all(repr(rows[name].tolist()) == repr(before[name].tolist()) for name in rows)


# --- encoders


def test_a_category_of_few_levels_is_one_hot_and_one_of_many_is_its_target_mean() -> None:
    encoders = encoders_of(fitted(few_levels=6).plan)
    assert isinstance(encoders["carrier"], OneHot)
    assert isinstance(encoders["tailnum"], TargetMean)
    assert isinstance(encoders["distance"], Number)
    assert isinstance(encoders_of(fitted(few_levels=5).plan)["carrier"], TargetMean)


def test_levels_come_in_alphabetical_order_whatever_the_order_of_rows() -> None:
    values, target = text(["b", "a", "c", "a", "b", "c"]), np.array([1.0, 0, 1, 0, 1, 0])
    forward = encoder_of(values, target, featurize(min_level_rows=1))
    backward = encoder_of(values[::-1], target[::-1], featurize(min_level_rows=1))
    assert forward == backward == OneHot("onehot", "x", ("a", "b", "c"))


def test_a_rare_level_is_treated_as_unknown() -> None:
    values, target = text(["a"] * 5 + ["b"] * 4 + ["c"]), np.zeros(10)
    assert encoder_of(values, target, featurize(min_level_rows=4)) == OneHot("onehot", "x", ("a", "b"))


def test_a_category_of_only_rare_levels_keeps_the_most_common() -> None:
    values = text(["a", "a", "b"])
    assert encoder_of(values, np.zeros(3), featurize(min_level_rows=50)) == OneHot("onehot", "x", ("a",))


def test_a_category_of_nulls_gives_no_output() -> None:
    values = np.full(4, None, dtype=object)
    assert encoder_of(values, np.zeros(4), featurize()).outputs == ()


def test_a_target_mean_is_drawn_towards_the_mean_of_all() -> None:
    values = np.array(["a"] * 6 + ["b"] * 2 + [None] * 2, dtype=object)
    target = np.array([1.0] * 6 + [0, 0] + [1, 1])
    encoder = encoder_of(values, target, featurize(few_levels=1, min_level_rows=2, smoothing=10))
    assert isinstance(encoder, TargetMean)
    assert encoder.default == 0.8
    assert encoder.means == pytest.approx({"a": (6 + 10 * 0.8) / 16, "b": (0 + 10 * 0.8) / 12})


@pytest.mark.parametrize("few_levels", [0, 6])
def test_unknown_levels_and_nulls_get_the_values_declared(few_levels: int) -> None:
    plan = fitted(few_levels=few_levels, max_correlation=1.0).plan
    columns = take(only_inputs(labelled(3)), np.array([0, 0]))
    columns["carrier"], columns["tailnum"] = (
        np.array(["ZZ", None], dtype=object),
        np.array(["N999", None], dtype=object),
    )
    matrix = apply(plan, columns)
    share = np.float32(labelled()["target"].mean())
    for name, values in zip(plan.selected, matrix.T, strict=True):
        if name.startswith("carrier="):
            assert values.tolist() == [0, 0]
        elif name.endswith("~target") and "origin" not in name:
            assert values.tolist() == [share, share]


# --- lookups


def test_an_unknown_key_gets_what_is_typical_of_its_fallback() -> None:
    train: Columns = {
        "tailnum": np.array(["N1", "N2", "N9", "N4", "N4"], dtype=object),
        "carrier": text(["AA", "AA", "AA", "UA", "UA"]),
    }
    table = fit_lookup(PLANES, planes(), train)
    assert table.typical == {"seats": {"AA": 20.0, "UA": 40.0}}
    assert table.default == {"seats": 40.0}
    asked = {
        "tailnum": np.array(["N1", None, "XX", "N3"], dtype=object),
        "carrier": text(["UA", "AA", "ZZ", "AA"]),
    }
    assert look_up(table, asked)["seats"].tolist() == [10, 20, 40, 20]


def test_a_lookup_that_knows_no_training_row_gives_zero() -> None:
    train: Columns = {"tailnum": text(["X"]), "carrier": text(["AA"])}
    assert fit_lookup(PLANES, planes(), train).default == {"seats": 0.0}


def test_a_lookup_is_fitted_on_training_rows_alone() -> None:
    train: Columns = {"tailnum": text(["N1"]), "carrier": text(["AA"])}
    assert fit_lookup(PLANES, planes(), train).typical == {"seats": {"AA": 10.0}}


# --- selection, filling and scaling


def test_constants_repeats_and_what_tells_nothing_are_dropped_with_the_reason() -> None:
    rows = labelled() | {"precip": np.full(600, 0.1)}
    rows["wind_speed"] = rows["distance"] * 0.01 + 1
    features = Features(("distance", "wind_speed", "precip", "delay_1h"), ())
    found = fit_plan(rows, INPUTS, features, [], featurize(), 2)
    assert found.plan.selected == ("distance", "delay_1h")
    assert {d.feature: d.why for d in found.selection.dropped} == {
        "precip": "has one value", "wind_speed": "correlates 1.0000 with distance",
    }  # fmt: skip
    strict = fit_plan(rows, INPUTS, features, [], featurize(min_information=0.03), 2)
    assert strict.plan.selected == ("delay_1h",)
    assert strict.selection.selected == ("delay_1h",)


def test_where_nothing_tells_as_much_as_asked_what_tells_most_is_kept_and_doubted() -> None:
    found = fitted(min_information=5.0)
    bits = found.selection.information
    best = sorted(bits, key=lambda name: -bits[name])[:5]
    assert set(found.plan.selected) == set(found.selection.doubtful) == set(best)
    assert fitted().selection.doubtful == ()


def test_a_table_of_constants_is_an_error() -> None:
    rows = labelled(50) | {"distance": np.full(50, 100.0), "temp": np.full(50, nan)}
    with pytest.raises(DataError, match="none of 2 features has more than one value among 50 training rows"):
        fit_plan(rows, INPUTS, Features(("distance", "temp")), [], featurize(), 2)


def test_nulls_stay_where_they_are_kept() -> None:
    plan = fitted(missing="keep").plan
    rows = labelled()
    at = plan.selected.index("temp")
    assert np.isnan(apply(plan, only_inputs(rows))[:, at]).tolist() == np.isnan(rows["temp"]).tolist()


def test_nulls_are_filled_with_the_median_of_training_rows() -> None:
    rows = labelled()
    plan = fitted(missing="median").plan
    matrix, at = apply(plan, only_inputs(rows)), plan.selected.index("temp")
    assert not np.isnan(matrix).any()
    null = np.isnan(rows["temp"])
    assert set(matrix[null, at]) == {np.float32(np.nanmedian(rows["temp"]))}


def test_scaled_features_have_mean_zero_and_deviation_one() -> None:
    matrix = apply(fitted(missing="median", scale="standard").plan, only_inputs(labelled()))
    np.testing.assert_allclose(matrix.mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(matrix.std(axis=0, dtype=np.float64), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_correlation": 0.0}, "max_correlation 0 is outside"),
        ({"max_correlation": 1.1}, "max_correlation 1.1 is outside"),
        ({"smoothing": -1.0}, "must not be negative"),
        ({"few_levels": -1}, "must not be negative"),
        ({"min_information": -0.1}, "must not be negative"),
        ({"scale": "standard"}, "needs missing: median"),
        ({"missing": "mean"}, "is not one of 'keep', 'median'"),
        ({"few_levls": 3}, r"few_levls \(did you mean few_levels\?\)"),
    ],
)
def test_a_configuration_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(FeaturizeConfig, plain(featurize()) | change, "featurize")


# --- what may be used


def require(features: Features = FEATURES, lookups: tuple[Lookup, ...] = (PLANES,), **inputs: Column) -> None:
    check_features(features, lookups, replace(SCHEMA, inputs=INPUTS | inputs))


def test_the_features_of_the_problem_may_be_used() -> None:
    require()
    assert fitted().plan.selected


def test_a_feature_of_an_outcome_is_refused() -> None:
    with pytest.raises(ConfigError, match="dep_delay uses dep_delay, which is not known two hours before departure"):
        require(replace(FEATURES, columns=("distance", "dep_delay")))


def test_a_lookup_by_an_outcome_is_refused() -> None:
    with pytest.raises(ConfigError, match="lookup in planes uses dep_delay, which is not known"):
        require(lookups=(replace(PLANES, key="dep_delay"),))


@pytest.mark.parametrize("fallback", ["dep_delay", "nothing"])
def test_a_fallback_on_what_is_not_known_is_refused(fallback: str) -> None:
    with pytest.raises(ConfigError, match=fallback):
        require(lookups=(replace(PLANES, fallback=fallback),))


def test_a_created_feature_of_a_column_that_is_no_input_is_refused() -> None:
    inputs = {name: column for name, column in INPUTS.items() if name != "wind_dir"}
    with pytest.raises(ConfigError, match="wind_from_north uses wind_dir, which is no input"):
        check_features(FEATURES, (PLANES,), replace(SCHEMA, inputs=inputs))


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no such function: day_of_wek\. Known: .*day_of_week"):
        require(replace(FEATURES, created=("day_of_wek",)))
    with pytest.raises(ConfigError, match="distnace uses distnace, which is no input"):
        require(replace(FEATURES, columns=("distnace",)))


def test_a_created_feature_may_take_a_looked_up_column() -> None:
    lookup = replace(PLANES, columns={"seats": "wind_dir"})
    inputs = {name: column for name, column in INPUTS.items() if name != "wind_dir"}
    features = Features(("distance",), ("wind_from_north",))
    rows = {name: values for name, values in labelled().items() if name != "wind_dir"}
    assert fit_plan(rows, inputs, features, [(lookup, planes())], featurize(), 2).plan.selected == (
        "distance",
        "wind_from_north",
    )
    check_features(features, (lookup,), replace(SCHEMA, inputs=inputs))


def test_a_lookup_by_numbers_is_refused_or_comes_back_as_it_was() -> None:
    """`keys` and `typical` are text in JSON: a number would come back as another key, or not at all."""
    lookup = replace(PLANES, key="day", matches="number", fallback="month")
    table = {"number": np.arange(1.0, 29.0), "seats": np.arange(28.0)}
    try:
        require(lookups=(lookup,))
        fit = fit_plan(labelled(), INPUTS, FEATURES, [(lookup, table)], featurize(), 2).plan
    except (ConfigError, DataError) as error:
        assert "day" in str(error)  # noqa: PT017
    else:
        assert build(Plan, plain(fit)) == fit


@settings(max_examples=20, deadline=None)
@given(st.permutations(list(range(200))))
def test_a_plan_does_not_depend_on_the_order_of_rows(order: list[int]) -> None:
    rows = labelled(200)
    first, second = fitted(rows).plan, fitted(take(rows, np.array(order))).plan
    assert first.selected == second.selected
    np.testing.assert_allclose(
        apply(first, only_inputs(rows)), apply(second, only_inputs(rows)), rtol=1e-6, equal_nan=True
    )


# --- three tasks, and target means that a row had no part in


def tasked(n_classes: int, rows: int = 600) -> Columns:
    """Labelled rows with a target of `classes` classes, or with a number (0), that goes by the carrier."""
    table, random = labelled(rows), np.random.default_rng(7)
    carrier = np.array([sorted({"AA", "B6", "UA", "DL", "WN", "EV"}).index(c) for c in table["carrier"]])
    noisy = np.where(random.random(rows) < 0.3, random.integers(0, 6, rows), carrier)
    return table | {"target": noisy * 25.0 if n_classes == 0 else (noisy % n_classes).astype(float)}


@pytest.mark.parametrize(("n_classes", "outputs"), [(0, ("",)), (2, ("",)), (3, ("=0", "=1", "=2"))])
def test_target_means_are_of_the_task(n_classes: int, outputs: tuple[str, ...]) -> None:
    rows = tasked(n_classes)
    found = fit_plan(
        rows, INPUTS, Features(("carrier", "distance")), [], featurize(few_levels=0, smoothing=0), n_classes
    )
    encoder = encoders_of(found.plan)["carrier"]
    assert isinstance(encoder, TargetMean)
    assert encoder.outputs == tuple(f"carrier~target{o}" for o in outputs)
    wanted = indicators(rows["target"], n_classes)[rows["carrier"] == "EV"].mean(axis=0)
    assert encoder.means["EV"] == pytest.approx(wanted if n_classes > 2 else wanted[0])
    assert build(Plan, plain(found.plan)) == found.plan


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("how", [{}, {"missing": "median", "scale": "standard"}])
def test_the_matrix_to_learn_from_differs_from_the_plans_own_only_where_it_is_crossed(
    n_classes: int, how: dict[str, str]
) -> None:
    rows = tasked(n_classes)
    for count in (1, 5):
        found = fit_plan(rows, INPUTS, FEATURES, [(PLANES, planes())], featurize(cross_fit=count, **how), n_classes)
        differs = (found.matrix != apply(found.plan, only_inputs(rows))) & ~np.isnan(found.matrix)
        assert {name for name, any_ in zip(found.plan.selected, differs.any(axis=0), strict=True) if any_} == set(
            found.plan.crossed
        )
        assert bool(found.plan.crossed) == (count > 1)


def test_a_level_of_one_row_learns_nothing_of_its_own_target_when_cross_fitted() -> None:
    rows = labelled(600) | {"tailnum": text(f"N{i}" for i in range(600))}
    features, bits = Features(("tailnum", "distance", "delay_1h")), {}
    for count in (1, 5):
        config = featurize(cross_fit=count, min_level_rows=1, smoothing=1.0)
        bits[count] = fit_plan(rows, INPUTS, features, [], config, 2).selection.information["tailnum~target"]
    assert bits[1] > 0.5
    assert bits[5] < 0.02


def test_a_rare_level_can_be_one_of_its_own() -> None:
    values, target = text(["a"] * 5 + ["b"] * 4 + ["c", "d"]), np.array([0.0] * 9 + [1, 1])
    onehot = encoder_of(values, target, featurize(min_level_rows=4, rare="level"))
    assert onehot == OneHot("onehot", "x", ("a", "b"), ("c", "d"))
    asked = Rows({"x": np.array(["a", "c", "d", "new", None], dtype=object)})
    assert np.stack([*onehot.encode(asked).values()], axis=1).tolist() == [
        [1, 0, 0],
        [0, 0, 1],
        [0, 0, 1],
        [0] * 3,
        [0] * 3,
    ]
    mean = encoder_of(values, target, featurize(min_level_rows=4, rare="level", few_levels=0, smoothing=0))
    assert mean.encode(asked)["x~target"].tolist() == pytest.approx([0, 1, 1, 2 / 11, 2 / 11])
