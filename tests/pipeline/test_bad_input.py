"""Bad input, as a person would meet it: a stage is run, says one clear thing, and leaves nothing half-written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fullcircle.core.config import compose

if TYPE_CHECKING:
    from tests.conftest import Project


@pytest.fixture
def small(copied: Project) -> Project:
    """The project with its raw tables alone."""
    for made in ("data/clean", "data/labelled", "data/split", "data/features", "models", "dist"):
        shutil.rmtree(copied.folder / made)
    return copied


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


def test_a_source_that_is_not_there_is_named_and_the_raw_tables_stay(small: Project) -> None:
    small.edit("params.yaml", "data/source/planes.csv", "data/source/plains.csv")
    before = raw(small)
    assert "data/source/plains.csv" in stage(small, "ingest")
    assert raw(small).equals(before)


def test_a_missing_and_an_extra_raw_column_are_named_with_the_nearest_name(small: Project) -> None:
    small.edit("conf/data/departures.yaml", "dep_delay:", "dep_delays:")
    said = stage(small, "ingest")
    assert "missing columns: dep_delays" in said
    assert "unknown column: dep_delay (did you mean dep_delays?)" in said


def test_a_raw_column_of_another_type_is_shown_with_examples(small: Project) -> None:
    small.edit("conf/data/departures.yaml", "carrier: {kind: category, about", "carrier: {kind: integer, about")
    assert "carrier: expected integer, read as string, e.g. " in stage(small, "ingest")


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
    small.edit("params.yaml", "test_from:\n  - 2013\n  - 3", "test_from:\n  - 2014\n  - 3")
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
            "conf/problem/departures.yaml",
            "test_from: [2013, 3, 11]",
            "test_from: [2013, 1, 1]",
            "must come after validation_from",
        ),
        (
            "conf/problem/departures.yaml",
            "{metric: auc, min: 0.60",
            "{metric: auc, min: 7.0",
            "threshold 7.0 is outside 0..1",
        ),
        (
            "conf/problem/departures.yaml",
            "{metric: auc, min: 0.60",
            "{metric: acu, min: 0.70",
            "unknown value: acu (did you mean auc?)",
        ),
        ("conf/problem/departures.yaml", "missed: 3", "missed: -3", "costs must be above 0"),
        (
            "conf/problem/departures.yaml",
            "distance, plane_built",
            "dep_delay, plane_built",
            "dep_delay, which is not known two hours",
        ),
        (
            "conf/problem/departures.yaml",
            "question:",
            "qestion:",
            "unknown key: qestion (did you mean question?)",
        ),
        (
            "conf/data/departures.yaml",
            "dest: {kind: category",
            "dest: {kidn: category",
            "unknown key: kidn (did you mean kind?)",
        ),
        ("conf/data/departures.yaml", "dest: {kind: category", "dest: {kind: catgory", "'catgory' is not one of"),
        ("conf/problem/departures.yaml", "/model: xgboost", "/model: xgbost", "xgbost"),
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
