"""What leaves the repository answers as the service does: MLflow's export, and the wheel's own `serve`."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fullcircle.base.errors import DataError
from fullcircle.commands.export import export_mlflow
from tests.serving.servers import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

Rows = list[dict[str, Any]]

LOADED = """
import importlib, json, sys
import pandas as pd
folder, module = sys.argv[1:3]
sys.path.insert(0, f"{folder}/code")
model = importlib.import_module(module)._load_pyfunc(f"{folder}/bundle")
print(json.dumps(model.predict(pd.DataFrame(json.load(sys.stdin)))))
"""


def test_an_export_is_loaded_as_mlflow_does_it(
    reproduced: Project, tmp_path: Path, rows: Rows, predicted: Rows
) -> None:
    """`make test-contracts` serves it by MLflow itself."""
    out = tmp_path / "model"
    said = reproduced.run("fullcircle", "export", "mlflow", str(out)).stdout
    assert f"mlflow models serve -m {out}" in said
    described = yaml.safe_load((out / "MLmodel").read_text())
    flavor = described["flavors"]["python_function"]
    assert (flavor["code"], flavor["data"]) == ("code", "bundle")
    assert described["metadata"]["problem"] == "departures"
    wrong = rows[1] | {"distance": 1e9}
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOADED, str(out), flavor["loader_module"]],
        input=json.dumps([*rows, wrong]), capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [record["probability_late"] for record in found[:-1]] == [row["probability_late"] for row in predicted]
    assert found[-1]["error"].startswith("distance not in")


def test_an_export_overwrites_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is there already"):
        export_mlflow(folder, tmp_path)


def test_the_wheel_serves(reproduced: Project, tmp_path: Path, rows: Rows, predicted: Rows) -> None:
    (wheel,) = (reproduced.folder / "dist/wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "departures_scorer/serving/static/page.js").is_file()
    by = (sys.executable, "-m", "departures_scorer", "serve")
    with serving(None, env={"PYTHONPATH": str(tmp_path)}, by=by) as server:
        found = server.post("/predict", {"rows": rows}).json["predictions"]
        assert [record["probability_late"] for record in found] == [row["probability_late"] for row in predicted]
        assert server.get("/static/page.css").status == 200
