"""Cold: `dvc repro` of the eight stages from a clean clone, compared with `bare.py`; peak memory; and metrics."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ROOT, Figure, clone, ratio, run

PAIRS = 5


def measure() -> list[Figure]:
    """Alternate pipeline and bare script, each in a separate process, the pipeline without a cache.

    Every stage is forced: the outputs of validate are in git, so DVC would skip it in a clean clone.
    """
    ours, theirs, peak, auc = [], [], 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for i in range(PAIRS):
            project = clone(Path(folder) / str(i))
            repro = run(["dvc", "repro", "--force", "package"], project)
            bare = run([sys.executable, str(ROOT / "benchmarks/bare.py"), str(ROOT / "params.yaml")], project)
            ours.append(repro.seconds)
            theirs.append(bare.seconds)
            peak, auc = max(peak, repro.peak), float(bare.output)
            test = json.loads((project / "metrics/test.json").read_text(encoding="utf-8"))
            train = json.loads((project / "metrics/train.json").read_text(encoding="utf-8"))
            report = json.loads((project / "reports/test/report.json").read_text(encoding="utf-8"))
            low, high = report["intervals"]["auc"]
            shutil.rmtree(project)
    return [
        Figure(
            "test ROC AUC",
            test["auc"],
            ">= 0.73",
            test["auc"] >= 0.73,
            f"95%, by days: {low:.3f}..{high:.3f}",
        ),
        Figure(
            "test ROC AUC less that of bare.py", test["auc"] - auc, "== 0", test["auc"] == auc, "both do the same work"
        ),
        Figure("validation calibration error", train["val_ece"], "<= 0.03", train["val_ece"] <= 0.03, ""),
        ratio("cold dvc repro / bare script, time", ours, theirs, 1.75),
        Figure("peak memory of any stage, GB", peak / 1e9, "<= 1.5", peak <= 1.5e9, f"highest of {PAIRS} runs"),
    ]
