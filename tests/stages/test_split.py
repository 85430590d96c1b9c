from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.columns import Array, Columns, rows, take
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import build, plain
from fullcircle.core.split import GroupSplit, RandomSplit, Split, SplitReport, TimeSplit, folds
from fullcircle.stages import split as module
from fullcircle.stages.split import report
from tests.builders import text, with_nulls

TIME = TimeSplit("time", ("year", "month", "day"), (2013, 9, 1), (2013, 11, 1))
RANDOM = RandomSplit("random", ("flight", "origin", "day"), 0.2, 0.2, "0")
GROUP = GroupSplit("group", ("month", "day"), 0.2, 0.2, "0")
CONTENT = replace(RANDOM, columns=())
nan = float("nan")
CLASSES = ("on_time", "late")


def split(labelled: Columns, config: Split, classes: tuple[str, ...] = CLASSES) -> Array:
    return module.split(labelled, config, classes)


def table(count: int, seed: int = 0) -> Columns:
    random = np.random.default_rng(seed)
    return {
        "year": np.full(count, 2013.0),
        "month": random.integers(1, 13, count).astype(float),
        "day": random.integers(1, 29, count).astype(float),
        "flight": random.integers(1, 10_000, count).astype(float),
        "origin": with_nulls(text(random.choice(["EWR", "JFK"], count)), 0.1, random),
        "target": (random.random(count) < 0.3).astype(float),
    }


def together(first: Columns, second: Columns) -> Columns:
    return {name: np.concatenate([values, second[name]]) for name, values in first.items()}


@pytest.mark.parametrize("config", [TIME, RANDOM, GROUP, CONTENT])
@settings(max_examples=15, deadline=None)
@given(added=st.integers(1, 500), seed=st.integers(1, 10**6))
def test_an_old_row_never_changes_side_when_rows_are_added(config: Split, added: int, seed: int) -> None:
    old, more = table(600), table(added, seed)
    order = np.random.default_rng(seed).permutation(600 + added)
    sides = split(take(together(old, more), order), config)
    assert sides[np.argsort(order)][:600].tolist() == split(old, config).tolist()


@pytest.mark.parametrize("config", [RANDOM, GROUP])
def test_removing_rows_moves_no_other_row(config: Split) -> None:
    rows_, kept = table(1000), np.random.default_rng(5).random(1000) < 0.7
    assert split(take(rows_, kept), config).tolist() == split(rows_, config)[kept].tolist()


def test_groups_are_not_torn() -> None:
    labelled = table(3000)
    sides = split(labelled, GROUP)
    of_group: dict[tuple[float, float], set[int]] = {}
    for month, day, side in zip(labelled["month"], labelled["day"], sides, strict=True):
        of_group.setdefault((month, day), set()).add(int(side))
    assert len(of_group) == 12 * 28
    assert all(len(found) == 1 for found in of_group.values())


def test_equal_rows_stand_on_one_side_of_a_random_split() -> None:
    labelled = table(600)
    other_class = labelled | {"target": 1 - labelled["target"]}
    for again in (labelled, other_class):
        both = together(labelled, again)
        for found in (split(both, CONTENT), folds(both, CONTENT, 5, 2)):
            assert found[:600].tolist() == found[600:].tolist()


def test_rows_in_their_own_right_are_drawn_apart_and_each_stays_when_rows_are_added() -> None:
    few = table(20_000)
    few = {"month": few["month"], "hole": np.where(few["day"] > 20, np.nan, few["day"]), "target": few["target"]}
    apart = replace(CONTENT, duplicates="independent")
    sides = split(few, apart)
    for column in ("month", "target"):
        for value in np.unique(few[column]):
            share = (sides[few[column] == value] == 2).mean()
            assert share == pytest.approx(apart.test, abs=0.04)
    kinds = few["month"] * 100 + np.nan_to_num(few["hole"])
    assert all(len(set(sides[kinds == kind])) == 3 for kind in np.unique(kinds))
    assert split(together(few, few), apart)[:20_000].tolist() == sides.tolist()
    assert np.bincount(folds(few, apart, 5, 2)).tolist() == [4000] * 5


def test_a_class_does_not_choose_the_side_of_duplicates() -> None:
    """If it did, a kind of row that says yes half of the time could say yes in training and no in the test."""
    few = table(20_000)
    few = {"month": few["month"], "day": few["day"], "target": few["target"]}
    sides = split(few, CONTENT)
    day = few["month"] * 100 + few["day"]
    assert len(set(day)) == 12 * 28
    assert not set(day[sides == 0]) & set(day[sides == 2])


