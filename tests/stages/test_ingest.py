from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from fullcircle import sources
from fullcircle.core.problem import Bundled, Table
from fullcircle.core.stage import run
from fullcircle.runtime.columns import Column
from fullcircle.runtime.errors import DataError
from fullcircle.sources import Reading
from fullcircle.stages.ingest import entry, ingest

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = Bundled("bundled", "some-package", "1.0", "planes.csv")
SPEC = Table({"tail": Column("category"), "seats": Column("number")}, ("tail",), "error")


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> dict[str, pa.Table]:
    given = {"table": pa.table({"tail": ["N1", "N2"], "seats": [10, 20]})}
    monkeypatch.setattr(sources, "read", lambda _: Reading(given["table"], "some-package 1.0, planes.csv"))
    return given


def test_a_source_is_read_and_typed(reading: dict[str, pa.Table]) -> None:
    table, origin = ingest(SOURCE, SPEC, "planes")
    assert table.schema.field("seats").type == pa.float64()
    assert origin == "some-package 1.0, planes.csv"


def test_a_source_that_is_not_what_the_problem_says_is_refused_with_its_origin(
    reading: dict[str, pa.Table],
) -> None:
    reading["table"] = pa.table({"tail": ["N1", "N1"], "seats": [10, 20]})
    with pytest.raises(DataError, match=r"planes \(some-package 1\.0, planes\.csv\): .*\n  tail must be unique"):
        ingest(SOURCE, SPEC, "planes")


def test_the_manifest_says_what_was_read(tmp_path: Path) -> None:
    file = tmp_path / "planes.parquet"
    file.write_bytes(b"bytes")
    table = pa.table({"tail": ["N1", "N2"], "seats": [10.0, 20.0]})
    assert entry(table, "here", file) == {
        "origin": "here",
        "rows": 2,
        "sha256": hashlib.sha256(b"bytes").hexdigest(),
        "schema": {"tail": "string", "seats": "double"},
    }


def test_what_a_stage_raises_on_purpose_becomes_one_message_and_a_failure() -> None:
    def fails() -> None:
        raise DataError("3 rows are wrong")

    with pytest.raises(SystemExit) as caught:
        run("clean", fails)
    assert caught.value.code == "clean: 3 rows are wrong"


def test_what_a_stage_does_not_foresee_is_not_hidden() -> None:
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run("clean", fails)
