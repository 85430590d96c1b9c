from __future__ import annotations

from rich.console import Console

from fullcircle.show import differing, table

ROWS = [
    {"Experiment": "", "rev": "main", "auc": "0.7312345", "rounds": "12", "model.name": "linear", "model.c": "1.0",
     "train.refit": "True", "data/raw": "ab", "problem.name": "p", "logloss": "0.5"},
    {"Experiment": "deep", "rev": "1234567", "auc": "0.7412345", "rounds": "", "model.name": "forest", "model.c": "",
     "train.refit": "True", "data/raw": "cd", "problem.name": "q", "logloss": "0.4"},
]  # fmt: skip


def test_only_parameters_that_all_have_and_that_differ_are_shown() -> None:
    assert differing(ROWS) == ["model.name"]


def test_the_table_fits_a_hundred_columns_and_rounds_to_four_digits() -> None:
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(table(ROWS))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == ["experiment", "val_auc", "auc", "ap", "brier", "ece", "f1", "rounds", "name"]
    assert lines[1].split() == ["main", "0.7312", "12", "linear"]
    assert lines[2].split() == ["deep", "0.7412", "forest"]


def test_no_experiments_are_an_empty_table() -> None:
    assert table([]).row_count == 0
