"""What was drafted, as the terminal shows it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fullcircle.drafting.files import places
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    from fullcircle.drafting.draft import Draft

NAMED = 5


def summary(draft: Draft) -> str:
    """A line a guess, and the commands to go on with."""
    target, quick = draft.target, draft.quick
    kinds = Counter(c.seen.kind for c in draft.inputs)
    looked = "" if draft.taken.step == 1 else f", one in {draft.taken.step} looked at"
    classes = ", ".join(f"{name} {share:.1%}" for name, share in list(target.shares.items())[:NAMED])
    lines = [
        f"drafted {' and '.join(str(place) for place in places(draft.name))}",
        f"  source       {draft.taken.origin}: {draft.taken.rows:,} rows{looked}, {len(draft.columns):,} columns",
        f"  task         {target.task}: {target.why}" + (f" ({classes})" if classes else ""),
        "  learnt from  " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()),
        f"  split        {draft.split.kind}: {draft.split.why}",
        f"  thresholds   {quick.metric} of a quick model {quick.score:.3g}, of knowing nothing {quick.dummy:.3g}",
    ]
    records = [c for c in draft.columns if c.role == "record"]
    lines += [f"  left out     {_some([f'{shown(c.seen.name)} ({c.why})' for c in records])}"] if records else []
    leaks = [f"{shown(leak.column)} ({leak.measure} {leak.score:.3f})" for leak in draft.leaks]
    lines += [f"  leaks?       {_some(leaks)}: known in time? They were left in"] if leaks else []
    return "\n".join(
        [
            *lines,
            "read both files: every guess says why. Then",
            f"  dvc exp run -S problem={draft.name}",
            "  fullcircle score dist/bundle NEW.csv answers.csv",
        ]
    )


def _some(said: list[str]) -> str:
    return ", ".join(said[:NAMED]) + (f" and {len(said) - NAMED:,} more" if len(said) > NAMED else "")