@pytest.mark.parametrize("config", [RANDOM, GROUP])
def test_the_shares_are_about_what_was_asked_for(config: Split) -> None:
    counts = np.bincount(split(table(20_000), config), minlength=3) / 20_000
    np.testing.assert_allclose(counts, [0.6, 0.2, 0.2], atol=0.05)


def test_a_random_split_keeps_the_share_of_each_class() -> None:
    labelled = table(20_000)
    sides = split(labelled, RANDOM)
    for side in range(3):
        assert labelled["target"][sides == side].mean() == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("config", [RANDOM, GROUP])
def test_another_salt_draws_other_rows(config: RandomSplit | GroupSplit) -> None:
    assert (split(table(1000), config) != split(table(1000), replace(config, salt="1"))).any()


def test_the_sides_of_known_rows_are_these_on_every_machine() -> None:
    labelled = table(12)
    labelled["target"] = np.tile([0.0, 1.0], 6)
    config = RandomSplit("random", ("number",), 0.3, 0.3, "0")
    labelled["number"] = np.arange(12.0)
    assert split(labelled, config).tolist() == [2, 2, 2, 2, 0, 1, 1, 0, 0, 2, 0, 1]


def dated(*dates: tuple[int, int, int]) -> Columns:
    columns = {name: np.array([float(d[i]) for d in dates]) for i, name in enumerate(("year", "month", "day"))}
    return together(columns, columns) | {"target": np.repeat([0.0, 1.0], len(dates))}


def test_time_borders_are_compared_as_words_in_a_dictionary_are() -> None:
    dates = [
        (2012, 12, 31), (2013, 8, 31), (2013, 9, 1), (2013, 10, 31), (2013, 11, 1), (2014, 1, 1),
    ]  # fmt: skip
    assert split(dated(*dates), TIME)[: len(dates)].tolist() == [0, 0, 1, 1, 2, 2]


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(2012, 2014), st.integers(1, 12), st.integers(1, 28)))
def test_a_time_split_agrees_with_comparing_dates(date: tuple[int, int, int]) -> None:
    sides = split(dated((2012, 1, 1), (2013, 9, 1), (2014, 1, 1), date), TIME)
    assert sides[3] == (date >= (2013, 9, 1)) + (date >= (2013, 11, 1))


@pytest.mark.parametrize("config", [TIME, RANDOM, GROUP])
def test_a_side_with_one_class_is_an_error(config: Split) -> None:
    labelled = table(600)
    labelled["target"] = (split(labelled, config) != 2).astype(float) * labelled["target"]
    if config.kind == "random":  # its draw depends on the class
        labelled["target"] = np.zeros(600)
    advice = "Move the borders" if config.kind == "time" else "Gather more rows, raise split.validation"
    with pytest.raises(DataError, match=rf"rows hold 1 of 2 classes, and need 2\. There is no late .*\. {advice}"):
        split(labelled, config)


def test_an_empty_side_is_an_error() -> None:
    with pytest.raises(DataError, match="0 test rows hold 0 of 2 classes, and need 2"):
        split(dated((2013, 1, 1), (2013, 9, 1)), TIME)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "time", "columns": ["a"], "validation_from": [2], "test_from": [2]}, "must come after"),
        ({"kind": "time", "columns": ["a"], "validation_from": [3], "test_from": [2]}, "must come after"),
        (
            {"kind": "time", "columns": ["a", "b"], "validation_from": [1], "test_from": [2]},
            "need a value for a, b",
        ),
        ({"kind": "time", "columns": ["a"], "validation_from": ["1"], "test_from": [2]}, "both be numbers, or both"),
        ({"kind": "time", "columns": ["a"], "validation_from": [True], "test_from": [2]}, "expected float or str"),
        ({"kind": "time", "columns": [], "validation_from": [], "test_from": []}, "problem.time"),
        (
            {"kind": "group", "columns": [], "validation": 0.1, "test": 0.1, "salt": "0"},
            "problem.together",
        ),
        (
            {"kind": "random", "columns": ["a"], "validation": 0.0, "test": 0.1, "salt": "0"},
            "must be above 0",
        ),
        (
            {"kind": "random", "columns": ["a"], "validation": 0.5, "test": 0.5, "salt": "0"},
            "leave rows to train on",
        ),
        (
            {"kind": "group", "columns": ["a"], "validation": 0.1, "test": -0.1, "salt": "0"},
            "must be above 0",
        ),
        (
            {"kind": "group", "columns": ["a"], "validation": 0.1, "test": 0.1, "salt": 0},
            "salt: expected str",
        ),
        ({"kind": "random", "columns": ["a"], "validation": nan, "test": 0.1, "salt": "0"}, "nan"),
    ],
)
def test_a_split_that_cannot_be_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Split, data, "split")  # type: ignore[arg-type]


