"""The two files of a draft, as a person would have written them."""

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
    from fullcircle.drafting.roles import Drafted

SLICES, SLICE_LEVELS = 3, 8


def places(name: str) -> tuple[Path, Path]:
    """Where the problem and its data are written down."""
    return paths.CONF / "problem" / f"{name}.yaml", paths.CONF / "data" / f"{name}.yaml"


def problem_file(draft: Draft) -> str:
    """conf/problem/NAME.yaml."""
    chosen, why = model(draft)
    source = {key: value for key, value in plain(draft.taken.source).items() if value != {}}
    head = (
        f"{draft.taken.rows:,} rows of {one_line(draft.taken.origin)}, drafted by `fullcircle init`. Every comment "
        "says why a guess was made: read them, and mend what is wrong. A `?` is left to you."
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
        '  decision: "? What is done with the answer, and by whom."',
        f"  unit: {scalar('one row of ' + draft.name)}",
        "",
        *_target(draft),
        "",
        *_aligned([(f"  metric: {draft.quick.metric}", _METRICS[draft.quick.metric])]),
        *_costs(draft),
        *_slices(draft),
        "",
        comment(_gates_said(draft), 2),
        "  gates:",
        *(f"    - {flow(plain(gate))}" for gate in gates(draft)),
        "",
        '  sign_off: {role: "? who answers for it"}',
        "",
        f"  table: {draft.name}",
        "  sources:",
        f"    {draft.name}: {flow(source)}",
        f"  data: {places(draft.name)[1].as_posix()}    # columns, and what becomes of missing and impossible values",
        *_rows(draft),
        "",
        *_leaks(draft),
        "  features:",
        "    columns:",
        f"      {wrapped([column.seen.name for column in draft.inputs], 6)}",
        *_encoded(draft),
    ]
    if settled := settings(draft):
        lines += ["", *_aligned([(f"{s.stage}: {flow(s.values)}", s.why) for s in settled])]
    return "\n".join(lines) + "\n"


def data_file(draft: Draft) -> str:
    """conf/data/NAME.yaml."""
    said = f"The columns of {one_line(draft.taken.origin)}, as its rows show them."
    if draft.taken.step > 1:
        said += f" One row in {draft.taken.step} of {draft.taken.rows:,} was looked at."
    lines = [
        comment(said),
        comment("An input may always be missing; a number that cannot be (infinite, below min) becomes null."),
        "tables:",
        f"  {draft.name}:",
    ]
    if (key := _key(draft)) and draft.taken.step == 1:
        lines += [f"    key: {flow(key)}    # no two rows may share it", "    duplicates: reject"]
    elif draft.repeated:
        lines += [comment(f"no key: {draft.repeated:,} rows repeat an earlier one in every column, and are kept", 4)]
    names = [scalar(column.seen.name) + ":" for column in draft.columns]
    width = min(30, max(map(len, names)))
    suspected = {leak.column: leak for leak in draft.leaks}
    entries = []
    for name, column in zip(names, draft.columns, strict=True):
        why = column.why
        if leak := suspected.get(column.seen.name):
            why = f"A LEAK? alone it reaches {leak.measure} {leak.score:.3f}; {why}"
        entries.append((f"      {name:{width}} {flow(_line(column))}", why))
    return "\n".join([*lines, "    columns:", *_aligned(entries)]) + "\n"


_METRICS = {
    "auc": "the primary metric: how well the two classes are told apart",
    "logloss": "the primary metric: how much probability the true class gets; lower is better",
    "r2": "the primary metric: share of the variance that is explained",
}


def _line(column: Drafted) -> dict[str, Any]:
    role = {} if column.role == "input" else {"role": column.role}
    return {"kind": column.seen.kind} | role | column.settings


