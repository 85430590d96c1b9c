"""A BentoML service as its documentation writes one: rows as JSON, a DataFrame, the pipeline's probabilities."""

from __future__ import annotations

import os
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1, traffic={"timeout": 60})
class Flights:
    """Probabilities of rows."""

    def __init__(self) -> None:
        self.pipeline, self.columns, self.texts = joblib.load(os.environ["MODEL"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, rows: list[dict[str, Any]]) -> list[float]:
        """The probability of the positive class of each row."""
        table = pd.DataFrame(rows, columns=self.columns)
        for name in self.columns:
            table[name] = table[name].astype(object) if name in self.texts else table[name].astype(float)
        return [float(value) for value in self.pipeline.predict_proba(table)[:, 1]]
