"""`fullcircle explore`: a report of the training rows to look at; never of validation or test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fullcircle.base.cells import LARGEST

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DIGITS = 6  # of a number that is not whole; with skrub's 3 a year would be 2.01e+03


def explore(train: pa.Table, rows: int, columns: int, classes: tuple[str, ...] = ()) -> str:
    """An HTML report: distributions, nulls, associations with each other and with the target.

    It is made of at most `rows` rows, evenly spaced. A table of more than `columns` columns is described in numbers
    only, without plots and associations, which take a fifth of a second per column. `classes`: names of the target's
    values; empty where it is a number.
    """
    from skrub import TableReport, config_context

    step = -(-train.num_rows // rows)
    frame = readable(train.to_pandas().iloc[::step].reset_index(drop=True), classes)
    title = f"Training rows, every {step}th of {train.num_rows:,}" if step > 1 else "Training rows"
    plots = frame.shape[1] <= columns
    with config_context(float_precision=DIGITS):
        report = TableReport(frame, title=title, plot_distributions=plots, compute_associations=plots, verbose=0)
        return str(report.html())


def readable(frame: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Whole numbers as such, not as fractions, and the target by the names of its classes."""
    shown = frame.copy()
    for name in frame.select_dtypes("float").columns:
        known = frame[name].dropna()
        if len(known) and (known == known.round()).all() and known.abs().max() < LARGEST:
            shown[name] = frame[name].astype("Int64")
    if classes and "target" in shown:
        shown["target"] = [classes[int(value)] for value in frame["target"]]
    return shown
