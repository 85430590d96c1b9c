"""How MLflow loads an export (`fullcircle export mlflow`): `_load_pyfunc` is the name that it looks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .hosted import Hosted
from .tables import of_records


class Model:
    """What MLflow's server calls with the rows of `dataframe_records` or `dataframe_split`, as a DataFrame."""

    def __init__(self, folder: Path) -> None:
        self._hosted = Hosted(folder)

    def predict(self, rows: Any, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:  # noqa: ARG002
        """One record per row: its prediction, or {"error": reasons}."""
        return self._hosted.predictions(of_records(rows.to_dict("records")))


def _load_pyfunc(folder: str) -> Model:
    return Model(Path(folder))
