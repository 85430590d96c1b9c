"""Scoring with a state: the point-in-time columns of rows are computed from past events, then the rows are scored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..base.arrays import as_columns
from ..base.checks import check
from ..base.columns import take
from ..base.errors import DataError, difference

if TYPE_CHECKING:
    from ..base.columns import Columns
    from ..pointintime.state import State
    from .scorer import Scored, Scorer


def score_with_state(scorer: Scorer, columns: Columns, state: State) -> Scored:
    """Score rows whose point-in-time columns the `state` computes, each at its own moment of prediction.

    Columns that the rows bring are taken as they are; if they bring all, the state is not used. A row whose moment
    cannot be computed is set aside. Raises DataError for other columns than are needed.
    """
    spec = state.spec
    kinds = {n: column.kind for n, column in spec.event_columns.items() if n in {*spec.needed, *spec.event_key}}
    columns = columns | as_columns({name: columns[name] for name in kinds if name in columns}, kinds)
    absent = [name for name in spec.outputs if name not in columns]
    if not absent:
        return scorer.score(columns)
    if missing := difference(spec.needed, [name for name in columns if name in spec.needed]):
        raise DataError(f"these columns are needed to compute {', '.join(absent[:3])}, ...\n  {missing}")
    known_by = [name for name in dict.fromkeys([*spec.needed, *spec.event_key]) if name in columns]
    checked = check({name: columns[name] for name in known_by}, {n: spec.event_columns[n] for n in known_by})
    good = np.flatnonzero(~checked.rejected)
    known = state.compute(take(checked.columns, good))
    given = take({name: values for name, values in columns.items() if name not in absent}, good)
    unread = {name for name in given if name not in scorer.plan.inputs and name in kinds}
    inputs = {name: values for name, values in given.items() if name not in unread}
    scored = scorer.score(inputs | {name: known[name] for name in absent})
    if len(good) == len(checked.rejected):
        return scored
    reasons = dict(zip(np.flatnonzero(checked.rejected).tolist(), checked.reasons(), strict=True))
    reasons |= dict(zip(np.setdiff1d(good, good[scored.kept]).tolist(), scored.reasons, strict=True))
    return replace(scored, kept=good[scored.kept], reasons=[reasons[row] for row in sorted(reasons)])
