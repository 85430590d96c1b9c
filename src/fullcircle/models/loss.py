"""The loss of each task, in which models are stopped, blended and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


def loss(margin: Array, y: Array, n_classes: int) -> float:
    """Mean log loss in nats; for a number (0 classes) the root mean squared error in standard units.

    `margin`: float64 (rows, outputs), as `Fitted.margin` gives it; `y` (rows,): as in `Sample`. 0 is perfect, and
    there is no upper limit. Of no rows it is NaN.
    """
    if n_classes == 0:
        return float(np.sqrt(np.mean((margin[:, 0] - y) ** 2)))
    if n_classes == 2:
        return float(np.mean(np.logaddexp(0, margin[:, 0]) - y * margin[:, 0]))
    highest = margin.max(axis=1)
    total = np.log(np.exp(margin - highest[:, None]).sum(axis=1)) + highest
    return float(np.mean(total - margin[np.arange(len(y)), y.astype(np.int64)]))
