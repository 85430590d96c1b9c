from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcircle.report.charts import axis
from fullcircle.sweep.charts import around, fenced, gained, history, parallel, plain, tail, upright
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
def test_every_value_has_a_place_on_its_axis(values: list[Any], log: bool) -> None:
    one = upright("key", values, log=log)
    assert all(0 <= one.at(value) <= 1 for value in values)
    assert all(0 <= place <= 1 for place, _ in one.ticks)


@given(st.lists(NUMBER, min_size=2), st.booleans())
def test_larger_numbers_lie_higher(values: list[float], log: bool) -> None:
    one = upright("key", values, log=log)
    assert all(one.at(low) <= one.at(high) for low, high in pairwise(sorted(values)))


def test_a_scale_of_logarithms_is_even_in_powers_of_ten() -> None:
    one = upright("rate", [0.001, 0.01, 0.1], log=True)
    assert one.at(0.01) == pytest.approx(0.5)
    assert upright("rate", [0.0, 0.5, 1.0], log=True).at(0.5) == pytest.approx(0.5)  # 0 has no logarithm


def test_words_lie_evenly_and_numbers_come_first() -> None:
    one = upright("key", ["b", None, 10, 9, "b", True])
    assert [text for _, text in one.ticks] == ["9", "10", "b", "null", "true"]
    assert [place for place, _ in one.ticks] == [0, 0.25, 0.5, 0.75, 1]
    assert upright("key", ["only"]).at("only") == upright("key", [3, 3]).at(3) == 0.5


def test_ticks_that_lie_close_are_written_with_enough_digits() -> None:
    texts = [text for _, text in upright("auc", [0.730811, 0.730812, 0.730819]).ticks]
    assert texts == ["0.730811", "0.730812", "0.730819"]


def test_choices_are_written_as_hydra_reads_them() -> None:
    assert [plain(value) for value in (True, None, 3, 0.030559, 1e-5, 2.5e10, "gbtree")] == [
        "true", "null", "3", "0.03056", "1e-5", "2.5e10", "gbtree",
    ]  # fmt: skip


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1), st.booleans())
def test_a_fence_never_cuts_off_the_best(values: list[float], higher: bool) -> None:
    low, high = fenced(values, higher=higher)
    best = max(values) if higher else min(values)
    assert (high if higher else low) == pytest.approx(best, rel=1e-5)
    assert low <= high


def test_a_fence_cuts_off_what_is_far_out_on_the_bad_side() -> None:
    values = [0.70, 0.71, 0.72, 0.73, 0.74, 0.1]
    assert fenced(values, higher=True) == (0.70, 0.74)
    assert fenced(values, higher=False) == (0.1, 0.74)
    assert fenced([], higher=True) == (0.0, 1.0)


def test_an_axis_of_one_value_stays_near_it() -> None:
    one = around("auc", [0.7, 0.7])
    assert 0.6 < one.low < 0.7 < one.high < 0.8
    assert around("loss", [0.0]).low < 0 < around("loss", [0.0]).high


def test_the_best_so_far_is_a_line_of_steps() -> None:
    trials = [done(1, 0.5), done(2, 0.4), done(4, 0.7)]
    (line,) = lines_of(history(trials, [], [trials[0], trials[2]], axis("auc", [0.4, 0.7])), "s1")[1:]
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = line
    assert (y0, x1) == (y1, x2)
    assert x0 < x1 == x2 == x3
    assert y0 == y1 > y2 == y3  # SVG counts downwards


def test_deviations_are_drawn_for_few_trials_only() -> None:
    y = axis("auc", [0.0, 1.0])
    few = [done(i, 0.5, 0.1) for i in range(1, 11)]
    many = [done(i, 0.5, 0.1) for i in range(1, 101)]
    assert len(lines_of(history(few, [], few[:1], y), "around")) == 10
    assert lines_of(history(many, [], many[:1], y), "around") == []
    assert "nan" not in history([done(1, 0.5, math.nan)], [], [], y)


def test_a_trial_without_a_key_passes_below_the_axis() -> None:
    axes = [upright("a", [1, 2]), upright("b", [1, 2])]
    drawn = parallel(axes, [[0.0, None], [0.0, 1.0]], {1}, "t")
    ((_, foot), (_, below)) = lines_of(drawn, "rest")[0]
    assert below > foot
    assert drawn.count(">none<") == 1
    assert "none" not in parallel(axes, [[0.0, 0.5]], set(), "t")


def test_the_chosen_lines_are_drawn_last() -> None:
    drawn = parallel([upright("a", [1, 2]), upright("b", [1, 2])], [[0.0, 1.0], [1.0, 0.0]], {0}, "t")
    assert drawn.index('class="rest"') < drawn.index('class="chosen"')


@pytest.mark.parametrize("many", [2, 5, 9, 11])
def test_names_and_ticks_of_parallel_axes_do_not_overlap(many: int) -> None:
    axes = [upright(f"{'a_name_that_goes_on_and_on' * 3}_{i}", [*range(40), f"word {i}"]) for i in range(many)]
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


def test_luck_shows_two_lines_and_intervals() -> None:
    drawn = gained([(1, 0.5), (4, 0.6)], [(1, 0.5), (4, 0.55)], {1: (0.45, 0.55), 4: (0.5, 0.6)}, 10, "auc")
    assert len(lines_of(drawn, "between")) == 3  # one of them the legend's
    (chosen,) = [line for line in lines_of(drawn, "s1") if len(line) > 2]
    (tested,) = [line for line in lines_of(drawn, "s2") if len(line) > 2]
    assert chosen[-1][0] == tested[-1][0]
    assert "interval" not in gained([(1, 0.5)], [(1, 0.5)], {}, 1, "auc")
