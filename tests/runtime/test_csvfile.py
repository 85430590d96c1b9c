from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.runtime.csvfile import score_file
from fullcircle.runtime.errors import DataError
from fullcircle.runtime.scorer import Scorer
from tests.builders import labelled, only_inputs, trained

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 20


def ignoring(*names: str) -> Scorer:
    made = trained().scorer
    return Scorer(replace(made.plan, ignored=names), made.spec, made.model)


def write(file: Path, **more: str) -> None:
    """The inputs of a few rows, and further columns of one value."""
    columns = only_inputs(labelled(ROWS, seed=7))
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow([*more, *columns])
        for row in zip(*columns.values(), strict=True):
            cells = ["" if v is None or v != v else v for v in row]
            writer.writerow([*more.values(), *cells])


def test_what_the_plan_ignores_may_come_along_and_moves_no_answer(tmp_path: Path) -> None:
    write(tmp_path / "bare.csv")
    write(tmp_path / "whole.csv", order_id="N-17", late="yes")
    scorer = ignoring("order_id", "late")
    for name in ("bare", "whole"):
        done = score_file(scorer, tmp_path / f"{name}.csv", tmp_path / f"{name}.answers.csv")
        assert done.scored + done.rejected == ROWS
    assert (tmp_path / "whole.answers.csv").read_text() == (tmp_path / "bare.answers.csv").read_text()


def test_a_column_that_nobody_knows_is_still_refused(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", order_no="N-17")
    with pytest.raises(DataError, match=r"unknown column: order_no"):
        score_file(ignoring("order_id"), tmp_path / "rows.csv", tmp_path / "answers.csv")
    assert not (tmp_path / "answers.csv").exists()


def test_columns_that_are_ignored_are_not_checked_either() -> None:
    columns = only_inputs(labelled(ROWS, seed=7))
    expected = trained().scorer.score(columns).forecast
    columns["order_id"] = np.array([None] * ROWS, dtype=object)
    assert ignoring("order_id").score(columns).forecast.tolist() == expected.tolist()
