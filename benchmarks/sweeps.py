"""Sweeps: 50 trials compared with a bare Optuna loop, 8 with DVC's queue, and the cost of recording."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import ROOT, Figure, clone, ratio, run
from fullcircle.sweep.record import recorder_at
from fullcircle.sweep.trials import Trial, read_csv

PAIRS, TRIALS = 2, 50
QUICK = ["model.max_rounds=12", "model.learning_rate=0.3", "model.patience=5"]
GRID = ["model.max_depth=range(3,7)", "model.l2=1,10"]
LIMIT = 900  # seconds until DVC's queue is stopped


def measure() -> list[Figure]:
    """Measure all figures in a clone whose rows are split and featurized."""
    with tempfile.TemporaryDirectory() as folder:
        project = clone(Path(folder) / "project")
        run(["dvc", "repro", "featurize"], project)
        subprocess.run(["git", "commit", "-qam", "featurized", "--allow-empty"], cwd=project, check=True)
        return [_against_bare(project), *_recording(project), _against_queue(project)]


def _against_bare(project: Path) -> Figure:
    ours, theirs, completed = [], [], []
    for i in range(PAIRS):
        rate = "model.learning_rate=tag(log, interval(0.08, 0.3))"
        name = f"bench{i}"
        sweep = run(["fullcircle", "sweep", f"sweep.name={name}", f"sweep.trials={TRIALS}", rate], project)
        table = f"reports/sweeps/{name}/trials.csv"
        bare = run([sys.executable, str(ROOT / "benchmarks/bare_sweep.py"), str(project), table], ROOT)
        ours.append(sweep.seconds)
        theirs.append(bare.seconds)
        trials = read_csv(project / table)
        assert all(trial.experiment for trial in trials)
        completed.append((sum(trial.state == "complete" for trial in trials), int(bare.output)))
    figure = ratio(f"{TRIALS} recorded trials / a bare Optuna loop, time", ours, theirs, 1.25)
    counts = ", ".join(f"{a} and {b}" for a, b in completed)
    return Figure(figure.name, figure.value, figure.limit, figure.passed, f"{figure.noise}; completed: {counts}")


def _recording(project: Path) -> list[Figure]:
    recorder = recorder_at(project)
    params = (project / "params.yaml").read_text(encoding="utf-8")
    seconds = []
    for number in range(1, 501):
        start = time.perf_counter()
        trial = Trial(number, "complete", {}, 0.7, None, {"val_auc": 0.7, "val_ece": 0.01, "rounds": number})
        recorder.record(f"many-{number:03}", trial, params, "val_auc")
        seconds.append(time.perf_counter() - start)
    shown = run(["dvc", "exp", "show", "--csv"], project)
    listed = shown.output.count("many-")
    ours = run(["fullcircle", "show"], project)
    all_shown = ours.output.count("many-") == 500
    recorder.remove(recorder.recorded("many"))
    typical, worst = sorted(seconds)[len(seconds) // 2], max(seconds)
    return [
        Figure("recording a trial, seconds", typical, "<= 0.6", worst <= 0.6, f"500 trials; the slowest {worst:.3f}"),
        Figure("dvc exp show of 500 recorded trials, seconds", shown.seconds, "answers", listed == 500, "one run"),
        Figure(
            "fullcircle show of the same, seconds",
            ours.seconds,
            "<= 3",
            ours.seconds <= 3 and all_shown,
            "one run",
        ),
    ]


def _against_queue(project: Path) -> Figure:
    start = time.perf_counter()
    run(["fullcircle", "sweep", "sweep=grid", *GRID, *QUICK], project)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    chosen = [part for override in (*GRID, *QUICK) for part in ("-S", override)]
    run(["dvc", "exp", "run", "--queue", *chosen, "train"], project)
    run(["dvc", "queue", "start", "-j", "2"], project)
    while time.perf_counter() - start < LIMIT:
        status = run(["dvc", "queue", "status"], project).output
        if "Queued" not in status and "Running" not in status:
            break
        time.sleep(2)
    theirs = time.perf_counter() - start
    done = status.count("Success")
    run(["dvc", "queue", "stop", "--kill"], project)
    detail = f"{ours:.1f} s against {theirs:.1f} s; the queue finished {done} of 8; one pair"
    return Figure(
        "a grid of 8: dvc exp run --queue -j 2 / fullcircle sweep", theirs / ours, ">= 8", theirs / ours >= 8, detail
    )
