from __future__ import annotations

from rich.console import Console

from fullcircle.commands.show import differing, table

FLIGHTS = {"problem.name": "flights", "problem.metric": "auc", "problem.target.task": "binary"}
PRICES = {"problem.name": "prices", "problem.metric": "r2", "problem.target.task": "regression"}
ROWS = [
    {"Experiment": "", "rev": "main", "auc": "0.7312345", "rounds": "12", "model.name": "linear", "model.c": "1.0",
     "train.refit": "True", "data/raw": "ab", "logloss": "0.5", "val_auc": "0.71234"} | FLIGHTS,
    {"Experiment": "deep", "rev": "1234567", "auc": "0.7412345", "rounds": "", "model.name": "forest", "model.c": "",
     "train.refit": "True", "data/raw": "cd", "logloss": "0.4"} | FLIGHTS,
]  # fmt: skip
OTHER = {"Experiment": "other", "rev": "7654321", "r2": "0.5", "model.name": "dummy", "train.refit": "False"} | PRICES


def test_only_shared_parameters_that_differ_are_shown() -> None:
    assert differing(ROWS) == ["model.name"]


def test_another_problem_adds_its_name_and_metrics() -> None:
    assert differing([*ROWS, OTHER]) == ["model.name"]
    headings = [str(column.header) for column in table([*ROWS, OTHER]).columns]
    assert headings == [
        "experiment", "val_auc", "val_r2", "auc", "ap", "brier", "ece", "f1", "r2", "rmse", "mae", "coverage", "rounds",
        "problem", "name",
    ]  # fmt: skip


def test_the_table_fits_100_characters_and_rounds_to_four_digits() -> None:
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(table(ROWS))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == ["experiment", "val_auc", "auc", "ap", "brier", "ece", "f1", "rounds", "name"]
    assert lines[1].split() == ["main", "0.7123", "0.7312", "12", "linear"]
    assert lines[2].split() == ["deep", "0.7412", "forest"]


def test_without_experiments_the_table_is_empty() -> None:
    assert table([]).row_count == 0
