"""Small bundles that are sealed, in a folder of the test: sound ones, and ones whose maker means no good."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fullcircle.base.files import seal
from fullcircle.base.typed import plain
from fullcircle.packaging.reference import reference
from fullcircle.scoring import bundle as files
from fullcircle.scoring.bundle import About, Provenance
from fullcircle.scoring.scorer import Scorer
from fullcircle.scoring.verdict import Verdict
from tests.builders import INPUTS, labelled, only_inputs, trained

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.base.columns import Columns

ABOUT = About(1, "0.1.0", "flights", "Will it be late?", "binary", "late", records=("flight",), outcomes=("delay",))


def make_bundle(folder: Path, model: str = "dummy", about: About = ABOUT) -> Path:
    """A sealed bundle of a small model of INPUTS, without created features; its card is one line."""
    folder.mkdir(parents=True)
    scorer = trained(model, created=False).scorer
    Scorer(replace(scorer.plan, ignored=("flight", "delay")), scorer.spec, scorer.model).save(folder)
    parts: dict[str, Any] = {
        files.ABOUT: about,
        files.VERDICT: Verdict("blessed", ()),
        files.REFERENCE: reference(only_inputs(labelled()), INPUTS),
        files.PROVENANCE: Provenance({}, {}, {}),
        files.DIALECT: {},
    }
    for name, value in parts.items():
        (folder / name).write_text(json.dumps(plain(value)), encoding="utf-8")
    (folder / files.CARD).write_text("# A model\n", encoding="utf-8")
    seal(folder)
    return folder


def rewrite(folder: Path, name: str, content: bytes | str) -> None:
    """Replace a file of a bundle and seal it again, as someone may who wants its checksums to be right."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    seal(folder)


def change(folder: Path, name: str, **values: Any) -> None:
    """Set keys of a JSON file of a bundle; `a__b` is key `b` in `a`."""
    data = json.loads((folder / name).read_text(encoding="utf-8"))
    for key, value in values.items():
        *outer, last = key.split("__")
        inner = data
        for each in outer:
            inner = inner[each]
        inner[last] = value
    rewrite(folder, name, json.dumps(data))


def write_rows(file: Path, columns: Columns, **more: str) -> None:
    """Write columns as CSV, and before them further columns of one value."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow([*more, *columns])
        for row in zip(*columns.values(), strict=True):
            writer.writerow([*more.values(), *("" if v is None or v != v else v for v in row)])
