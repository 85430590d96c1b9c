"""explore: training rows -> a report to look at. Off the path to the model, and never of validation or test rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from fullcircle.base.files import write_text
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.stage import run
from fullcircle.core.tables import read_table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ExploreConfig:
    """`rows`: at most so many training rows, evenly spaced, are looked at.

    `columns`: a table of more than so many is told of in numbers alone, without plots and associations.
    """

    rows: int
    columns: int

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 1:
            raise ValueError(f"rows {self.rows} and columns {self.columns} must be at least 1")


def explore(train: pa.Table, config: ExploreConfig) -> str:
    """An HTML report of the rows: distributions, nulls, associations with each other and with the target."""
    import matplotlib as mpl
    import numpy as np
    from skrub import TableReport

    step = -(-train.num_rows // config.rows)
    frame = train.to_pandas().iloc[::step].reset_index(drop=True)
    title = f"Training rows, every {step}th of {train.num_rows:,}" if step > 1 else "Training rows"
    drawn = frame.shape[1] <= config.columns
    report = TableReport(frame, title=title, plot_distributions=drawn, compute_associations=drawn, verbose=0)
    stable = partial(np.argsort, kind="stable")  # else who comes first of equal associations is up to the processor
    with mpl.rc_context({"svg.hashsalt": "explore"}), patch.object(np, "argsort", stable):
        return steady(str(report.html()))


def steady(html: str) -> str:
    """Number the element ids that skrub draws at random and drop the plots' dates: equal rows give equal bytes."""
    html = re.sub(r"<dc:date>[^<]*</dc:date>", "", html)
    drawn = dict.fromkeys(re.findall(r'(?:report_|id=")([0-9a-f]{8})\b', html))
    numbered = {token: f"{i:08}" for i, token in enumerate(drawn)}
    return re.sub(r"(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])", lambda m: numbered.get(m[0], m[0]), html)


def main() -> None:
    """Report on the training rows."""
    write_text(paths.EXPLORE, explore(read_table(paths.TRAIN), load(ExploreConfig, "explore")))


if __name__ == "__main__":
    run("explore", main)