def timed(*dates: str) -> Columns:
    at = np.array(dates, dtype="datetime64[s]")
    return {"at": np.concatenate([at, at]), "target": np.repeat([0.0, 1.0], len(dates))}


def test_a_time_is_split_by_dates_and_by_hours() -> None:
    labelled = timed("2024-01-01", "2024-02-29T23:59:59", "2024-03-01", "2024-03-01T12:00", "2025-01-01")
    by_date = TimeSplit("time", ("at",), ("2024-03-01",), ("2025-01-01",))
    assert split(labelled, by_date)[:5].tolist() == [0, 0, 1, 1, 2]
    by_hour = TimeSplit("time", ("at",), ("2024-03-01T12:00",), ("2024-12-31T23:00",))
    assert split(labelled, by_hour)[:5].tolist() == [0, 0, 0, 1, 2]


def test_an_hour_of_another_zone_is_put_into_utc() -> None:
    labelled = timed("2024-01-01T00:30", "2024-01-01T01:30", "2024-01-02")
    config = TimeSplit("time", ("at",), ("2024-01-01T02:00+01:00",), ("2024-01-02",))
    assert split(labelled, config)[:3].tolist() == [0, 1, 2]


def test_text_is_split_by_the_alphabet() -> None:
    labelled: Columns = {"quarter": text(["2023Q4", "2024Q1", "2024Q2"] * 2), "target": np.repeat([0.0, 1.0], 3)}
    config = TimeSplit("time", ("quarter",), ("2024Q1",), ("2024Q2",))
    assert split(labelled, config)[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (timed("2024-01-01", "NaT", "2025-01-01"), "2 of 6 rows have no at, e.g. row 1 of .*missing: reject"),
        (
            {"at": np.array([1.0, nan]), "target": np.array([0.0, 1.0])},
            "1 of 2 rows have no at, e.g. row 1 of .*missing: reject",
        ),
    ],
)
def test_a_null_among_times_is_an_error(columns: Columns, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split(columns, TimeSplit("time", ("at",), ("2024-06-01",), ("2025-01-01",)))


@pytest.mark.parametrize(
    ("values", "borders", "message"),
    [
        (["2024-01-01"], (2024.0, 2025.0), "the border 2024.0 does not fit column at: give text, such as '2024-01-31'"),
        (["2024-01-01"], ("2024-1-1", "2024-2-1"), "the border '2024-1-1' of column at is no date or time"),
        ([1.0], ("2024-01-01", "2025-01-01"), "the border '2024-01-01' does not fit column at: give a number"),
    ],
)
def test_a_border_that_does_not_fit_its_column_is_an_error(
    values: list[Any], borders: tuple[Any, Any], message: str
) -> None:
    at = np.array(values, dtype="datetime64[s]" if isinstance(values[0], str) else float)
    config = TimeSplit("time", ("at",), borders[:1], borders[1:])
    with pytest.raises(ConfigError, match=message):
        split({"at": at, "target": np.zeros(1)}, config)


@pytest.mark.parametrize("border", [(2013, 9), ("2024-01-31",)])
def test_borders_come_from_a_configuration_as_they_are(border: tuple[Any, ...]) -> None:
    data = {"kind": "time", "columns": ["a", "b"][: len(border)], "validation_from": [*border]}
    later = ["2025-01-31"] if len(border) == 1 else [2014, 1]
    built = build(TimeSplit, data | {"test_from": later}, "split")
    assert built.validation_from == border


def of_three(count: int, seed: int = 0) -> Columns:
    random = np.random.default_rng(seed)
    return table(count, seed) | {"target": random.choice([0.0, 1.0, 2.0], count, p=[0.6, 0.3, 0.1])}


@pytest.mark.parametrize("config", [TIME, RANDOM, GROUP, CONTENT])
def test_several_classes_and_numbers_are_split_the_same_way(config: Split) -> None:
    random = np.random.default_rng(1)
    numbers = table(3000) | {"target": random.normal(size=3000)}
    assert set(split(of_three(3000), config, ("a", "b", "c"))) == set(split(numbers, config, ())) == {0, 1, 2}


def test_a_random_split_keeps_the_share_of_each_of_several_classes() -> None:
    labelled = of_three(20_000)
    sides = split(labelled, RANDOM, ("a", "b", "c"))
    for side in range(3):
        shares = np.bincount(labelled["target"][sides == side].astype(int)) / (sides == side).sum()
        np.testing.assert_allclose(shares, [0.6, 0.3, 0.1], atol=0.02)


def test_without_classes_the_number_does_not_place_a_row() -> None:
    labelled = table(600) | {"target": np.arange(600.0)}
    moved = labelled | {"target": np.arange(600.0)[::-1]}
    assert split(labelled, RANDOM, ()).tolist() == split(moved, RANDOM, ()).tolist()


def test_training_rows_need_every_class() -> None:
    labelled = of_three(600)
    in_train = split(labelled, TIME, ("a", "b", "c")) == 0
    labelled["target"] = np.where(in_train & (labelled["target"] == 2), 1.0, labelled["target"])
    rest = int((labelled["target"] == 2).sum())
    message = rf"train rows hold 2 of 3 classes, and need 3\. There is no c \({rest} rows in all\)\. Move the borders"
    with pytest.raises(DataError, match=message):
        split(labelled, TIME, ("a", "b", "c"))


def test_test_and_validation_rows_need_two_classes_and_not_all() -> None:
    labelled = of_three(600)
    outside = split(labelled, TIME, ("a", "b", "c")) > 0
    labelled["target"] = np.where(outside & (labelled["target"] == 2), 1.0, labelled["target"])
    assert set(labelled["target"][split(labelled, TIME, ("a", "b", "c")) == 2]) == {0.0, 1.0}


def test_a_side_of_one_number_is_an_error() -> None:
    labelled = dated((2013, 1, 1), (2013, 9, 1), (2013, 12, 1))
    labelled["target"] = np.array([1.0, 2.0, 3.0, 2.0, 3.0, 3.0])
    with pytest.raises(DataError, match=r"2 test rows hold 1 different numbers, and need 2. Move the borders"):
        split(labelled, TIME, ())


@pytest.mark.parametrize(("config", "classes"), [(CONTENT, ()), (CONTENT, CLASSES), (GROUP, ())])
def test_three_rows_are_too_few_and_the_error_says_what_to_do(config: Split, classes: tuple[str, ...]) -> None:
    labelled = table(3) | {"target": np.array([0.0, 1.0, 1.0])}
    with pytest.raises(DataError, match=r"rows hold \d .*, and need 2\..* Gather more rows, .*split\.salt"):
        split(labelled, config, classes)


def test_without_columns_a_row_is_placed_by_all_that_it_holds_in_any_order_of_columns() -> None:
    labelled = table(600)
    turned = dict(reversed(labelled.items()))
    assert split(labelled, CONTENT).tolist() == split(turned, CONTENT).tolist()
    changed = labelled | {"origin": np.full(600, None, dtype=object)}
    assert (split(labelled, CONTENT) != split(changed, CONTENT)).any()
    assert split(together(labelled, labelled), CONTENT)[600:].tolist() == split(labelled, CONTENT).tolist()


@pytest.mark.parametrize("config", [RANDOM, CONTENT])
def test_folds_hold_equally_many_of_each_class(config: RandomSplit) -> None:
    labelled = of_three(1000)
    found = folds(labelled, config, 5, 3)
    for target in range(3):
        counts = np.bincount(found[labelled["target"] == target], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_folds_of_groups_do_not_tear_them() -> None:
    labelled = table(2000)
    found = folds(labelled, GROUP, 4, 2)
    days = labelled["month"] * 100 + labelled["day"]
    assert set(found) == {0, 1, 2, 3}
    assert all(len(set(found[days == day])) == 1 for day in np.unique(days))


@pytest.mark.parametrize("config", [RANDOM, GROUP, CONTENT])
def test_the_fold_of_a_row_does_not_depend_on_the_order_of_rows(config: RandomSplit | GroupSplit) -> None:
    labelled, order = table(500), np.random.default_rng(0).permutation(500)
    assert folds(take(labelled, order), config, 5, 2).tolist() == folds(labelled, config, 5, 2)[order].tolist()


def test_the_report_counts_every_row() -> None:
    labelled = table(600)
    found = report(labelled["target"], split(labelled, TIME), TIME, CLASSES)
    sides = (found.train, found.validation, found.test)
    assert sum(side.rows for side in sides) == rows(labelled)
    assert (found.kind, found.columns) == ("time", ("year", "month", "day"))
    assert sum(side.rows * (side.positive or 0) for side in sides) == pytest.approx(labelled["target"].sum())
    assert build(SplitReport, plain(found)) == found


def test_the_report_has_the_share_of_each_class_and_the_mean_of_a_number() -> None:
    labelled = of_three(600)
    sides = split(labelled, TIME, ("a", "b", "c"))
    test = labelled["target"][sides == 2]
    assert report(labelled["target"], sides, TIME, ("a", "b", "c")).test.shares["b"] == (test == 1).mean()
    assert report(labelled["target"], sides, TIME, ()).test.mean == test.mean()
