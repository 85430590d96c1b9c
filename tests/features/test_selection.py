from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.features import selection
from fullcircle.features.selection import FEW, bins_of, information, select
from fullcircle.features.targets import codes

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

random = np.random.default_rng(0)
TARGET = (random.random(2000) < 0.4).astype(np.int64)
SIGNAL = TARGET + random.normal(0, 0.5, 2000)
NOISE = random.normal(0, 1, 2000)
nan = float("nan")


def whys(features: dict[str, Array], correlation: float = 0.99, bits: float = 0.0) -> dict[str, str]:
    return {d.feature: d.why for d in select(features, TARGET, 2, correlation, bits).dropped}


def test_a_constant_is_dropped() -> None:
    dropped = whys({"signal": SIGNAL, "one": np.ones(2000), "null": np.full(2000, nan)})
    assert dropped == {"one": "has one value", "null": "has one value"}


def test_one_value_with_nulls_is_no_constant() -> None:
    values = np.where(TARGET == 1, 7.0, nan)
    assert select({"asked": values}, TARGET, 2, 0.99, 0.1).selected == ("asked",)


def test_what_repeats_an_earlier_feature_is_dropped() -> None:
    selected = select({"a": SIGNAL, "noise": NOISE, "b": SIGNAL * -3 + 2}, TARGET, 2, 0.99, 0.0)
    assert selected.selected == ("a", "noise")
    (dropped,) = selected.dropped
    assert dropped.feature == "b"
    assert dropped.why == "correlates 1.0000 with a"


def test_what_repeats_only_a_dropped_feature_stays() -> None:
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    a, b, c = (
        np.cos(angle),
        np.cos(angle + 0.4),
        np.cos(angle + 0.8),
    )  # neighbours correlate 0.92, a and c 0.70
    assert select({"a": a, "b": b, "c": c}, TARGET, 2, 0.9, 0.0).selected == ("a", "c")


def test_what_tells_nothing_is_dropped_and_what_tells_something_stays() -> None:
    selected = select({"noise": NOISE, "signal": SIGNAL}, TARGET, 2, 0.99, 0.05)
    assert selected.selected == ("signal",)
    assert selected.dropped[0].why.startswith("has 0.0")
    assert set(selected.information) == {"noise", "signal"}


def test_the_order_given_is_the_order_selected() -> None:
    features = {"z": SIGNAL, "a": NOISE, "m": NOISE**2}
    assert select(features, TARGET, 2, 0.99, 0.0).selected == ("z", "a", "m")


def test_nothing_to_choose_from_gives_nothing() -> None:
    assert select({"one": np.ones(2000)}, TARGET, 2, 0.9, 0.0).selected == ()


def test_a_copy_of_a_balanced_target_tells_one_bit() -> None:
    target = np.tile([0, 1], 500)
    assert information(target, target) == pytest.approx(1.0)
    assert information(1 - target, target) == pytest.approx(1.0)


def test_a_constant_tells_nothing() -> None:
    assert information(np.full(2000, 3.0), TARGET) == 0
    assert information(np.full(2000, nan), TARGET) == 0


def test_that_a_value_is_missing_can_tell_everything() -> None:
    target = np.tile([0, 1], 500)
    values = np.where(target == 1, nan, np.arange(1000.0))
    assert information(values, target) == pytest.approx(1.0)


def test_independent_halves_tell_nothing() -> None:
    values, target = np.tile([0.0, 0.0, 1.0, 1.0], 100), np.tile([0, 1, 0, 1], 100)
    assert information(values, target) == pytest.approx(0, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3) | st.just(nan), st.booleans()), min_size=1, max_size=60))