def _target(draft: Draft) -> list[str]:
    target, column = draft.target, draft.target.column
    said = target.why + (f"; {column.nulls:,} of {len(column.values):,} rows have none" if column.nulls else "")
    lines = ["  target:", *_aligned([(f"    task: {target.task}", said)]), f"    name: {scalar(column.name)}"]
    lines.append(f"    column: {scalar(column.name)}")
    shares = target.shares
    if target.task == "binary":
        negative, positive = target.classes
        return lines + _aligned(
            [
                (
                    f"    positive: {scalar(positive)}",
                    f"{shares[positive]:.1%} of the rows; the other way round if that is wrong",
                ),
                (f"    negative: {scalar(negative)}", f"{shares[negative]:.1%}"),
            ]
        )
    if target.task == "multiclass":
        rarest = min(shares, key=lambda name: shares[name])
        lines.append(f"    classes: {wrapped(target.classes, 13)}")
        return [*lines, comment(f"the rarest is {shown(rarest)}, {shares[rarest]:.1%} of the rows", 4)]
    return [
        *lines,
        *_aligned([(f"    coverage: {COVERAGE:g}", "share of rows that the prediction interval is to hold")]),
    ]


def _costs(draft: Draft) -> list[str]:
    if draft.target.task != "binary":
        return []
    return [
        comment(
            "Say what a mistake costs and it sets the probability above which the positive class is told, now 0.5: "
            "costs: {missed: 3, false_alarm: 1}",
            2,
        )
    ]


def _slices(draft: Draft) -> list[str]:
    leaks = {leak.column for leak in draft.leaks}
    few = [
        column.seen.name
        for column in draft.inputs
        if column.seen.kind == "category"
        and 2 <= column.seen.distinct <= SLICE_LEVELS
        and column.seen.name not in leaks
    ]
    if not few:
        return []
    return _aligned([(f"  slices: {flow(few[:SLICES])}", "categories of few levels; each is judged by itself too")])


def _gates_said(draft: Draft) -> str:
    quick = draft.quick
    how = {"line": "a line through all columns", "trees": "boosted trees of all columns", "none": "no model"}[
        quick.model
    ]
    beyond = " but those that may be leaks" if draft.leaks and len(draft.leaks) < len(draft.inputs) else ""
    said = f"The quick model: {how}{beyond}, judged on {quick.rows:,} rows that it had not seen."
    better = quick.score > quick.dummy + 0.01 if quick.metric != "logloss" else quick.score < quick.dummy - 0.01
    return said if better else said + " It found next to nothing: do not expect much of these columns."


def _encoded(draft: Draft) -> list[str]:
    """What a split's date may tell: season, weekday and hour, but not the year, which is another in rows ahead."""
    if draft.split.kind != "time":
        return []
    encoded = {name: ["cycles"] for name in draft.split.columns}
    return _aligned([(f"    encode: {flow(encoded)}", "not the year: rows ahead may have one that nobody has seen")])


def _key(draft: Draft) -> list[str]:
    return next(
        ([c.seen.name] for c in draft.columns if c.identifier and not c.seen.nulls and c.seen.distinct == c.seen.rows),
        [],
    )


def _rows(draft: Draft) -> list[str]:
    split, lines = draft.split, []
    if key := _key(draft):
        lines.append((f"  row: {flow(key)}", "tells one row from another"))
    if split.kind == "random" and not key and draft.repeated_share >= REPEATS:
        said = f"{draft.repeated_share:.0%} of the rows are like another but for the target: not copies"
        lines.append(("  duplicates: independent", said))
    if split.kind == "group":
        lines.append((f"  together: {flow(split.columns)}", split.why))
    if split.borders is not None:
        first, second = split.borders
        lines += [
            ("  time:", "what the split goes by"),
            (f"    columns: {flow(split.columns)}", ""),
            (f"    validation_from: {flow([first])}", "70% of the rows lie before it"),
            (f"    test_from: {flow([second])}", "85% of the rows lie before it"),
        ]
    return ["", *_aligned(lines)] if lines else []


def _leaks(draft: Draft) -> list[str]:
    if not draft.leaks:
        return []
    named = ", ".join(f"{shown(leak.column)} ({leak.measure} {leak.score:.3f})" for leak in draft.leaks[:8])
    more = f" and {len(draft.leaks) - 8} more" if len(draft.leaks) > 8 else ""
    return [
        comment(
            f"A leak? Alone, {named}{more} foretells the target nearly without error. A column that is known only "
            "afterwards must go: give it `role: outcome` in the data file, and take it out of this list.",
            2,
        )
    ]


def _aligned(lines: list[tuple[str, str]]) -> list[str]:
    """Lines with their comments at one column, as far as they are not too long."""
    width = max((len(text) for text, why in lines if why and len(text) < 72), default=0)
    return [f"{text:{width}}  # {one_line(why)}" if why else text for text, why in lines]
