"""What Python and notebooks use: the bundle, the data of a stage, parameters and verdict of the last run.

Paths are those of the repository that the working directory is in, or below.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import ConfigError, DataError
from fullcircle.core import paths
from fullcircle.core.config import read_params
from fullcircle.core.tables import read_table, read_typed
from fullcircle.scoring.bundle import Bundle
from fullcircle.scoring.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

DATA = {
    "kept": paths.KEPT,
    "rejected": paths.REJECTED,
    "labelled": paths.LABELLED,
    "train": paths.TRAIN,
    "validation": paths.VALIDATION,
    "test": paths.TEST,
}
"""Name -> the table."""

FOLDERS = {"raw": paths.RAW, "reference": paths.REFERENCE, "features": paths.TRAIN_FEATURES.parent}


def load(bundle: str | Path | None = None) -> Bundle:
    """Load a bundle, by default that of the last run. Its `score` takes new rows. Raises BundleError."""
    return Bundle.load(_root() / paths.BUNDLE if bundle is None else Path(bundle))


def read(name: str) -> pd.DataFrame:
    """The rows of a table as a DataFrame.

    `name`: kept, rejected, labelled, train, validation or test; or raw/TABLE, reference/TABLE, features/train and
    features/validation. Raises DataError.
    """
    folder, _, table = name.partition("/")
    if name in DATA:
        path = DATA[name]
    elif folder in FOLDERS and table and ".." not in table:
        whole = _root() / FOLDERS[folder] / table
        path = FOLDERS[folder] / (table if whole.is_dir() else f"{table}.parquet")  # snapshots are a folder
    else:
        known = ", ".join([*DATA, *(f"{each}/TABLE" for each in FOLDERS)])
        raise DataError(f"there is no table {name}; there are {known}")
    frame: pd.DataFrame = read_table(_root() / path).to_pandas()
    return frame


def parameters() -> dict[str, Any]:
    """The composed parameters: params.yaml. Raises ConfigError."""
    return dict(read_params(_root() / paths.PARAMS))


def verdict() -> Verdict:
    """The verdict of the last run: `status`, and each gate with its threshold, value and margin. Raises DataError."""
    return read_typed(Verdict, _root() / paths.VERDICT)


def _root() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / paths.DVC_YAML).is_file() and (folder / paths.CONF).is_dir():
            return folder
    raise ConfigError(f"{here} is in no repository of this project: there is no {paths.DVC_YAML} with {paths.CONF}/")
