"""The rows of a raw table that are kept, and those that are rejected, with the rules that they break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fullcircle.base.checks import Checked, check
from fullcircle.base.columns import Columns, is_null, take
from fullcircle.base.errors import DataError
from fullcircle.cleaning.report import TableReport
from fullcircle.core.expressions import holds, mentioned

if TYPE_CHECKING:
    from fullcircle.core.data import Table


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A table in two halves: rows(kept) + rows(rejected) == rows in; `rejected` has a column `reasons`."""

    kept: Columns
    rejected: Columns
    report: TableReport


def check_rows(raw: Columns, spec: Table, name: str, max_rejected: float) -> CheckedTable:
    """Split `raw` by the checks of its columns, its rules and its key.

    Raises DataError if more than the share `max_rejected` of the rows is rejected.
    """
    checked = check(raw, spec.columns)
    needed = dict.fromkeys([*spec.key, *mentioned(spec.columns, *(rule.holds for rule in spec.rules))])
    frame = pd.DataFrame({name: checked.columns[name] for name in needed}, copy=False)
    for rule in spec.rules:
        broken = ~holds(frame, rule.holds, f"rules of {name}: {rule.name}")
        if broken.any():
            checked.broken[rule.name] = broken
    if spec.key:
        # Only a row that breaks no other rule can be the first of its key.
        valid = np.flatnonzero(~checked.rejected)
        repeated = np.zeros(len(frame), bool)
        repeated[valid] = frame.iloc[valid].duplicated(subset=list(spec.key)).to_numpy()
        if repeated.any():
            checked.broken["another row has the key " + ", ".join(spec.key)] = repeated
    return _halves(checked, spec, name, max_rejected)


def _halves(checked: Checked, spec: Table, name: str, max_rejected: float) -> CheckedTable:
    bad = checked.rejected
    total, lost = len(bad), int(bad.sum())
    if lost > max_rejected * total:
        raise DataError(_too_many(checked, spec, name, max_rejected))
    report = TableReport(
        rows=total,
        kept=total - lost,
        rejected=lost,
        rules={rule: int(mask.sum()) for rule, mask in checked.broken.items()},
        corrected=checked.corrected,
        missing={c: n for c in spec.columns if (n := int(is_null(checked.columns[c]).sum()))},
    )
    rejected = take(checked.columns, bad) | {"reasons": np.array(checked.reasons(), dtype=object)}
    return CheckedTable(take(checked.columns, ~bad), rejected, report)


def _too_many(checked: Checked, spec: Table, name: str, allowed: float) -> str:
    lines = []
    for rule, mask in checked.broken.items():
        first = np.flatnonzero(mask)[0]
        example = ", ".join(f"{key}={checked.columns[key][first]}" for key in spec.key) or f"row {first + 1:,}"
        lines.append(f"  {rule}: {int(mask.sum()):,} rows, e.g. {example}")
    bad, total = int(checked.rejected.sum()), len(checked.rejected)
    return (
        f"{bad:,} of {total:,} rows of {name} break {len(lines)} rules\n"
        + "\n".join(lines)
        + f"\nCorrect the source or the rules in the problem, or raise clean.max_rejected (now {allowed:g})."
    )
