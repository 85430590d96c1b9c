from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.core.tables import read_columns
from fullcircle.scoring.bundle import Bundle

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns
    from tests.conftest import Project

ROWS = 1000


def write_csv(path: Path, columns: Columns) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if v is None or v != v else v for v in row])


@pytest.fixture(scope="module")
def rows(reproduced: Project) -> Columns:
    inputs = list(Bundle.load(reproduced.folder / "dist/bundle").scorer.plan.inputs)
    columns = read_columns(reproduced.folder / "data/split/test.parquet", inputs)
    return {name: values[:ROWS] for name, values in columns.items()}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_wheel_needs_numpy_and_onnxruntime_alone_and_answers_as_the_bundle(
    reproduced: Project, rows: Columns, tmp_path: Path
) -> None:
    (wheel,) = (reproduced.folder / "dist/wheel").glob("*.whl")
    uv = os.environ.get("UV") or shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert uv, "uv is among the development dependencies"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(tmp_path / "empty")], check=True)
    python = str(tmp_path / "empty/bin/python")
    pinned = [f"{name}=={metadata.version(name)}" for name in ("numpy", "onnxruntime")]
    subprocess.run([uv, "pip", "install", "-q", "--python", python, str(wheel), *pinned], check=True)
    installed = subprocess.run(
        [uv, "pip", "freeze", "--python", python], check=True, capture_output=True, text=True
    ).stdout
    assert not {"pandas", "scikit-learn", "xgboost", "pyarrow", "fullcircle"} & {
        line.split("==")[0].split(" @")[0] for line in installed.splitlines()
    }
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    write_csv(source, rows)
    command = [python, "-I", "-m", "departures_scorer", str(source), str(out)]
    done = subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, text=True)
    assert "1,000 rows scored" in done.stdout
    expected = Bundle.load(reproduced.folder / "dist/bundle").score(rows)
    answers = read(out)
    assert [a["prediction"] for a in answers] == expected.columns["prediction"].tolist()
    got = np.array([float(a["probability_late"]) for a in answers])
    assert np.abs(got - expected.predicted[:, 0]).max() <= 5.1e-7  # the file holds six decimals


def test_score_answers_and_sets_bad_rows_aside(reproduced: Project, rows: Columns, tmp_path: Path) -> None:
    bad = {name: values[:6].copy() for name, values in rows.items()}
    bad["origin"][1] = "SFO"
    bad["distance"][2] = np.inf
    bad["month"][3] = 2.5
    bad["carrier"][4] = None
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    write_csv(source, bad)
    text = source.read_text(encoding="utf-8").splitlines()
    source.write_text("\n".join([*text, text[1].replace(text[1].split(",")[0], "year", 1)]) + "\n", encoding="utf-8")
    done = reproduced.run("fullcircle", "score", "dist/bundle", str(source), str(out))
    assert "2 rows scored" in done.stdout
    assert [a["row"] for a in read(out)] == ["1", "6"]
    reasons = {r["row"]: r["reasons"] for r in read(tmp_path / "out.rejected.csv")}
    assert reasons == {
        "2": "origin not one of EWR, JFK, LGA",
        "3": "distance not in 10..6000",
        "4": "month not in 1..12",
        "5": "carrier is missing",
        "7": "year is no number",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda header: header.replace("carrier", "carier"),
            "unknown column: carier (did you mean carrier?)",
        ),
        (lambda header: header.removesuffix(",timetable"), "missing columns: timetable"),
        (lambda header: header + ",target", "unknown column: target"),
        (lambda header: header.replace("dest,", "origin,"), "columns of one name: origin"),
        (lambda header: "", "it has no header"),
    ],
)
def test_score_refuses_other_columns_and_writes_nothing(
    reproduced: Project, rows: Columns, tmp_path: Path, change: object, said: str
) -> None:
    assert callable(change)
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    write_csv(source, {name: values[:1] for name, values in rows.items()})
    header, row = source.read_text(encoding="utf-8").splitlines()
    changed = change(header)
    source.write_text(f"{changed}\n{row}\n" if changed else "", encoding="utf-8")
    done = reproduced.run("fullcircle", "score", "dist/bundle", str(source), str(out), check=False)
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_score_refuses_a_damaged_bundle(reproduced: Project, rows: Columns, tmp_path: Path) -> None:
    damaged = tmp_path / "bundle"
    shutil.copytree(reproduced.folder / "dist/bundle", damaged)
    model = bytearray((damaged / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 1
    (damaged / "model.onnx").write_bytes(bytes(model))
    write_csv(tmp_path / "in.csv", rows)
    done = reproduced.run(
        "fullcircle", "score", str(damaged), str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), check=False
    )
    assert done.returncode == 1
    assert "model.onnx: its SHA-256 is another" in done.stdout
    assert not (tmp_path / "out.csv").exists()


def test_the_bundle_holds_no_pickle(reproduced: Project) -> None:
    names = {path.suffix for path in (reproduced.folder / "dist/bundle").iterdir()}
    assert names == {".json", ".onnx", ".md"}
