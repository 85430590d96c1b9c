from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcircle.report.bands import Band, Stack, bands, months, stacks
from fullcircle.report.charts import Axis, Column, Mark, Series, axis, bars, columns, line_chart, strip, ticks

UNIT = Axis("x", 0, 1)
LINE = Series("model", ((0.0, 0.0), (0.5, 0.8), (1.0, 1.0)))


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  our own text


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6))
def test_ticks_are_few_lie_inside_and_are_evenly_spaced(low: float, width: float) -> None:
    marks = ticks(low, low + width)
    assert len(marks) <= 6
    assert all(low - width * 1e-6 <= mark <= low + width * (1 + 1e-6) for mark in marks)
    steps = {float(f"{b - a:.6g}") for a, b in pairwise(marks)}
    assert len(steps) <= 1


def test_ticks_are_round() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(0.391, 0.592) == [0.4, 0.45, 0.5, 0.55]


def test_an_axis_writes_all_ticks_with_as_many_digits() -> None:
    assert [text for _, text in Axis("", 0.4, 0.6).ticks()] == ["0.40", "0.45", "0.50", "0.55", "0.60"]
    assert [text for _, text in Axis("", 0, 0.4, share=True).ticks()] == ["0%", "10%", "20%", "30%", "40%"]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=16), max_size=5))
def test_an_axis_holds_every_finite_value(values: list[float]) -> None:
    around = axis("x", values)
    assert around.low < around.high
    assert all(around.low - 1e-9 <= v <= around.high + 1e-9 for v in values if math.isfinite(v))


def test_charts_hold_no_nan() -> None:
    broken = Series("a", ((0.0, math.nan), (math.inf, 1.0), (0.5, 0.5)))
    drawn = line_chart("t", [broken, LINE], UNIT, UNIT) + bars("t", [("a", math.nan), ("b", 1.0)])
    assert "nan" not in drawn
    assert "inf" not in drawn


@pytest.mark.parametrize(
    "svg",
    [
        line_chart("t", [LINE], UNIT, UNIT, diagonal="chance", level=("base", 0.3), marks=[Mark("here", 0.5, 0.8)]),
        line_chart("t", [], UNIT, UNIT),
        bars("t", [("a", 0.0), ("b", 0.0)]),
        bars("t", []),
        columns("t", [Column("2024-01", 0.2, "train"), Column("2024-02", 0.3, "test")], UNIT, ("all", 0.25)),
        columns("t", [], UNIT, ("all", 0.25)),
        strip("t", UNIT, 0.5, (0.4, 0.6), 0.0),
        stacks("t", ["a", "b"], [Stack("2024-01", (0.25, 0.75)), Stack("2024-02", (1.0, 0.0))], UNIT),
        stacks("t", [], [], UNIT),
        months("t", [("2024-01", Band(0, 0.1, 0.2, 0.4)), ("2024-02", Band(0, -1, 0.3, 9))], UNIT, ("mean", "around")),
        bands("t", [Band(0.5, 0.1, 0.2, 0.4)], UNIT, UNIT, ("mean", "around"), [("ref", LINE), ("s2", LINE)]),
        bands("t", [], UNIT, UNIT, ("mean", "around"), []),
    ],
)
def test_every_chart_is_an_image_with_a_title_and_stays_in_its_frame(svg: str) -> None:
    root = parsed(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert root.attrib["role"] == "img"
    assert root[0].tag == "title"
    assert root[0].text == "t"
    for line in root.iter("polyline"):
        for x, y in (map(float, point.split(",")) for point in line.attrib["points"].split()):
            assert 0 <= x <= width
            assert 0 <= y <= height
    for box in root.iter("rect"):
        assert float(box.attrib["width"]) >= 0
        assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width


def test_a_line_rises_to_its_values() -> None:
    chart = parsed(line_chart("t", [LINE], UNIT, UNIT))
    (line,) = chart.iter("polyline")
    (x0, y0), (_, y1), (x2, y2) = ([float(v) for v in p.split(",")] for p in line.attrib["points"].split())
    assert x0 < x2
    assert y0 > y1 > y2  # SVG counts downwards
    grid = [path.attrib["d"] for path in chart.iter("path") if path.attrib["class"] == "grid"]
    for height, at in zip((y0, y1, y2), (0, 4, 5), strict=True):  # grid lines at 0, 0.2, ... 1
        assert f" {height:.1f}H" in grid[at]


def test_bars_are_as_long_as_their_values() -> None:
    first, second = parsed(bars("t", [("a", 0.4), ("b", 0.1)])).iter("rect")
    assert float(second.attrib["width"]) / float(first.attrib["width"]) == pytest.approx(0.25, abs=0.01)


def test_large_numbers_are_written_short_and_below_0_with_a_true_minus() -> None:
    assert [text for _, text in Axis("", 0, 400_000).ticks()] == ["0", "100k", "200k", "300k", "400k"]
    assert [text for _, text in Axis("", -2e6, 2e6).ticks()] == ["−2M", "−1M", "0", "1M", "2M"]
    assert [text for _, text in Axis("", -10, 10).ticks()] == ["−10", "−5", "0", "5", "10"]
    assert Axis("", 0, 9000).ticks()[-1][1] == "8,000"


def test_stacked_shares_stand_on_each_other_and_fill_the_axis() -> None:
    boxes = [
        box
        for box in parsed(stacks("t", ["a", "b"], [Stack("m", (0.25, 0.75))], UNIT)).iter("rect")
        if float(box.attrib["width"]) > 11
    ]
    low, high = ({key: float(box.attrib[key]) for key in ("y", "height")} for box in boxes)
    assert high["height"] / low["height"] == pytest.approx(3, abs=0.01)
    assert high["y"] + high["height"] == pytest.approx(low["y"], abs=0.11)


def test_a_whisker_reaches_from_the_low_end_to_the_high_one() -> None:
    drawn = parsed(bands("t", [Band(0.5, 0.2, 0.4, 1.0)], UNIT, UNIT, ("mean", "around"), []))
    whisker = [p for p in drawn.iter("polyline") if p.attrib["class"] == "whisker"][-1]
    (_, low), (_, high) = (map(float, point.split(",")) for point in whisker.attrib["points"].split())
    (dot,) = [c for c in drawn.iter("circle") if c.attrib["r"] == "3"]
    assert (low - float(dot.attrib["cy"])) / (low - high) == pytest.approx(0.25, abs=0.01)


def test_a_long_name_is_shortened_and_never_cut_off() -> None:
    svg = bars("t", [("a_name_that_goes_on_and_on_and_on_and_on_and_on", 1.0)])
    assert "…" in svg


def test_legend_entries_do_not_overlap() -> None:
    series = [Series(f"a rather long name {i}", LINE.points) for i in range(5)]
    texts = [t for t in parsed(line_chart("t", series, UNIT, UNIT)).iter("text") if t.attrib["class"] == "name"]
    rows: dict[str, list[float]] = {}
    for text in texts:
        rows.setdefault(text.attrib["y"], []).append(float(text.attrib["x"]))
    assert len(rows) > 1
    assert all(b - a > 19 * 6 for xs in rows.values() for a, b in pairwise(xs))


def test_text_is_escaped() -> None:
    assert "<script>" not in bars("<script>", [("<script>", 1.0)]) + line_chart(
        "<script>", [Series("<script>", ()), LINE], Axis("<script>", 0, 1), UNIT
    )
