"""Run by NannyML's environment: `python nanny.py FOLDER`, estimated AUC of each window by its CBPE.

FOLDER has reference.parquet and windows.parquet, with columns `window`, `probability`, `predicted` and `target` (of the
reference). It writes estimates.json: number of the window -> value, low, high.
"""

import json
import os
import sys
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import pandas as pd


def main() -> None:
    """Fit on the reference, and estimate each window as one chunk."""
    folder = Path(sys.argv[1])
    reference, windows = (pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "windows"))
    estimator = nannyml.CBPE(
        metrics=["roc_auc"],
        y_pred_proba="probability",
        y_pred="predicted",
        y_true="target",
        problem_type="classification_binary",
        chunk_number=1,
    )
    estimator.fit(reference)
    found = {}
    for name, rows in windows.groupby("window"):
        columns = ["value", "lower_confidence_boundary", "upper_confidence_boundary"]
        table = estimator.estimate(rows.reset_index(drop=True)).filter(period="analysis").to_df()["roc_auc"]
        found[str(name)] = [float(table[column].iloc[0]) for column in columns]
    (folder / "estimates.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
