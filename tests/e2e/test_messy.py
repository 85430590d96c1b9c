"""Tables as people publish them come round to the answers of the same table in plain writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.e2e.circle import Done, circle, of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = 300
MODEL = "model=linear"


def plain() -> dict[str, Sequence[Any]]:
    """Loans: amount, rate, term, and whether they defaulted."""
    draw = np.random.default_rng(5)
    amount, rate, term = (
        draw.gamma(3, 5000, ROWS).round(2),
        draw.uniform(3, 22, ROWS).round(2),
        draw.integers(1, 6, ROWS) * 12,
    )
    lost = draw.random(ROWS) < 1 / (1 + np.exp(4 - amount / 12_000 - rate / 8))
    columns = {"amount": amount, "rate": rate, "term": term, "defaulted": np.where(lost, "yes", "no")}
    return {name: [str(value) for value in values] for name, values in columns.items()}


def written(**ways: Callable[[float], str]) -> dict[str, Sequence[Any]]:
    table = plain()
    return table | {name: [way(float(value)) for value in table[name]] for name, way in ways.items()}


def european(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.fixture(scope="module")
def wanted() -> Done:
    return circle(of(plain()), "defaulted", MODEL)


@pytest.mark.parametrize(
    "ways",
    [
        {"amount": "${:,.2f}".format, "rate": "{}%".format, "term": "{:.0f} months".format},
        {"amount": european, "rate": european, "term": "{:.0f}".format},
        {"amount": lambda value: f"{value:,.2f} €".replace(",", "\u00a0").replace(".", ",")},
        {"term": lambda value: f"{value:.1f}"},
    ],
    ids=["dollars", "european", "euros", "points"],
)
def test_dressed_numbers_are_the_numbers(ways: dict[str, Callable[[float], str]], wanted: Done) -> None:
    done = circle(of(written(**ways)), "defaulted", MODEL)
    assert (done.scored.scored, done.scored.rejected) == (ROWS, 0)
    assert done.answers == wanted.answers


def test_words_among_the_numbers_of_a_target_are_gaps() -> None:
    table = written(amount="{}".format)
    del table["defaulted"]
    amounts = ["ERROR" if i % 20 == 7 else value for i, value in enumerate(table.pop("amount"))]
    done = circle(of(table | {"amount": amounts}), "amount", MODEL)
    assert done.answers[0] == ["row", "prediction", "lower", "upper"]
    gaps = circle(of(table | {"amount": ["" if value == "ERROR" else value for value in amounts]}), "amount", MODEL)
    assert done.answers == gaps.answers


def test_a_header_that_comes_again_is_no_class() -> None:
    table = plain()
    again: dict[str, Sequence[Any]] = {
        name: [*values[:100], name, *values[100:], name] for name, values in table.items()
    }
    done = circle(of(again), "defaulted", MODEL)
    assert done.answers[0] == ["row", "prediction", "probability_no", "probability_yes"]
