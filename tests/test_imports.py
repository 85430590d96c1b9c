"""Imports point one way, and what travels in the wheel needs NumPy and ONNX Runtime only."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from fullcircle.packaging import wheel

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
    def package(self) -> str:
        """The part after `fullcircle`, such as `base` or `core`."""
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


def imports_in(*names: str) -> list[Import]:
    found: list[Import] = []
    for name in names:
        files = sorted((PACKAGE / name).rglob("*.py")) if (PACKAGE / name).is_dir() else [PACKAGE / f"{name}.py"]
        for file in files:
            found += imports_of(file)
    return found


def named(imports: list[Import]) -> list[str]:
    return [f"{i.file.relative_to(SRC)}: {i.module}" for i in imports]


BASE = {"base"}
SCORING = {"base", "pointintime", "features"}
MAY_IMPORT: dict[str, set[str]] = {
    # In the wheel: NumPy and ONNX Runtime only.
    "base": set(),
    "pointintime": BASE,
    "features": BASE,
    "scoring": SCORING,
    "log": {"base"},  # and SQLAlchemy
    "serving": {"base", "pointintime", "scoring", "log"},  # and the web framework
    # What every stage builds on.
    "core": {"base", "pointintime"},
    # What one stage does.
    "sources": {"base", "core"},
    "cleaning": {"base", "core", "pointintime"},
    "labelling": {"base", "core"},
    "featurizing": {"base", "core", "features"},
    "evaluation": {"base", "core", "features", "scoring"},
    "models": {"base", "core", "features", "scoring"},
    "packaging": {"base", "core", "scoring"},
    "monitoring": {"base", "core", "evaluation", "log", "scoring"},
    "registry": {"base", "core", "scoring"},
    "report": {"base", "cleaning", "core", "evaluation", "features", "pointintime", "scoring"},
    # What runs them.
    "stages": {
        *SCORING, "scoring", "core", "sources", "cleaning", "labelling", "featurizing", "evaluation", "models",
        "packaging", "monitoring", "registry", "report",
    },
    "params": {"base", "core", "evaluation", "featurizing", "models", "stages"},
    "sweep": {"base", "core", "evaluation", "features", "featurizing", "models", "params", "report", "scoring",
              "stages"},
    "drafting": {"base", "core", "evaluation", "features", "scoring", "sources"},
    "commands": {"base", "core", "evaluation", "features", "labelling", "log", "monitoring", "packaging", "registry",
                 "scoring",                  "serving", "sources", "sweep"},
    "notebook": {"base", "core", "scoring"},
    "in_use": {"commands", "core", "monitoring", "registry"},
    "cli": {"base", "commands", "core", "drafting", "in_use", "params", "scoring", "serving", "sweep"},
}  # fmt: skip
"""Every package, and every module beside them -> what it may import of the others."""

WHEEL = ("base", "pointintime", "features", "scoring", "log", "serving")
OPTIONAL = {
    "serving": {"starlette", "uvicorn", "prometheus_client", "yaml", "grpc", "google", "model_signing"},
    "log": {"sqlalchemy", "orjson"},
}
"""What packages of the wheel need besides, as extras."""


def test_every_package_and_module_has_its_rule() -> None:
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert there - {"__init__", "__pycache__"} == MAY_IMPORT.keys()


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_imports_point_one_way(name: str) -> None:
    may = {"", name, *MAY_IMPORT[name]}
    assert named([i for i in imports_in(name) if i.top == "fullcircle" and i.package not in may]) == []


def test_the_rules_have_no_cycle() -> None:
    assert [*TopologicalSorter(MAY_IMPORT).static_order()]


def test_no_two_modules_import_each_other() -> None:
    modules = {".".join(file.relative_to(SRC).with_suffix("").parts): file for file in PACKAGE.rglob("*.py")}
    graph = {}
    for name, file in modules.items():
        found = {i.module for i in imports_of(file)}
        graph[name] = (found | {module.rpartition(".")[0] for module in found}) & modules.keys() - {name}
    assert [*TopologicalSorter(graph).static_order()]


def test_the_walk_sees_imports_of_every_kind() -> None:
    found = {i.module for i in imports_in("scoring", "features", "models", "stages")}
    assert "fullcircle.features.plan.Plan" in found  # from ..features.plan import Plan
    assert "fullcircle.features.created" in found  # from . import created
    assert "fullcircle.base.typed.build" in found  # from ..base.typed import build
    assert "fullcircle.core.paths" in found  # from fullcircle.core import paths
    assert "sklearn.ensemble.RandomForestClassifier" in found  # inside a function
    assert len(imports_in("scoring")) > 20


@pytest.mark.parametrize("name", WHEEL)
def test_what_travels_in_the_wheel_imports_nothing_heavy(name: str) -> None:
    allowed = ALLOWED | OPTIONAL.get(name, set())
    outside = [i for i in imports_in(name) if i.top != "fullcircle" and i.top not in allowed]
    assert named(outside) == []
    assert not HEAVY & ALLOWED


@pytest.mark.parametrize("name", WHEEL)
def test_what_travels_in_the_wheel_imports_its_own_by_relative_imports(name: str) -> None:
    assert named([i for i in imports_in(name) if i.top == "fullcircle" and i.dots == 0]) == []


def test_the_wheel_holds_all_that_scoring_imports() -> None:
    assert set(WHEEL) == set(wheel.PACKAGES) == {"scoring", "serving", *MAY_IMPORT["scoring"], *MAY_IMPORT["serving"]}


def test_only_config_imports_hydra_and_omegaconf() -> None:
    users = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for i in imports_of(file)
        if i.top in ("hydra", "omegaconf")
    }
    assert "core/config.py" in users
    assert {user for user in users if not user.startswith("sweep/")} == {"core/config.py"}


@pytest.mark.parametrize(
    "name",
    ["sources", "cleaning", "labelling", "featurizing", "evaluation", "models", "monitoring", "drafting"],
)
def test_a_package_is_given_its_configuration_and_reads_none(name: str) -> None:
    assert named([i for i in imports_in(name) if i.module.startswith("fullcircle.core.config")]) == []


def test_evaluation_needs_only_numpy() -> None:
    tops = {i.top for i in imports_in("evaluation")}
    assert tops <= set(sys.stdlib_module_names) | {"numpy", "fullcircle"}


def test_no_stage_runs_another() -> None:
    for file in (PACKAGE / "stages").glob("*.py"):
        assert named([i for i in imports_of(file) if i.package == "stages"]) == []


def imported_by(module: str) -> set[str]:
    """The top packages that importing `module` in a fresh interpreter brings in."""
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("fullcircle.scoring.scorer", HEAVY),
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
