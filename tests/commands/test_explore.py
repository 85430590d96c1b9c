from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fullcircle.cli import app
from fullcircle.commands.explore import explore, readable
from fullcircle.core import paths
from fullcircle.core.config import read_params

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 60
TABLE = pa.table({"rooms": np.arange(ROWS) % 7, "city": ["Ulm", "Bonn", "Kiel"] * 20, "target": np.arange(ROWS) / 7.0})
PLOT = "svg+xml"


def test_a_table_of_many_columns_is_described_without_plots() -> None:
    with_plots, without = (explore(TABLE, ROWS, columns) for columns in (3, 2))
    assert PLOT in with_plots
    assert PLOT not in without
    for report in (with_plots, without):
        assert all(name in report for name in (*TABLE.column_names, "Bonn"))


def test_a_long_table_is_sampled_and_the_title_states_it() -> None:
    assert "every 4th of 60" in explore(TABLE, 15, 2)
    assert "every 4th" not in explore(TABLE, 60, 2)


def test_the_command_writes_the_report_of_training_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths.TRAIN.parent.mkdir(parents=True)
    pq.write_table(TABLE, paths.TRAIN)
    problem = {"target": {"task": "regression", "name": "rent", "column": "rent"}}
    paths.PARAMS.write_text(json.dumps({"problem": problem}), encoding="utf-8")
    read_params.cache_clear()
    done = CliRunner().invoke(app, ["explore", "--columns", "2"])
    assert (done.exit_code, done.output) == (0, "reports/explore.html\n")
    assert "Kiel" in paths.EXPLORE.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--rows", "--columns"])
def test_a_report_of_nothing_is_refused(option: str) -> None:
    assert CliRunner().invoke(app, ["explore", option, "0"]).exit_code == 2


def test_without_training_rows_the_error_names_what_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["explore"])
    assert "`dvc repro` makes it" in str(done.exception)


def test_whole_numbers_and_classes_are_shown_as_such() -> None:
    table = pa.table(
        {
            "year": [2013.0, 2014.0, None] * 20,
            "share": np.arange(ROWS) / 7.0,
            "target": [0.0, 1.0, 1.0] * 20,
            "city": ["Ulm", "Bonn", "Kiel"] * 20,
        }
    )
    report = explore(table, ROWS, 2, ("on_time", "late"))
    assert "2,013" in report
    assert "on_time" in report
    assert "e+03" not in report
    shown = readable(table.to_pandas(), ("on_time", "late"))
    assert shown["year"].tolist()[:2] == [2013, 2014]
    assert shown["target"].tolist()[:3] == ["on_time", "late", "late"]
    assert shown["share"].dtype == float
