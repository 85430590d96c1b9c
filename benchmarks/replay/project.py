"""A project as it stood when its first model went into use: a clone whose data come as snapshots."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import clone
from benchmarks.replay.service import SETTINGS

if TYPE_CHECKING:
    from benchmarks.replay.world import World

SNAPSHOTS = Path("data/source/snapshots")
SERVED = "dist/served"


def make(world: World, folder: Path, as_of: str, *, held_days: int) -> None:
    """Make the project, with its first model as registered, promoted and deployed by `fullcircle retrain`.

    `held_days`: of validation rows, and again of test rows.
    """
    if world.root.resolve() != folder and not folder.exists():
        clone(folder)
    name = world.bundle.about.problem
    problem = folder / f"conf/problem/{name}.yaml"
    text = problem.read_text(encoding="utf-8")
    for table in world.raw:
        path = f'"{SNAPSHOTS}/{table}-{{as_of}}.parquet"'
        source = f'    {table}: {{kind: file, path: {path}, as_of: "{as_of}"}}'
        text, count = re.subn(rf"^    {table}: \{{kind: .*\}}$", source, text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{problem}: no source {table} on one line")
    problem.write_text(text, encoding="utf-8")
    (folder / "conf/retrain.yaml").write_text(
        f"{{test_days: {held_days}, validation_days: {held_days}, promote: [staging, prod], deploy: {SERVED}}}\n"
    )
    (folder / "conf/serving.yaml").write_text(SETTINGS)
    # How long an answer took, on the machine that replays, is not part of it.
    (folder / "conf/monitoring.yaml").write_text("{estimate: cbpe, alerts: {latency: ignore}}\n")
    world.snapshot(as_of, folder / SNAPSHOTS)
    command(folder, as_of, "fullcircle", "params")
    command(folder, as_of, "git", "add", "-A")
    command(folder, as_of, "git", "commit", "-q", "-m", f"{name}, with data as of {as_of}")
    command(folder, as_of, "fullcircle", "retrain", "--as-of", as_of)


def command(folder: Path, day: str, *words: str, allowed: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command of the project as of a day's midnight. Raises RuntimeError for another exit code."""
    done = subprocess.run(
        words, cwd=folder, env=os.environ | environment(folder, day), capture_output=True, text=True, check=False
    )
    if done.returncode not in allowed:
        raise RuntimeError(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def environment(folder: Path, day: str) -> dict[str, str]:
    """Of a command: this environment's tools, the project's code, and git's clock."""
    at = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=30)
    clock = f"{at.timestamp():.0f} +0000"  # as DVC's git reads it, too
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "DVC_NO_ANALYTICS": "1",
        "GIT_AUTHOR_NAME": "replay",
        "GIT_AUTHOR_EMAIL": "replay@localhost",
        "GIT_COMMITTER_NAME": "replay",
        "GIT_COMMITTER_EMAIL": "replay@localhost",
        "GIT_AUTHOR_DATE": clock,
        "GIT_COMMITTER_DATE": clock,
    }
