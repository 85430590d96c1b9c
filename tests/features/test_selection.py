from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.features.selection import information, select

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array

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
    selection = select({"a": SIGNAL, "noise": NOISE, "b": SIGNAL * -3 + 2}, TARGET, 2, 0.99, 0.0)
    assert selection.selected == ("a", "noise")
    (dropped,) = selection.dropped
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
    selection = select({"noise": NOISE, "signal": SIGNAL}, TARGET, 2, 0.99, 0.05)
    assert selection.selected == ("signal",)
    assert selection.dropped[0].why.startswith("tells 0.0")
    assert set(selection.information) == {"noise", "signal"}


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
