from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fullcircle.core.config import compose
from fullcircle.packaging.wheel import PACKAGES
from tests.pipeline.graph import ROOT, closure

STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
CIRCLE = ["ingest", "clean", "label", "split", "featurize", "train", "validate", "package"]

# What a stage runs without an import that can be read: models by name, packages copied into the wheel, templates.
BY_NAME = {"train": ["models"], "package": [*PACKAGES, "report"]}


def deps(stage: str) -> set[Path]:
    return {Path(d) for d in STAGES[stage]["deps"]}


def outs(stage: str) -> set[str]:
    listed = STAGES[stage].get("outs", []) + STAGES[stage].get("metrics", [])
    return {next(iter(out)) if isinstance(out, dict) else out for out in listed}


def test_the_circle_stands_in_the_order_of_the_data() -> None:
    assert [*STAGES] == CIRCLE


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_module_it_runs_and_on_no_other(stage: str) -> None:
    runs = closure(f"fullcircle.stages.{stage}")
    listed = {path for path in deps(stage) if path.parts[0] == "src"}
    uncovered = {path for path in runs if not any(path.is_relative_to(dep) for dep in listed)}
    assert not uncovered
    by_name = {Path("src/fullcircle") / name for name in BY_NAME.get(stage, [])}
    assert by_name <= listed
    unused = {dep for dep in listed - by_name if not any(path.is_relative_to(dep) for path in runs)}
    assert not unused


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_says_in_one_line_what_it_is_for(stage: str) -> None:
    assert 20 < len(STAGES[stage]["desc"]) < 110
    assert "\n" not in STAGES[stage]["desc"]


def test_no_two_stages_write_the_same_output() -> None:
    written = [out for stage in STAGES for out in outs(stage)]
    assert len(written) == len(set(written))


def test_validate_reads_the_test_rows_and_package_keeps_them_for_monitoring() -> None:
    readers = [
        stage for stage in STAGES if any(Path("data/split/test.parquet").is_relative_to(dep) for dep in deps(stage))
    ]
    assert readers == ["validate", "package"]


def test_the_labelled_rows_are_read_by_split_alone() -> None:
    sources = {"data/clean", "data/clean/kept.parquet", "data/labelled", "data/labelled/labelled.parquet"}
    readers = {stage: {str(d) for d in deps(stage)} & sources for stage in STAGES}
    assert {stage for stage, read in readers.items() if read} == {"label", "split"}


def test_params_yaml_is_what_conf_composes() -> None:
    assert (ROOT / "params.yaml").read_text(encoding="utf-8") == compose((), ROOT / "conf"), (
        "params.yaml is stale: `fullcircle params` renews it"
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_parameters_that_exist(stage: str) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for key in STAGES[stage].get("params", []):
        part = params
        for name in key.split("."):
            assert name in part, key
            part = part[name]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_no_parameter_that_it_does_not_name(stage: str) -> None:
    """Every `load(..., "key")` in a stage's own file is one of its params, or below one of them."""
    import ast

    tree = ast.parse((ROOT / f"src/fullcircle/stages/{stage}.py").read_text(encoding="utf-8"))
    calls = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "load"
    ]
    keys = [call.args[1].value for call in calls if isinstance(call.args[1], ast.Constant)]
    assert len(keys) == len(calls)
    for key in keys:
        named = STAGES[stage].get("params", [])
        assert any(key == p or str(key).startswith(f"{p}.") for p in named) or Path("params.yaml") in deps(stage), key
