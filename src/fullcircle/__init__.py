"""Full Circle: tabular data through the whole machine-learning life cycle, every turn reproducible."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from fullcircle.scoring.bundle import Bundle


def load(bundle: str | PathLike[str]) -> Bundle:
    """Verify the files of a bundle and load it; `load("dist/bundle").score(rows)` scores rows.

    `rows`: a pandas DataFrame, a dict of lists or NumPy arrays, or a list of dicts. Raises BundleError.
    """
    from pathlib import Path

    from fullcircle.scoring.bundle import Bundle  # a stage imports this package, and needs no ONNX Runtime

    return Bundle.load(Path(bundle))
