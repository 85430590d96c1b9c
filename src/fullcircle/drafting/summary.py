"""The summary of a draft, for the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fullcircle.drafting.files import draft_paths
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    from fullcircle.drafting.draft import Draft
    from fullcircle.drafting.roles import ColumnDraft

NAMED = 5  # columns, classes and leaks at most


def summary(draft: Draft) -> str:
    """One line per guess, and the next commands."""
    target, quick = draft.target, draft.quick
    kinds = Counter(c.profile.kind for c in draft.inputs)
    sampled = "" if draft.sample.step == 1 else f", one in {draft.sample.step} sampled"
    classes = ", ".join(f"{name} {share:.1%}" for name, share in list(target.shares.items())[:NAMED])
    lines = [
        f"drafted {' and '.join(str(path) for path in draft_paths(draft.name))}",
        f"  source       {draft.sample.origin}: {draft.sample.rows:,} rows{sampled}, {len(draft.columns):,} columns",
        f"  task         {target.task}: {target.why}" + (f" ({classes})" if classes else ""),
        "  inputs       " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()),
        f"  split        {draft.split.kind}: {draft.split.why}",
        f"  quick model  {quick.metric} {quick.score:.3g}; of a constant prediction (dummy) {quick.dummy:.3g}",
    ]
    records = [c for c in draft.columns if c.role == "record"]
    lines += [f"  not inputs   {_some([f'{shown(c.profile.name)} ({c.why})' for c in records])}"] if records else []
    leaks = [f"{shown(leak.column)} ({leak.measure} {leak.score:.3f})" for leak in draft.leaks]
    lines += [f"  leaks?       {_some(leaks)}: known at the time of prediction? They are still inputs"] if leaks else []
    lines += [f"  sure?        {doubt}" for doubt in draft.doubts]
    lines += [f"  sure?        {shown(c.profile.name)}: {c.profile.doubt}" for c in doubtful(draft)]
    return "\n".join(
        [
            *lines,
            "Review both files: every guess has its reason in a comment. Then run",
            f"  git add {' '.join(str(path) for path in draft_paths(draft.name))}",
            f"  dvc exp run -S problem={draft.name}",
            "  fullcircle score dist/bundle NEW.csv predictions.csv",
        ]
    )


def doubtful(draft: Draft) -> list[ColumnDraft]:
    """Columns that should be looked at before anything is trained, the target first."""
    found = [column for column in draft.columns if column.profile.doubt]
    return sorted(found, key=lambda column: column.role != "outcome")


def _some(items: list[str]) -> str:
    return ", ".join(items[:NAMED]) + (f" and {len(items) - NAMED:,} more" if len(items) > NAMED else "")
