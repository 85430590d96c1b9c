"""Fit the usual pipeline on the flights' training rows, for peers: fit.py TRAIN.parquet COLUMNS.json ROUNDS FOLDER.

pandas, scikit-learn and XGBoost: one-hot categories, numbers as they are, as many trees of the same depth as the
bundle has. It computes no features, so it does less than the bundle does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier


def main() -> None:
    """Fit, and save as joblib and, where MLflow is there, as an MLflow model."""
    table, columns, rounds, folder = sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), sys.argv[3], sys.argv[4]
    train = pd.read_parquet(table, columns=[*columns, "target"])
    texts = [name for name in columns if train[name].dtype.kind not in "iuf"]
    for name in columns:
        train[name] = train[name].astype(object) if name in texts else train[name].astype(float)
    encode = ColumnTransformer(
        [("texts", OneHotEncoder(handle_unknown="ignore", min_frequency=200), texts)], remainder="passthrough"
    )
    model = XGBClassifier(n_estimators=int(rounds), max_depth=6, learning_rate=0.03, max_bin=128, n_jobs=1)
    pipeline = Pipeline([("encode", encode), ("model", model)])
    pipeline.fit(train[columns], train["target"].astype(int))
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    joblib.dump((pipeline, columns, texts), out / "model.joblib")
    try:
        import mlflow
    except ImportError:
        return
    mlflow.sklearn.save_model(
        pipeline, str(out / "mlflow"), serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
    )


if __name__ == "__main__":
    main()
