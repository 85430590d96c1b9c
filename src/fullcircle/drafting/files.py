"""The two files of a draft: conf/problem/NAME.yaml and conf/data/NAME.yaml, with comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.drafting.splits import REPEATS
from fullcircle.drafting.thresholds import COVERAGE, gates, model, settings
from fullcircle.drafting.yaml import comment, flow, scalar, shown, wrapped
from fullcircle.drafting.yaml import plain as one_line

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.drafting.draft import Draft
    from fullcircle.drafting.roles import ColumnDraft

SLICES, SLICE_LEVELS = 3, 8


def draft_paths(name: str) -> tuple[Path, Path]:
    """The paths of the problem file and of the data file."""
    return paths.CONF / "problem" / f"{name}.yaml", paths.CONF / "data" / f"{name}.yaml"


def problem_file(draft: Draft) -> str:
    """conf/problem/NAME.yaml."""
    chosen, why = model(draft)
    source = {key: value for key, value in plain(draft.sample.source).items() if value != {}}
    head = (
        f"{draft.sample.rows:,} rows of {one_line(draft.sample.origin)}, drafted by `fullcircle init`. Every comment "
        "gives the reason for a guess: review them, and correct wrong guesses. Fill in what is marked with `?`."
    )
    lines = [
        "# @package _global_",
        comment(head),
        "defaults:",
        *_aligned(
            [(f"  - override /split: {draft.split.kind}", draft.split.why), (f"  - override /model: {chosen}", why)]
        ),
        "",
        "problem:",
        f"  name: {draft.name}",
        f"  question: {scalar('What will ' + one_line(draft.target.column.name) + ' be?')}",
        '  decision: "? Who uses the prediction, and for which decision."',
        f"  unit: {scalar('one row of ' + draft.name)}",
        "",
        *_target(draft),
        "",
        *_aligned([(f"  metric: {draft.quick.metric}", _METRICS[draft.quick.metric])]),
        *_costs(draft),
        *_slices(draft),
        "",
        comment(_gates_comment(draft), 2),
        "  gates:",
        *(f"    - {flow(plain(gate))}" for gate in gates(draft)),
        "",
        '  sign_off: {role: "? who is responsible for the model"}',
        "",
        f"  table: {draft.name}",
        "  sources:",
        f"    {draft.name}: {flow(source)}",
        f"  data: {draft_paths(draft.name)[1].as_posix()}    # columns, and checks of their values",
        *_rows(draft),
        "",
        *_leaks(draft),
        "  features:",
        "    columns:",
        f"      {wrapped([column.profile.name for column in draft.inputs], 6)}",
        *_encoded(draft),
    ]
    if settled := settings(draft):
        lines += ["", *_aligned([(f"{s.stage}: {flow(s.values)}", s.why) for s in settled])]
    return "\n".join(lines) + "\n"


def data_file(draft: Draft) -> str:
    """conf/data/NAME.yaml."""
    head = f"The columns of {one_line(draft.sample.origin)}, guessed from its rows."
    if draft.sample.step > 1:
        head += f" One in {draft.sample.step} of {draft.sample.rows:,} rows was sampled."
    lines = [
        comment(head),
        comment("Inputs may be missing; impossible numbers (infinite, below min) become null."),
        "tables:",
        f"  {draft.name}:",
    ]
    if (key := _key(draft)) and draft.sample.step == 1:
        lines += [f"    key: {flow(key)}    # unique: no two rows may have the same", "    duplicates: reject"]
    elif draft.repeated:
        lines += [
            comment(f"no key: {draft.repeated:,} rows are equal to an earlier one in every column; they are kept", 4)
        ]
    names = [scalar(column.profile.name) + ":" for column in draft.columns]
    width = min(30, max(map(len, names)))
    suspected = {leak.column: leak for leak in draft.leaks}
    entries = []
    for name, column in zip(names, draft.columns, strict=True):
        why = column.why
        if leak := suspected.get(column.profile.name):
            why = f"A LEAK? {leak.measure} {leak.score:.3f} with only this column; {why}"
        entries.append((f"      {name:{width}} {flow(_line(column))}", why))
    return "\n".join([*lines, "    columns:", *_aligned(entries)]) + "\n"


_METRICS = {
    "auc": "the primary metric: how well the scores separate the two classes",
    "logloss": "the primary metric: minus the log probability of the true class, on average; lower is better",
    "r2": "the primary metric: share of the variance that is explained",
}


def _line(column: ColumnDraft) -> dict[str, Any]:
    role = {} if column.role == "input" else {"role": column.role}
    return {"kind": column.profile.kind} | role | column.settings


def _target(draft: Draft) -> list[str]:
    target, column = draft.target, draft.target.column
    why = target.why + (f"; {column.nulls:,} of {len(column.values):,} rows have no target" if column.nulls else "")
    lines = ["  target:", *_aligned([(f"    task: {target.task}", why)]), f"    name: {scalar(column.name)}"]
    lines.append(f"    column: {scalar(column.name)}")
    shares = target.shares
    if target.task == "binary":
        negative, positive = target.classes
        return lines + _aligned(
            [
                (
                    f"    positive: {scalar(positive)}",
                    f"{shares[positive]:.1%} of the rows; swap the classes if this is wrong",
                ),
                (f"    negative: {scalar(negative)}", f"{shares[negative]:.1%}"),
            ]
        )
    if target.task == "multiclass":
        rarest = min(shares, key=lambda name: shares[name])
        lines.append(f"    classes: {wrapped(target.classes, 13)}")
        return [*lines, comment(f"the rarest class is {shown(rarest)}, {shares[rarest]:.1%} of the rows", 4)]
    return [
        *lines,
        *_aligned(
            [(f"    coverage: {COVERAGE:g}", "share of rows whose target the prediction interval is to contain")]
        ),
    ]


def _costs(draft: Draft) -> list[str]:
    if draft.target.task != "binary":
        return []
    return [
        comment(
            "Costs of the two kinds of error set the threshold for the positive class (default 0.5), such as "
            "costs: {missed: 3, false_alarm: 1}",
            2,
        )
    ]


def _slices(draft: Draft) -> list[str]:
    leaks = {leak.column for leak in draft.leaks}
    few = [
        column.profile.name
        for column in draft.inputs
        if column.profile.kind == "category"
        and 2 <= column.profile.distinct <= SLICE_LEVELS
        and column.profile.name not in leaks
    ]
    if not few:
        return []
    return _aligned(
        [(f"  slices: {flow(few[:SLICES])}", "categories with few levels; metrics are also computed per level")]
    )


def _gates_comment(draft: Draft) -> str:
    quick = draft.quick
    how = {"line": "a linear model of all columns", "trees": "boosted trees of all columns", "none": "no model"}[
        quick.model
    ]
    without = " but suspected leaks" if draft.leaks and len(draft.leaks) < len(draft.inputs) else ""
    text = f"The quick model: {how}{without}, evaluated on {quick.rows:,} held-out rows."
    better = quick.score > quick.dummy + 0.01 if quick.metric != "logloss" else quick.score < quick.dummy - 0.01
    return text if better else text + " It is hardly better than a constant prediction: expect little of these columns."


def _encoded(draft: Draft) -> list[str]:
    """Encode the date of a split as season, weekday and hour, without the year: later rows may have an unseen one."""
    if draft.split.kind != "time":
        return []
    encoded = {name: ["cycles"] for name in draft.split.columns}
    return _aligned(
        [(f"    encode: {flow(encoded)}", "without the year: later rows may have one that is not in the training rows")]
    )


def _key(draft: Draft) -> list[str]:
    return next(
        (
            [c.profile.name]
            for c in draft.columns
            if c.identifier and not c.profile.nulls and c.profile.distinct == c.profile.rows
        ),
        [],
    )


def _rows(draft: Draft) -> list[str]:
    split, lines = draft.split, []
    if key := _key(draft):
        lines.append((f"  row: {flow(key)}", "identifies a row"))
    if split.kind == "random" and not key and draft.repeated_share >= REPEATS:
        why = f"{draft.repeated_share:.0%} of the rows equal another in all inputs: by chance, not copies"
        lines.append(("  duplicates: independent", why))
    if split.kind == "group":
        lines.append((f"  together: {flow(split.columns)}", split.why))
    if split.borders is not None:
        first, second = split.borders
        lines += [
            ("  time:", "the order of the split"),
            (f"    columns: {flow(split.columns)}", ""),
            (f"    validation_from: {flow([first])}", "70% of the rows are earlier"),
            (f"    test_from: {flow([second])}", "85% of the rows are earlier"),
        ]
    return ["", *_aligned(lines)] if lines else []


def _leaks(draft: Draft) -> list[str]:
    if not draft.leaks:
        return []
    named = ", ".join(f"{shown(leak.column)} ({leak.measure} {leak.score:.3f})" for leak in draft.leaks[:8])
    more = f" and {len(draft.leaks) - 8} more" if len(draft.leaks) > 8 else ""
    return [
        comment(
            f"A leak? Each of these columns predicts the target almost perfectly by itself: {named}{more}. A column "
            "that is known only after the outcome must not be an input: set `role: outcome` in the data file, and "
            "remove it from this list.",
            2,
        )
    ]


def _aligned(lines: list[tuple[str, str]]) -> list[str]:
    """Lines with aligned comments; the comment of a long line follows it directly."""
    width = max((len(text) for text, why in lines if why and len(text) < 72), default=0)
    return [f"{text:{width}}  # {one_line(why)}" if why else text for text, why in lines]
