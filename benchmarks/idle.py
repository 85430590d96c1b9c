"""Idle: `dvc repro` with nothing changed, against the same on a project of eight empty stages."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, clone, ratio, run

PAIRS = 5
EMPTY = "stages:\n" + "".join(
    f"  stage{i}:\n    cmd: echo {i} > {i}.txt\n    deps: [{i - 1}.txt]\n    outs: [{i}.txt]\n" for i in range(1, 9)
)


def measure() -> list[Figure]:
    """Alternate the two, after each has run once."""
    with tempfile.TemporaryDirectory() as folder:
        project, empty = clone(Path(folder) / "project"), Path(folder) / "empty"
        empty.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=empty, check=True)
        run(["dvc", "init", "-q"], empty)
        (empty / "0.txt").write_text("0\n")
        (empty / "dvc.yaml").write_text(EMPTY)
        run(["dvc", "repro"], empty)
        run(["dvc", "repro"], project)
        ours, theirs = [], []
        for _ in range(PAIRS):
            idle = run(["dvc", "repro"], project)
            assert "Running stage" not in idle.output, idle.output
            ours.append(idle.seconds)
            theirs.append(run(["dvc", "repro"], empty).seconds)
    return [ratio("dvc repro with nothing changed / eight empty stages, time", ours, theirs, 1.2)]
