"""Imports point one way, so that `runtime` and `features` can travel with NumPy and ONNX Runtime alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
PACKAGE = SRC / "fullcircle"
HEAVY = {
    "pandas", "pandera", "sklearn", "skl2onnx", "onnxmltools", "onnx", "xgboost", "pyarrow", "yaml", "hydra",
    "omegaconf", "dvc", "dvclive", "scipy",
}  # fmt: skip
ALLOWED = set(sys.stdlib_module_names) | {"numpy", "onnxruntime"}


@dataclass(frozen=True)
class Import:
    """One import statement: the absolute `module`, and by how many dots it was written."""

    file: Path
    module: str
    dots: int

    @property
    def top(self) -> str:
        return self.module.split(".")[0]

    @property
    def room(self) -> str:
        """The part after `fullcircle`, such as `runtime` or `core`."""
        return self.module.split(".")[1] if self.top == "fullcircle" and "." in self.module else ""


def imports_of(file: Path) -> list[Import]:
    package = [*file.relative_to(SRC).with_suffix("").parts][:-1]
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [Import(file, alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from fullcircle.core import paths` imports fullcircle.core.paths
            found += [Import(file, f"{module}.{alias.name}", node.level) for alias in node.names]
    return found


def imports_in(*rooms: str) -> list[Import]:
    found: list[Import] = []
    for room in rooms:
        files = sorted((PACKAGE / room).rglob("*.py")) if (PACKAGE / room).is_dir() else [PACKAGE / f"{room}.py"]
        for file in files:
            found += imports_of(file)
    return found


def named(imports: list[Import]) -> list[str]:
    return [f"{i.file.relative_to(SRC)}: {i.module}" for i in imports]


def test_the_walk_sees_imports_of_every_kind(tmp_path: Path) -> None:
    found = {i.module for i in imports_in("runtime", "features", "models", "stages")}
    assert "fullcircle.features.LIBRARY" in found  # from ..features import LIBRARY
    assert "fullcircle.features.created" in found  # from . import created
    assert "fullcircle.runtime.typed.build" in found  # from .typed import build
    assert "fullcircle.core.paths" in found  # from fullcircle.core import paths
    assert "sklearn.ensemble.RandomForestClassifier" in found  # inside a function
    assert len(imports_in("runtime")) > 20


@pytest.mark.parametrize("room", ["features", "runtime"])
def test_what_travels_in_a_wheel_imports_nothing_heavy(room: str) -> None:
    outside = [i for i in imports_in(room) if i.top != "fullcircle" and i.top not in ALLOWED]
    assert named(outside) == []
    assert not HEAVY & ALLOWED


def test_features_import_nothing_of_the_project_but_features() -> None:
    assert named([i for i in imports_in("features") if i.top == "fullcircle" and i.room != "features"]) == []


def test_runtime_imports_nothing_of_the_project_but_runtime_and_features() -> None:
    inside = [i for i in imports_in("runtime") if i.top == "fullcircle"]
    assert named([i for i in inside if i.room not in ("runtime", "features")]) == []
    assert {i.room for i in inside} == {"runtime", "features"}


@pytest.mark.parametrize("room", ["features", "runtime"])
def test_what_travels_in_a_wheel_imports_its_own_by_relative_imports(room: str) -> None:
    assert named([i for i in imports_in(room) if i.top == "fullcircle" and i.dots == 0]) == []


def test_only_config_imports_hydra_and_omegaconf() -> None:
    users = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for i in imports_of(file)
        if i.top in ("hydra", "omegaconf")
    }
    assert "core/config.py" in users
    assert {user for user in users if not user.startswith("sweep/")} == {"core/config.py"}


ROOMS = {"stages", "models", "sources", "cleaning", "evaluation", "packaging", "report", "drafting"}


@pytest.mark.parametrize(
    ("room", "may"),
    [
        ("features", set()),
        ("runtime", {"features"}),
        ("core", {"runtime"}),
        ("sources", {"runtime", "core"}),
        ("cleaning", {"runtime", "core"}),
        ("evaluation", {"runtime", "core", "features"}),
        ("models", {"runtime", "core", "features"}),
        ("packaging", {"runtime", "core", "features"}),
        ("report", {"runtime", "core", "features", "evaluation"}),
        ("drafting", {"runtime", "core", "features", "sources"}),
        ("sweep", {"runtime", "core", "evaluation", "models", "report", "stages", "whole"}),
        ("stages", {"runtime", "core", "features", *ROOMS - {"drafting"}}),
    ],
)
def test_imports_point_one_way(room: str, may: set[str]) -> None:
    assert named([i for i in imports_in(room) if i.top == "fullcircle" and i.room not in {"", room, *may}]) == []


@pytest.mark.parametrize("room", ["sources", "cleaning", "evaluation", "models", "drafting"])
def test_a_room_is_told_what_it_needs_and_reads_no_configuration(room: str) -> None:
    assert named([i for i in imports_in(room) if i.module.startswith("fullcircle.core.config")]) == []


def test_evaluation_needs_only_numpy() -> None:
    tops = {i.top for i in imports_in("evaluation")}
    assert tops <= set(sys.stdlib_module_names) | {"numpy", "fullcircle"}


def test_no_stage_runs_another() -> None:
    for file in (PACKAGE / "stages").glob("*.py"):
        assert named([i for i in imports_of(file) if i.room == "stages"]) == []


def imported_by(module: str) -> set[str]:
    """The top packages that importing `module` in a fresh interpreter brings in."""
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("fullcircle.runtime.scorer", HEAVY),
        ("fullcircle.features", HEAVY | {"onnxruntime"}),
        ("fullcircle.stages.ingest", {"xgboost", "sklearn", "onnxruntime", "hydra", "omegaconf", "pandas", "pandera"}),
        ("fullcircle.stages.ingest", {"sqlalchemy", "psycopg", "fsspec", "s3fs", "dlt", "openpyxl", "tqdm"}),
        ("fullcircle.stages.split", {"xgboost", "sklearn", "onnxruntime", "pandas", "hydra", "omegaconf"}),
        ("fullcircle.stages.validate", {"xgboost", "sklearn", "pandas", "hydra", "omegaconf"}),
        ("fullcircle.stages.train", {"xgboost", "sklearn", "pandas", "hydra", "omegaconf", "dvclive"}),
    ],
)
def test_a_module_does_not_pay_for_what_it_does_not_use(module: str, never: set[str]) -> None:
    assert imported_by(module) & never == set()


def test_importing_a_stage_does_nothing() -> None:
    stages = ", ".join(f"fullcircle.stages.{f.stem}" for f in (PACKAGE / "stages").glob("*.py") if f.stem != "__init__")
    done = subprocess.run([sys.executable, "-c", f"import {stages}"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
