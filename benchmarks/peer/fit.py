"""Run AutoGluon: `PEER/bin/python -m benchmarks.peer.fit TABLE KNOWN NEW OUT SECONDS`, in its own environment.

It fits the rows of the file KNOWN and predicts those of NEW. The folder OUT gets answers.csv, in the format of
`fullcircle score` (row, prediction, one probability per class), and run.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor, __version__  # type: ignore[import-not-found]

from benchmarks.peer.tables import TABLES

# The metric of the comparison, for both systems: by default AutoGluon selects its models by accuracy.
METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "root_mean_squared_error"}


def main() -> None:
    """Fit, predict, write."""
    table = next(each for each in TABLES if each.name == sys.argv[1])
    known, new = pd.read_csv(sys.argv[2]), pd.read_csv(sys.argv[3])
    out, seconds = Path(sys.argv[4]), float(sys.argv[5])
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(
            label=table.target, problem_type=table.task, eval_metric=METRIC[table.task], path=f"{folder}/predictor"
        )
        start = time.perf_counter()
        predictor.fit(known, presets="medium_quality", time_limit=seconds, num_cpus=2, num_gpus=0)
        spent = time.perf_counter() - start
        answers = pd.DataFrame({"row": range(1, len(new) + 1), "prediction": predictor.predict(new).to_numpy()})
        if table.task != "regression":
            probability = predictor.predict_proba(new).add_prefix("probability_").reset_index(drop=True)
            answers = pd.concat([answers, probability], axis=1)
        models = predictor.model_names()
    answers.to_csv(out / "answers.csv", index=False)
    result = {"seconds": spent, "version": f"AutoGluon {__version__}", "failed": False, "models": models}
    (out / "run.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
