from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullcircle.base.errors import DataError
from fullcircle.core import memory
from fullcircle.core.memory import available, check_memory, kills, needed_by
from fullcircle.core.stage import failure
from fullcircle.core.tables import read_columns, write_columns

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 50_000


def taken(columns: dict[str, np.ndarray]) -> int:
    """Bytes of columns, each string counted once."""
    strings = {id(v): sys.getsizeof(v) for c in columns.values() if c.dtype == object for v in c if v is not None}
    return sum(c.nbytes for c in columns.values()) + sum(strings.values())


@pytest.mark.parametrize("levels", [3, 1000, ROWS])
def test_the_memory_of_a_table_is_estimated_from_its_metadata(tmp_path: Path, levels: int) -> None:
    random = np.random.default_rng(0)
    names = np.array([f"a level that is called {i}" for i in range(levels)], dtype=object)
    write_columns(
        tmp_path / "t.parquet", {"n": random.normal(size=ROWS), "text": names[random.integers(0, levels, ROWS)]}
    )
    needed = needed_by(pq.read_metadata(tmp_path / "t.parquet"))
    really = taken(read_columns(tmp_path / "t.parquet")) + 16 * ROWS  # and those kept
    assert 0.9 * really < needed < 3 * really


def test_a_table_that_does_not_fit_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"note": ["a long free text " * 50] * 10_000}), tmp_path / "t.parquet")
    check_memory("calls", [tmp_path / "t.parquet"])
    monkeypatch.setattr(memory, "available", lambda: 2**16)
    with pytest.raises(
        DataError, match=r"calls: 20,000 rows of 1 columns need about .* GiB of memory, and 0.0 are free"
    ):
        check_memory("calls", [tmp_path / "t.parquet"] * 2)


V1 = ("memory", "4:memory:/job/task", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("", "0::/job/task", "memory.max", "memory.current", "inactive_file")


@pytest.mark.parametrize("inside", ["", "job", "job/task"])
@pytest.mark.parametrize(("base", "line", "limit", "used", "cached"), [V1, V2])
def test_free_memory_is_that_of_the_machine_or_less_where_a_control_group_has_a_limit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    base: str,
    line: str,
    limit: str,
    used: str,
    cached: str,
    inside: str,
) -> None:
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path / "groups")
    monkeypatch.setattr(memory, "OWN", tmp_path / "own")
    assert available() is None
    (tmp_path / "own").write_text(f"9:cpu:/other\n{line}\n")
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:      10 kB\n")
    assert available() == 10 * 1024
    folder = tmp_path / "groups" / base / inside
    folder.mkdir(parents=True)
    (folder / used).write_text("100\n")
    for without_limit in ("max\n", f"{2**63 - 4096}\n"):
        (folder / limit).write_text(without_limit)
        assert available() == 10 * 1024
    (folder / limit).write_text("1100\n")
    assert available() == 1000
    (folder / "memory.stat").write_text(f"anon 3\n{cached} 40\n")
    assert available() == 1040  # what is only cached from files is given back


@pytest.mark.parametrize(
    ("base", "line", "limit", "events"), [(*V1[:3], "memory.oom_control"), (*V2[:3], "memory.events")]
)
def test_processes_that_were_killed_for_memory_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, line: str, limit: str, events: str
) -> None:
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    monkeypatch.setattr(memory, "OWN", tmp_path / "own")
    assert kills() == 0
    (tmp_path / "own").write_text(f"{line}\n")
    (tmp_path / base / "job/task").mkdir(parents=True)
    (tmp_path / base / "job/task" / limit).write_text("1100\n")
    (tmp_path / base / "job/task" / events).write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert kills() == 2


def test_a_stage_that_runs_out_of_memory_ends_with_a_message() -> None:
    def main() -> None:
        np.empty(2**57)

    assert (failure("clean", main) or "").startswith("clean: the memory of this machine is used up (Unable to allocate")
