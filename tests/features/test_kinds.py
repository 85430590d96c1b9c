"""Encoders of times, texts, numbers and frequencies, a kind at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.columns import Array, Columns, Rows, coded
from fullcircle.features.categories import Frequency, OneHot, Order, TargetMean, fit_frequency, fit_order, levels_of
from fullcircle.features.numbers import LARGEST, Difference, Group, Missing, Number, Ratio, fit_group
from fullcircle.features.texts import BUCKETS, Length, Words, fit_words
from fullcircle.features.times import CYCLES, PARTS, Time

nan = float("nan")


def objects(*values: str | None) -> Array:
    return np.array([*values, ""], dtype=object)[:-1]


def encoded(encoder: Any, **columns: Array) -> Columns:
    found: Columns = encoder.encode(Rows(columns))
    assert tuple(found) == encoder.outputs
    return found


# --- columns


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.text(max_size=3), max_size=30))
def test_a_column_is_its_levels_by_its_codes(values: list[str | None]) -> None:
    found = coded(objects(*values))
    assert [found.levels[i] for i in found.at] == values
    assert found.known == tuple(sorted({v for v in values if v is not None}))
    places = found.positions(found.known)
    assert [None if i < 0 else found.known[i] for i in places] == values


# --- times


def times(*values: str) -> Array:
    return np.array(values, dtype="datetime64[s]")


@settings(max_examples=80, deadline=None)
@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)))
def test_the_parts_of_a_time_are_the_calendars(moment: dt.datetime) -> None:
    found = encoded(Time("time", "t", PARTS), t=np.array([moment], dtype="datetime64[s]"))
    wanted = [moment.year, moment.month, moment.day, moment.weekday(), moment.hour]
    assert [column.tolist() for column in found.values()] == [[value] for value in wanted]


@settings(max_examples=80, deadline=None)
@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)))
def test_a_cycle_is_a_point_on_a_circle_and_comes_round(moment: dt.datetime) -> None:
    weeks = np.array([moment, moment + dt.timedelta(days=7)], dtype="datetime64[s]")
    found = encoded(Time("time", "t", (), CYCLES), t=weeks)
    for cycle in CYCLES:
        np.testing.assert_allclose(np.hypot(found[f"t~sin~{cycle}"], found[f"t~cos~{cycle}"]), 1, atol=1e-9)
    for cycle in ("week", "day"):
        assert found[f"t~sin~{cycle}"][0] == pytest.approx(found[f"t~sin~{cycle}"][1], abs=1e-9)


def test_the_last_day_of_a_year_lies_beside_the_first_of_the_next() -> None:
    found = encoded(Time("time", "t", (), ("year",)), t=times("2023-12-31", "2024-01-01", "2023-07-01"))
    points = np.stack([*found.values()], axis=1)
    near, far = np.linalg.norm(points[0] - points[1]), np.linalg.norm(points[0] - points[2])
    assert near < 0.03 < 1.9 < far


def test_days_are_since_1970_with_fractions() -> None:
    found = encoded(Time("time", "t", days=True), t=times("1970-01-02T12:00:00", "1969-12-31"))
    assert found["t~days"].tolist() == [1.5, -1.0]


def test_a_missing_time_is_null_in_every_output_and_leaves_the_others_alone() -> None:
    encoder = Time("time", "t", PARTS, CYCLES, True)
    whole = encoded(encoder, t=times("2024-02-29T05:06:07", "2024-03-01"))
    holed = encoded(encoder, t=times("2024-02-29T05:06:07", "NaT"))
    for name, values in holed.items():
        assert values[0] == whole[name][0]
        assert np.isnan(values[1])


# --- numbers


def test_what_float32_cannot_hold_is_kept_at_its_ends() -> None:
    found = encoded(Number("number", "x"), x=np.array([1e300, -1e300, 2.5, nan]))["x"]
    np.testing.assert_array_equal(found, [LARGEST, -LARGEST, 2.5, nan])
    assert np.isfinite(found[:3].astype(np.float32)).all()


def test_missing_tells_nulls_of_every_kind() -> None:
    for values in (np.array([nan, 1.0]), objects(None, ""), times("NaT", "2024-01-01")):
        assert encoded(Missing("missing", "x"), x=values)["x~missing"].tolist() == [1, 0]


def test_a_ratio_by_zero_and_of_null_is_null() -> None:
    found = encoded(Ratio("ratio", "a", "b"), a=np.array([6.0, 1, 0, nan, 1e300]), b=np.array([3.0, 0, 0, 1, 1e-300]))
    np.testing.assert_array_equal(found["a/b"], [2, nan, nan, nan, LARGEST])


def test_a_difference_of_times_is_in_days() -> None:
    found = encoded(
        Difference("difference", "a", "b"), a=times("2024-01-02T12:00", "NaT"), b=times("2024-01-01", "2024-01-01")
    )
    np.testing.assert_array_equal(found["a-b"], [1.5, nan])
    assert encoded(Difference("difference", "a", "b"), a=np.array([3.0]), b=np.array([5.0]))["a-b"].tolist() == [-2]


def test_a_group_gives_its_mean_its_deviation_and_the_difference_from_it() -> None:
    rows = Rows({"x": np.array([1.0, 3, 10, nan, 5]), "g": objects("a", "a", "b", "c", None)})
    group = fit_group("x", "g", rows, ("a", "b", "c"))
    assert group.of["a"] == (2.0, 1.0)
    assert group.of["b"] == (10.0, 0.0)
    assert group.of["c"] == group.default == pytest.approx((4.75, np.std([1, 3, 10, 5])))
    found = encoded(group, x=np.array([4.0, nan, 7.75]), g=objects("a", "b", "new"))
    np.testing.assert_allclose(found["x~mean~g"], [2, 10, 4.75])
    np.testing.assert_allclose(found["x~deviation~g"], [1, 0, group.default[1]])
    np.testing.assert_allclose(found["x~difference~g"], [2, nan, 3])


def test_a_group_of_nothing_is_zero() -> None:
    rows = Rows({"x": np.array([nan]), "g": objects(None)})
    assert fit_group("x", "g", rows, ()) == Group("group", "x", "g", {}, (0.0, 0.0))


# --- categories


def test_each_of_rare_unknown_and_null_has_a_declared_value() -> None:
    """The table of docs/features.md, row by row."""
    asked = objects("common", "rare", "unknown", None)
    onehot = OneHot("onehot", "c", ("common",), ("rare",))
    assert [v.tolist() for v in encoded(onehot, c=asked).values()] == [[1, 0, 0, 0], [0, 1, 0, 0]]
    mean = TargetMean("target", "c", {"common": 0.1, "rare": 0.2}, 0.5)
    assert encoded(mean, c=asked)["c~target"].tolist() == [0.1, 0.2, 0.5, 0.5]
    order = Order("order", "c", {"common": 0, "rare": 1}, 0.25)
    assert encoded(order, c=asked)["c~order"].tolist() == [0, 1, 0.25, 0.25]
    frequency = fit_frequency("c", coded(objects(*["common"] * 6, "rare", None, None, None)))
    assert encoded(frequency, c=asked)["c~frequency"].tolist() == [0.6, 0.1, 0.0, 0.3]


def test_frequencies_of_known_levels_and_null_add_up_to_one() -> None:
    found = fit_frequency("c", coded(objects("b", "a", None, "b")))
    assert found == Frequency("frequency", "c", {"a": 0.25, "b": 0.5}, 0.25)
    assert fit_frequency("c", coded(objects())) == Frequency("frequency", "c", {}, 0.0)


def test_levels_are_put_in_the_order_of_their_targets() -> None:
    found = coded(objects("b", "b", "a", "a", "c", "c", None, "d"))
    y = np.array([5, 7, 9, 9, 1, 1, 100, -100])[:, None].astype(float)
    assert fit_order("x", found, ("a", "b", "c"), (), y, 0) == Order("order", "x", {"a": 2, "b": 1, "c": 0}, 1.0)
    with_rare = fit_order("x", found, ("a", "b"), ("c", "d"), y, 0)
    assert with_rare == Order("order", "x", {"a": 2, "b": 1, "c": 0, "d": 0}, round(6 / 7, 6))
    drawn = fit_order("x", found, ("a", "b", "c", "d"), (), y, 1e9)
    assert drawn.places == {"a": 3, "b": 2, "c": 1, "d": 0}


def test_levels_of_alike_targets_are_in_alphabetical_order() -> None:
    found = coded(objects("b", "a", "c", "b"))
    y = np.full((4, 1), 0.1)
    assert fit_order("x", found, ("a", "b", "c"), (), y, 10).places == {"a": 0, "b": 1, "c": 2}
    assert fit_order("x", coded(objects(None)), (), (), y[:1], 10) == Order("order", "x", {}, 0.0)
    assert fit_order("x", coded(objects()), (), (), y[:0], 10) == Order("order", "x", {}, 0.0)


def test_of_several_classes_levels_are_in_order_along_the_line_on_which_they_vary_most() -> None:
    """Shares of the first class fall from a to d; the second and third tell the same level from the same level."""
    rng = np.random.default_rng(0)
    level = rng.choice(4, 4000, p=[0.4, 0.3, 0.2, 0.1])
    first = rng.random(4000) < np.array([0.9, 0.1, 0.6, 0.3])[level]
    y = np.stack([first, ~first & (rng.random(4000) < 0.5), np.zeros(4000)], axis=1).astype(float)
    y[:, 2] = 1 - y[:, 0] - y[:, 1]
    found = coded(objects(*np.array(list("abcd"))[level]))
    for classes in ([0, 1, 2], [2, 1, 0]):
        places = fit_order("x", found, tuple("abcd"), (), y[:, classes], 10).places
        assert list(places.values()) in ([3, 0, 2, 1], [0, 3, 1, 2])


def test_the_commonest_level_is_never_rare() -> None:
    assert levels_of(coded(objects("b", "a", "b", None)), 50) == (("b",), ("a",))
    assert levels_of(coded(objects(None, None)), 50) == ((), ())


# --- texts

TEXTS = objects("Good, very good!", "bad", "good film", "a bad film", None, "", "film")
LIKED = np.array([[1.0], [0], [1], [0], [1], [0], [0.5]])


def words(count: int = 1, y: Array = LIKED, texts: Array = TEXTS) -> tuple[Words, Array]:
    return fit_words("note", coded(texts), y, 1, 1.0, count)


def test_a_text_is_the_effects_of_its_words() -> None:
    encoder, learnt = words()
    found = encoded(encoder, note=objects("GOOD good", "bad", "good bad", "never seen", "", None))
    mean, total, most, least = found.values()
    assert mean[0] > 0 > mean[1]
    assert total[2] == pytest.approx(total[0] + total[1])
    assert mean[2] == pytest.approx(total[2] / 2)
    assert (most[2], least[2]) == (total[0], total[1])
    for column in found.values():
        assert column[3:5].tolist() == [0, 0]
        assert np.isnan(column[5])
    np.testing.assert_array_equal(learnt, np.stack([*encoded(encoder, note=TEXTS).values()], axis=1))


def test_an_effect_is_drawn_towards_nothing() -> None:
    encoder, _ = words()
    good = encoded(encoder, note=objects("good"))["note~target"][0]
    assert good == pytest.approx((2 - 2 * LIKED.mean()) / 3, rel=1e-5)


def test_words_in_few_texts_have_no_effect() -> None:
    encoder, _ = fit_words("note", coded(TEXTS), LIKED, 2, 1.0, 1)
    assert encoded(encoder, note=objects("very", "good"))["note~target"].tolist()[0] == 0
    assert encoded(encoder, note=objects("very", "good"))["note~target"].tolist()[1] > 0


def test_a_text_learns_nothing_of_its_own_target_when_cross_fitted() -> None:
    random = np.random.default_rng(3)
    texts = objects(*(f"w{i} w{i + 1}" for i in random.permutation(400)))
    y = (random.random((400, 1)) < 0.5).astype(float)
    (_, in_fold), (_, crossed) = words(1, y, texts), words(5, y, texts)
    assert np.corrcoef(in_fold[:, 0], y[:, 0])[0, 1] > 0.5
    assert np.corrcoef(crossed[:, 0], y[:, 0])[0, 1] < 0.15
    changed = y.copy()
    changed[[7, 300]] += [[100], [-100]]  # no word in common, and the mean of all stays
    np.testing.assert_array_equal(words(5, changed, texts)[1][7], crossed[7])


def test_words_of_several_classes_have_an_effect_a_class() -> None:
    y = np.eye(3)[[0, 1, 0, 1, 2, 2, 2]]
    encoder, learnt = words(5, y)
    assert encoder.outputs[:5] == ("note~target=0", "note~target=0~sum", "note~target=0~most", "note~target=0~least",
                                   "note~target=1")  # fmt: skip
    assert learnt.shape == (7, 12)
    found = encoded(encoder, note=objects("good", "bad"))
    assert found["note~target=0"][0] > 0 > found["note~target=1"][0]


TEXT = st.none() | st.text(alphabet="abc é界 .\n'\x00", max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=20), st.data())
def test_a_text_is_encoded_alone_as_in_company(texts: list[str | None], data: st.DataObject) -> None:
    encoder, _ = words(1, np.arange(1.0, len(texts) + 1)[:, None] % 3, objects(*texts))
    for one in (encoder, Length("length", "note")):
        together = encoded(one, note=objects(*texts))
        i = data.draw(st.integers(0, len(texts) - 1))
        for name, values in encoded(one, note=objects(texts[i])).items():
            np.testing.assert_array_equal(values, together[name][i : i + 1])


def test_buckets_are_those_of_crc32_on_every_machine() -> None:
    """`hash()` would differ from process to process."""
    encoder, _ = fit_words("note", coded(objects("Straße", "naïve 界")), np.array([[0.0], [1.0]]), 1, 0.0, 1)
    assert sorted(map(int, encoder.effects)) == [44643, 58543, 135229, 229734]
    assert max(map(int, encoder.effects)) < BUCKETS


def test_length_counts_characters_and_words() -> None:
    found = encoded(Length("length", "note"), note=objects("two words", "", None))
    np.testing.assert_array_equal(found["note~characters"], [9, 0, nan])
    np.testing.assert_array_equal(found["note~words"], [2, 0, nan])


@pytest.mark.parametrize("encoder", [Length("length", "x"), Words("words", "x", {}, 1), Time("time", "y", PARTS)])
def test_no_rows_give_no_values(encoder: Any) -> None:
    found = encoded(encoder, x=objects(), y=times())
    assert all(len(values) == 0 for values in found.values())
