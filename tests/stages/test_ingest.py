from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import yaml

from fullcircle.base.errors import ConfigError, DataError, SourceError
from fullcircle.core import paths, progress
from fullcircle.core.config import read_params
from fullcircle.core.stage import failure
from fullcircle.core.tables import read_table, write_table
from fullcircle.stages.ingest import main, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLES = {
    "homes": {"key": ["id"], "columns": {"id": {"kind": "integer"}, "zip": {"kind": "category"}}},
    "sales": {"key": ["id"], "duplicates": "error", "columns": {"id": {"kind": "integer"}, "at": {"kind": "time"}}},
}
FILES = {name: {"kind": "file", "path": f"{name}.csv"} for name in TABLES}


class Project:
    """A folder with a configuration of two tables, in which `ingest` runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "conf/data").mkdir(parents=True)
        (folder / "conf/data/homes.yaml").write_text(yaml.safe_dump({"tables": TABLES}, sort_keys=False))
        (folder / "homes.csv").write_text("id,zip\n1,00123\n2,\n")
        self.sales(3)

    def sales(self, rows: int) -> None:
        lines = [f"{i},2013-01-01T00:00:{i:02}Z" for i in range(rows)]
        (self.folder / "sales.csv").write_text("\n".join(["id,at", *lines]) + "\n")

    def ingest(self, sources: dict[str, Any]) -> dict[str, Any]:
        problem = {"problem": {"data": "conf/data/homes.yaml", "sources": sources}}
        (self.folder / "params.yaml").write_text(yaml.safe_dump(problem))
        read_params.cache_clear()
        try:
            main()
        finally:
            read_params.cache_clear()
        return json.loads(paths.RAW_MANIFEST.read_text())  # type: ignore[no-any-return]

    def files(self) -> dict[str, bytes]:
        found = (path for path in (self.folder / "data").rglob("*") if path.is_file())
        return {path.relative_to(self.folder / "data").as_posix(): path.read_bytes() for path in found}

    def ids(self) -> list[int]:
        return read_table(paths.raw_parts("sales")).column("id").to_pylist()  # type: ignore[no-any-return]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def appended(**changes: Any) -> dict[str, Any]:
    return {"sales": FILES["sales"] | {"mode": "append", "watermark": "at", "as_of": "2026-10-31"} | changes}


def test_every_source_is_read_and_the_manifest_says_what(project: Project) -> None:
    manifest = project.ingest(FILES)
    files = project.files()
    assert sorted(files) == ["raw/homes.parquet", "raw/manifest.json", "raw/sales.parquet"]
    assert manifest["homes"] == {
        "origin": "homes.csv",
        "rows": 2,
        "sha256": hashlib.sha256(files["raw/homes.parquet"]).hexdigest(),
        "schema": {"id": "int64", "zip": "string"},
    }
    assert read_table(paths.raw("homes")).column("zip").to_pylist() == ["00123", None]


def test_the_same_sources_are_the_same_bytes(project: Project) -> None:
    project.ingest(FILES)
    before = project.files()
    project.ingest(FILES)
    assert project.files() == before


def test_a_table_that_is_no_longer_asked_for_goes(project: Project) -> None:
    project.ingest(FILES)
    project.ingest({"homes": FILES["homes"]})
    assert sorted(project.files()) == ["raw/homes.parquet", "raw/manifest.json"]


def breaks(file: str, content: str) -> Callable[[Project], None]:
    def write(project: Project) -> None:
        (project.folder / file).write_text(content)

    return write


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (breaks("sales.csv", ""), SourceError, r"sales: sales\.csv cannot be read: Empty CSV file"),
        (breaks("sales.csv", "id,at\n"), DataError, r"sales \(sales\.csv\): the table is empty"),
        (breaks("sales.csv", "id,at\n1,yesterday\n"), DataError, r"sales \(sales\.csv\): .*\n  at: expected time"),
        (breaks("sales.csv", "id,att\n1,2013-01-01\n"), DataError, r"unknown column: att \(did you mean at\?\)"),
        (breaks("sales.csv", "id,at\n1,\n1,\n"), DataError, r"id must be unique: 1 keys come .* e\.g\. id=1"),
        (lambda project: (project.folder / "sales.csv").unlink(), SourceError, r"sales: sales\.csv: there is no file"),
    ],
)  # fmt: skip
def test_one_source_that_fails_leaves_all_tables_as_they_were(
    project: Project, wrong: Callable[[Project], None], error: type[Exception], said: str
) -> None:
    project.ingest(FILES)
    before = project.files()
    (project.folder / "homes.csv").write_text("id,zip\n9,9\n")
    wrong(project)
    with pytest.raises(error, match=said):
        project.ingest(FILES)
    assert project.files() == before


def test_a_source_of_no_table_is_an_error(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"unknown table: sale \(did you mean sales\?\)"):
        project.ingest({"sale": FILES["sales"]})


def test_append_takes_only_what_is_past_the_watermark(project: Project) -> None:
    project.ingest(appended())
    first = project.files()["raw/sales/2026-10-31.parquet"]
    project.sales(5)
    manifest = project.ingest(appended(as_of="2026-11-30"))
    assert project.files()["raw/sales/2026-10-31.parquet"] == first
    assert read_table(paths.raw_parts("sales") / "2026-11-30.parquet").column("id").to_pylist() == [3, 4]
    assert project.ids() == [0, 1, 2, 3, 4]
    assert manifest["sales"]["rows"] == 5
    parts = [(part["as_of"], part["rows"], part["watermark"]) for part in manifest["sales"]["parts"]]
    assert parts == [
        ("2026-10-31", 3, "2013-01-01T00:00:02+00:00"),
        ("2026-11-30", 2, "2013-01-01T00:00:04+00:00"),
    ]


def test_a_snapshot_that_was_taken_is_not_taken_again(project: Project) -> None:
    project.ingest(appended())
    before = project.files()
    (project.folder / "sales.csv").unlink()  # it is not even asked
    project.ingest(appended())
    assert project.files() == before


def test_a_snapshot_with_nothing_new_is_a_part_without_rows(project: Project) -> None:
    project.ingest(appended())
    manifest = project.ingest(appended(as_of="2026-11-30"))
    assert [part["rows"] for part in manifest["sales"]["parts"]] == [3, 0]
    project.sales(4)
    project.ingest(appended(as_of="2026-12-31"))
    assert project.ids() == [0, 1, 2, 3]


def test_append_without_a_watermark_takes_each_snapshot_whole(project: Project) -> None:
    (project.folder / "sales.csv").rename(project.folder / "sales-1.csv")
    project.ingest(appended(watermark=None, path="sales-{as_of}.csv", as_of="1"))
    (project.folder / "sales-2.csv").write_text("id,at\n7,2012-01-01T00:00:00Z\n")
    project.ingest(appended(watermark=None, path="sales-{as_of}.csv", as_of="2"))
    assert project.ids() == [0, 1, 2, 7]


def test_a_failed_snapshot_leaves_the_earlier_ones(project: Project) -> None:
    project.ingest(appended())
    before = project.files()
    (project.folder / "sales.csv").write_text("id,at\n7,2014-01-01T00:00:00Z\nx,2014-01-01T00:00:00Z\n")
    with pytest.raises(DataError, match=r"id: expected integer, read as string, e\.g\. x"):
        project.ingest(appended(as_of="2026-11-30"))
    assert project.files() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"as_of": "2026-09-30"}, "as_of 2026-09-30 lies before the last snapshot, 2026-10-31"),
        ({"as_of": "2026-11-30", "watermark": "id"}, "were requested with other settings .*remove data/raw/sales"),
        ({"as_of": "2026-11-30", "watermark": "seen"}, "requested with other settings"),
    ],
)  # fmt: skip
def test_a_snapshot_that_does_not_follow_the_earlier_ones_is_refused(
    project: Project, changes: dict[str, Any], said: str
) -> None:
    project.ingest(appended())
    before = project.files()
    with pytest.raises(SourceError, match=said):
        project.ingest(appended(**changes))
    assert project.files() == before


def test_snapshots_of_other_columns_are_refused(project: Project) -> None:
    project.ingest(appended())
    other = {"sales": {"key": ["id"], "columns": {"id": {"kind": "category"}, "at": {"kind": "time"}}}}
    (project.folder / "conf/data/homes.yaml").write_text(yaml.safe_dump({"tables": other}))
    with pytest.raises(SourceError, match="the earlier snapshots have other columns"):
        project.ingest(appended(as_of="2026-11-30"))


def test_an_earlier_snapshot_that_was_changed_is_noticed(project: Project) -> None:
    project.ingest(appended())
    write_table(paths.raw_parts("sales") / "2026-10-31.parquet", pa.table({"id": [1]}))
    with pytest.raises(SourceError, match=r"2026-10-31\.parquet is not what was read\. `dvc checkout data/raw`"):
        project.ingest(appended(as_of="2026-11-30"))


def test_a_row_without_a_watermark_is_an_error(project: Project) -> None:
    (project.folder / "sales.csv").write_text("id,at\n7,2014-01-01T00:00:00Z\n8,\n")
    with pytest.raises(SourceError, match=r"sales: 1 rows have no at, e\.g\. .*'id': 8"):
        project.ingest(appended())


def test_a_watermark_that_is_no_column_is_an_error(project: Project) -> None:
    with pytest.raises(SourceError, match="the watermark updated is no column; there are id, at"):
        project.ingest(appended(watermark="updated"))


def test_from_append_to_full_and_back(project: Project) -> None:
    project.ingest(appended())
    project.ingest({"sales": FILES["sales"]})
    assert sorted(project.files()) == ["raw/manifest.json", "raw/sales.parquet"]
    project.ingest(appended())
    assert sorted(project.files()) == ["raw/manifest.json", "raw/sales/2026-10-31.parquet"]


@pytest.mark.parametrize("text", ["", "{", '{"homes": 3}', "\0\0"])
def test_a_damaged_manifest_is_made_again(project: Project, text: str) -> None:
    project.ingest(FILES)
    before = project.files()
    paths.RAW_MANIFEST.write_text(text)
    project.ingest(FILES)
    assert project.files() == before


def test_a_damaged_manifest_of_snapshots_is_an_error_and_no_snapshot_is_lost(project: Project) -> None:
    project.ingest(appended())
    paths.RAW_MANIFEST.write_text("{")
    before = project.files()
    with pytest.raises(DataError, match=r"manifest\.json is damaged, and snapshots .* need it\. `dvc checkout"):
        project.ingest(appended(as_of="2026-11-30"))
    assert project.files() == before


def test_the_rows_so_far_are_what_the_stage_is_doing() -> None:
    batches = [pa.record_batch({"x": [1, 2]})] * 3
    said = [progress._now for _ in shown(iter(batches), "homes")]
    assert said == [f"reading homes, {rows} rows" for rows in (2, 4, 6)]


def test_bundled_data_is_read_without_what_other_sources_need(project: Project) -> None:
    code = (
        "import sys; from fullcircle.stages.ingest import main; main(); "
        "print(*{name.split('.')[0] for name in sys.modules} & "
        "{'pandas', 'pandera', 'sqlalchemy', 'fsspec', 'dlt', 'tqdm', 'aiohttp'})"
    )
    columns = {f"c{i}": {"kind": "number"} for i in range(31)}
    tables = {"cells": {"key": ["c0", "c1", "c2", "c3"], "duplicates": "error", "columns": columns}}
    (project.folder / "conf/data/homes.yaml").write_text(yaml.safe_dump({"tables": tables}, sort_keys=False))
    source = {"kind": "bundled", "package": "scikit-learn", "version": version("scikit-learn")}
    source |= {"file": "sklearn/datasets/data/breast_cancer.csv"}
    sources = {"cells": source | {"dialect": {"skip": 1, "header": False}}}
    problem = {"problem": {"data": "conf/data/homes.yaml", "sources": sources}}
    (project.folder / "params.yaml").write_text(yaml.safe_dump(problem))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert read_table(paths.raw("cells")).num_rows == 569


def test_what_a_stage_raises_on_purpose_becomes_one_message() -> None:
    def fails() -> None:
        raise DataError("3 rows are wrong")

    assert failure("clean", fails) == "clean: 3 rows are wrong"
    assert failure("clean", lambda: None) is None


def test_what_a_stage_does_not_foresee_is_not_hidden() -> None:
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failure("clean", fails)
