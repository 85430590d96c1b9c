"""What `dvc plots show` makes of the files of each task, in a repository of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fullcircle.core import paths
from fullcircle.core.tables import write_csv
from fullcircle.evaluation.tasks import FILES, files_of, task_metrics
from fullcircle.models.learning_curve import learning_curve
from tests.evaluation.made import NUMBER, THREE, of_number, of_three, two
from tests.pipeline.graph import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.base.columns import Array
    from fullcircle.scoring.predictions import Calibration

PLOTS: list[dict[str, Any]] = yaml.safe_load((ROOT / paths.DVC_YAML).read_text(encoding="utf-8"))["plots"]


def axes(plot: dict[str, Any]) -> dict[str, list[str]]:
    """File -> the columns of it that a plot shows."""
    ((name, config),) = plot.items()
    of_file = config["y"] if isinstance(config["y"], dict) else {name: config["y"]}
    return {file: [config["x"], *([y] if isinstance(y, str) else y)] for file, y in of_file.items()}


ON_TEST = [plot for plot in PLOTS if any(file.startswith(f"{paths.ON_TEST}/") for file in axes(plot))]


def predicted(n_classes: int) -> tuple[Array, Array, Calibration]:
    if n_classes == 0:
        return *of_number(300), NUMBER
    values, target = of_three(300)
    return (values, target, THREE) if n_classes == 3 else (values[:, 2:], (target == 2).astype(float), two())


def show(plots: list[dict[str, Any]], folder: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """`dvc plots show` of these plots in a repository without git: what it said, and the page it made."""
    shutil.copytree(ROOT / ".dvc/plots", folder / ".dvc/plots")
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
    (folder / paths.DVC_YAML).write_text(yaml.safe_dump({"plots": plots}), encoding="utf-8")
    command = [sys.executable, "-m", "dvc", "plots", "show"]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return shown, (folder / "dvc_plots/index.html").read_text(encoding="utf-8")


def test_every_file_of_the_test_rows_is_plotted_by_columns_that_it_has() -> None:
    shown = {file: columns for plot in ON_TEST for file, columns in axes(plot).items()}
    assert set(shown) == {f"{paths.ON_TEST}/{name}.csv" for name in FILES}
    for name, columns in FILES.items():
        assert set(shown[f"{paths.ON_TEST}/{name}.csv"]) <= set(columns)


def test_a_model_without_rounds_leaves_the_plot_of_its_learning_curve_empty(tmp_path: Path) -> None:
    with learning_curve(tmp_path / paths.CURVE):
        pass
    learning = [plot for plot in PLOTS if "learning curve" in plot]
    assert all((tmp_path / file).is_file() for file in axes(*learning))
    shown, _ = show(learning, tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_plots_of_every_task_are_shown_without_a_complaint(n_classes: int, tmp_path: Path) -> None:
    task, (values, target, calibration) = task_metrics(n_classes), predicted(n_classes)
    found = task.curves(task.predictions(values, target, calibration, 5), calibration)
    for name, table in files_of(found).items():
        write_csv(tmp_path / paths.ON_TEST / f"{name}.csv", table)
    shown, page = show(ON_TEST, tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    names = calibration.classes if n_classes == 3 else ("late",) if n_classes == 2 else ()
    assert [name for name in names if f'"{name}"' not in page] == []
    assert '"observed"' in page