def test_information_is_never_negative_nor_above_what_there_is_to_know(
    rows: list[tuple[float, bool]],
) -> None:
    values, target = np.array([float(v) for v, _ in rows]), np.array([int(t) for _, t in rows])
    share = target.mean()
    entropy = -sum(p * np.log2(p) for p in (share, 1 - share) if p > 0)
    assert 0 <= information(values, target) <= entropy + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_information_does_not_depend_on_the_order_of_rows(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(2000)
    assert information(SIGNAL[order], TARGET[order]) == pytest.approx(information(SIGNAL, TARGET), abs=1e-12)


# --- few rows and many columns


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([50, 200, 1000, 5000]), st.sampled_from([0, 2, 5]))
def test_noise_tells_little_however_few_rows_there_are(seed: int, rows: int, n_classes: int) -> None:
    """Before chance is taken off, 1,000 rows of noise tell 0.08 bits of a number."""
    draw = np.random.default_rng(seed)
    target = draw.integers(0, n_classes, rows).astype(float) if n_classes else draw.normal(0, 1, rows)
    target = codes(target, n_classes, bins_of(rows))
    told = [information(draw.normal(0, 1, rows), target) for _ in range(40)]
    assert float(np.mean(told)) < 8 / rows
    assert 0 in told


@pytest.mark.parametrize("rows", [50, 200, 2000])
def test_a_signal_is_found_however_few_rows_there_are(rows: int) -> None:
    draw = np.random.default_rng(1)
    target = np.tile([0, 1], rows // 2)
    assert information(target + draw.normal(0, 0.5, rows), target) > 0.2


def test_information_about_a_number_goes_by_its_bins() -> None:
    target = codes(SIGNAL, 0)
    assert information(SIGNAL, target) > 2.5
    assert information(np.random.default_rng(3).permutation(SIGNAL), target) < 0.01


def test_where_nothing_tells_enough_what_tells_most_stays_in_the_order_given() -> None:
    features = {"one": np.ones(2000), "noise": NOISE, "signal": SIGNAL, "null": np.full(2000, nan)}
    found = select(features, TARGET, 2, 0.99, 10.0)
    assert found.selected == found.doubtful == ("noise", "signal")
    assert {d.feature for d in found.dropped} == {"one", "null"}
    many = {f"noise {i}": random.normal(0, 1, 2000) for i in range(12)} | {"signal": SIGNAL}
    assert len(select(many, TARGET, 2, 0.99, 10.0).selected) == FEW
    assert "signal" in select(many, TARGET, 2, 0.99, 10.0).doubtful


def test_what_tells_enough_is_not_doubted_and_lets_nothing_doubtful_in() -> None:
    found = select({"noise": NOISE, "signal": SIGNAL}, TARGET, 2, 0.99, 0.05)
    assert (found.selected, found.doubtful) == (("signal",), ())


@pytest.mark.parametrize("block", [2000, 7, 1])
def test_each_repeat_names_the_first_of_those_it_repeats_that_stays(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """As a loop over all pairs finds them."""
    monkeypatch.setattr(selection, "BLOCK", block)
    draw = np.random.default_rng(5)
    base = draw.normal(0, 1, (200, 6))
    features = {f"f{i}": base[:, i % 6] * (1 + i) + draw.normal(0, 0.05, 200) for i in range(40)}
    correlation = np.abs(np.corrcoef(np.stack([*features.values()])))
    wanted: dict[str, str] = {}
    for i, name in enumerate(features):
        for j, other in enumerate(list(features)[:i]):
            if other not in wanted and correlation[i, j] > 0.99:
                wanted[name] = other
                break
    found = select(features, TARGET[:200], 2, 0.99, 0.0)
    assert {d.feature: d.why.split(" with ")[1] for d in found.dropped} == wanted
    assert len(found.selected) == 6


def test_few_rows_drop_nothing_for_telling_little_and_many_do() -> None:
    """Two features that tell something together and nothing alone stay where rows are few."""
    for rows, stays in ((300, True), (200_000, False)):
        draw = np.random.default_rng(0)
        first, second, signal = draw.normal(0, 1, (3, rows))
        target = (first * second + signal > 0).astype(float)
        found = select({"first": first, "second": second, "signal": signal}, target, 2, 0.99, 0.0002)
        assert ("first" in found.selected, "second" in found.selected, "signal" in found.selected) == (
            stays,
            stays,
            True,
        )
