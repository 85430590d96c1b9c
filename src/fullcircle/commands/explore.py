"""`fullcircle explore`: a report of the training rows to look at; never of validation or test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def explore(train: pa.Table, rows: int, columns: int) -> str:
    """An HTML report: distributions, nulls, associations with each other and with the target.

    It is made of at most `rows` rows, evenly spaced. A table of more than `columns` columns is described in numbers
    only, without plots and associations, which take a fifth of a second per column.
    """
    from skrub import TableReport

    step = -(-train.num_rows // rows)
    frame = train.to_pandas().iloc[::step].reset_index(drop=True)
    title = f"Training rows, every {step}th of {train.num_rows:,}" if step > 1 else "Training rows"
    plots = frame.shape[1] <= columns
    report = TableReport(frame, title=title, plot_distributions=plots, compute_associations=plots, verbose=0)
    return str(report.html())
