"""A machine of one core reads the same: a drafted table of mixed cells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.pipeline.graph import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = "from fullcircle.cli import main; main()"


def run(folder: Path, *command: str, one_core: bool) -> None:
    pinned = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if one_core else []
    environment = os.environ | {"OMP_NUM_THREADS": "1"} if one_core else None
    done = subprocess.run(
        [*pinned, sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def ingested(folder: Path, problem: str, *, one_core: bool) -> dict[str, str]:
    """Compose, ingest; table -> SHA-256 of its Parquet file."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "conf", folder / "conf", dirs_exist_ok=True)
    run(folder, "-c", COMMANDS, "params", f"problem={problem}", one_core=one_core)
    run(folder, "-m", "fullcircle.stages.ingest", one_core=one_core)
    manifest = json.loads((folder / "data/raw/manifest.json").read_text(encoding="utf-8"))
    return {name: table["sha256"] for name, table in manifest.items()}


def test_a_drafted_table_of_mixed_cells_is_read_on_one_core_as_on_many(tmp_path: Path) -> None:
    rows = [f"{i},2013-01-{i % 28 + 1:02} 05:00:00,{i * 1.5},{i % 7},{'yes' if i % 3 else 'no'}" for i in range(600)]
    rows[5] = "5,2013-01-06T05:00:00+01:00,7.5,5,yes"  # one time with an offset
    rows[9] = "9,2013-01-10 05:00:00,odd,2,no"  # one odd cell
    text = "\n".join(["id,at,amount,code,bought", *rows]) + "\n"
    found = {}
    for one_core in (True, False):
        folder = tmp_path / str(one_core)
        shutil.copytree(ROOT / "conf", folder / "conf")
        (folder / "mixed.csv").write_text(text, encoding="utf-8")
        run(folder, "-c", COMMANDS, "init", "mixed.csv", "--target", "bought", "--name", "mixed", one_core=one_core)
        found[one_core] = ingested(folder, "mixed", one_core=one_core)
    assert found[True] == found[False]
