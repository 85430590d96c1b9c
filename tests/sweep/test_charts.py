from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcircle.report.charts import axis
from fullcircle.sweep.charts import axis_of, history, parallel, parallel_axis, plain, tail, validation_and_test
from fullcircle.sweep.result import without_outliers
from fullcircle.sweep.trials import Trial

NUMBER = st.integers(-1000, 1000) | st.floats(-1e6, 1e6, width=32)
VALUE = NUMBER | st.booleans() | st.none() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  our own text


def lines_of(svg: str, kind: str) -> list[list[tuple[float, float]]]:
    found = [line for line in parsed(svg).iter("polyline") if line.attrib["class"] == kind]
    return [[(float(p.split(",")[0]), float(p.split(",")[1])) for p in line.attrib["points"].split()] for line in found]


def done(number: int, value: float, deviation: float | None = None) -> Trial:
    return Trial(number, "complete", {}, value, deviation)


@given(st.lists(VALUE, min_size=1), st.booleans())
def test_every_value_has_a_position_on_its_axis(values: list[Any], log: bool) -> None:
    one = parallel_axis("key", values, log=log)
    assert all(0 <= one.at(value) <= 1 for value in values)
    assert all(0 <= position <= 1 for position, _ in one.ticks)


@given(st.lists(NUMBER, min_size=2), st.booleans())
def test_larger_numbers_are_higher(values: list[float], log: bool) -> None:
    one = parallel_axis("key", values, log=log)
    assert all(one.at(low) <= one.at(high) for low, high in pairwise(sorted(values)))


def test_powers_of_ten_are_evenly_spaced_on_a_logarithmic_scale() -> None:
    one = parallel_axis("rate", [0.001, 0.01, 0.1], log=True)
    assert one.at(0.01) == pytest.approx(0.5)
    assert parallel_axis("rate", [0.0, 0.5, 1.0], log=True).at(0.5) == pytest.approx(0.5)  # 0 has no logarithm


def test_text_is_evenly_spaced_after_numbers() -> None:
    one = parallel_axis("key", ["b", None, 10, 9, "b", True])
    assert [text for _, text in one.ticks] == ["9", "10", "b", "null", "true"]
    assert [position for position, _ in one.ticks] == [0, 0.25, 0.5, 0.75, 1]
    assert parallel_axis("key", ["only"]).at("only") == parallel_axis("key", [3, 3]).at(3) == 0.5


def test_close_ticks_have_enough_digits() -> None:
    texts = [text for _, text in parallel_axis("auc", [0.730811, 0.730812, 0.730819]).ticks]
    assert texts == ["0.730811", "0.730812", "0.730819"]


def test_values_are_formatted_as_hydra_reads_them() -> None:
    assert [plain(value) for value in (True, None, 3, 0.030559, 1e-5, 2.5e10, "gbtree")] == [
        "true", "null", "3", "0.03056", "1e-5", "2.5e10", "gbtree",
    ]  # fmt: skip


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1), st.booleans())
def test_the_best_value_is_never_an_outlier(values: list[float], higher: bool) -> None:
    low, high = without_outliers(values, higher=higher)
    best = max(values) if higher else min(values)
    assert (high if higher else low) == pytest.approx(best, rel=1e-5)
    assert low <= high


def test_outliers_on_the_bad_side_are_cut_off() -> None:
    values = [0.70, 0.71, 0.72, 0.73, 0.74, 0.1]
    assert without_outliers(values, higher=True) == (0.70, 0.74)
    assert without_outliers(values, higher=False) == (0.1, 0.74)
    assert without_outliers([], higher=True) == (0.0, 1.0)


def test_an_axis_of_one_value_covers_values_near_it() -> None:
    one = axis_of("auc", [0.7, 0.7])
    assert 0.6 < one.low < 0.7 < one.high < 0.8
    assert axis_of("loss", [0.0]).low < 0 < axis_of("loss", [0.0]).high


def test_the_best_so_far_is_a_step_line() -> None:
    trials = [done(1, 0.5), done(2, 0.4), done(4, 0.7)]
    (line,) = lines_of(history(trials, [], [trials[0], trials[2]], axis("auc", [0.4, 0.7])), "s1")[1:]
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = line
    assert (y0, x1) == (y1, x2)
    assert x0 < x1 == x2 == x3
    assert y0 == y1 > y2 == y3  # SVG counts downwards


def test_deviations_are_drawn_only_for_few_trials() -> None:
    y = axis("auc", [0.0, 1.0])
    few = [done(i, 0.5, 0.1) for i in range(1, 11)]
    many = [done(i, 0.5, 0.1) for i in range(1, 101)]
    assert len(lines_of(history(few, [], few[:1], y), "deviation")) == 10
    assert lines_of(history(many, [], many[:1], y), "deviation") == []
    assert "nan" not in history([done(1, 0.5, math.nan)], [], [], y)


def test_a_trial_without_a_key_passes_below_the_axis() -> None:
    axes = [parallel_axis("a", [1, 2]), parallel_axis("b", [1, 2])]
    drawn = parallel(axes, [[0.0, None], [0.0, 1.0]], {1}, "t")
    ((_, foot), (_, below)) = lines_of(drawn, "rest")[0]
    assert below > foot
    assert drawn.count(">none<") == 1
    assert "none" not in parallel(axes, [[0.0, 0.5]], set(), "t")


def test_highlighted_lines_are_drawn_last() -> None:
    drawn = parallel([parallel_axis("a", [1, 2]), parallel_axis("b", [1, 2])], [[0.0, 1.0], [1.0, 0.0]], {0}, "t")
    assert drawn.index('class="rest"') < drawn.index('class="top"')


@pytest.mark.parametrize("many", [2, 5, 9, 11])
def test_names_and_ticks_of_parallel_axes_do_not_overlap(many: int) -> None:
    axes = [parallel_axis(f"{'a_name_that_goes_on_and_on' * 3}_{i}", [*range(40), f"word {i}"]) for i in range(many)]
    texts = list(parsed(parallel(axes, [[0.5] * many], set(), "t")).iter("text"))
    boxes = []
    for text in texts:
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        boxes.append((x, y - 11, x + len(text.text or "") * 6.8, y + 2))
    assert len(boxes) > many * 10
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other_left, other_top, other_right, other_bottom in boxes[:i]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top


def test_a_long_key_keeps_its_end() -> None:
    assert tail("model.a.very.long.key_one", 68) == "…g.key_one"
    assert tail("short", 68) == "short"


def test_test_scores_are_a_second_line_with_intervals() -> None:
    drawn = validation_and_test(
        [(1, 0.5), (4, 0.6)], [(1, 0.5), (4, 0.55)], {1: (0.45, 0.55), 4: (0.5, 0.6)}, 10, "auc"
    )
    assert len(lines_of(drawn, "interval")) == 3  # one of them in the legend
    (on_validation,) = [line for line in lines_of(drawn, "s1") if len(line) > 2]
    (on_test,) = [line for line in lines_of(drawn, "s2") if len(line) > 2]
    assert on_validation[-1][0] == on_test[-1][0]
    assert "interval" not in validation_and_test([(1, 0.5)], [(1, 0.5)], {}, 1, "auc")
