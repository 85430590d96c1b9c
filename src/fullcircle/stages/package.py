"""package: scorer and verdict -> the bundle, its wheel, its card, its baseline, and the page for people."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from fullcircle.base.files import seal, write_text
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load, read_params
from fullcircle.core.manifest import RawTable
from fullcircle.core.schema import Schema
from fullcircle.core.source import Source, of_new_rows
from fullcircle.core.stage import run, seconds_since_dvc
from fullcircle.core.tables import read_columns, read_json, read_typed, write_json
from fullcircle.core.target import Target
from fullcircle.features.plan import PLAN
from fullcircle.monitoring.baseline import Watched, make_baseline, write_baseline
from fullcircle.packaging.golden import golden, records, spaced
from fullcircle.packaging.proof import ROWS, check_answers, port_of, served
from fullcircle.packaging.reference import reference
from fullcircle.packaging.wheel import build_wheel, code_hash
from fullcircle.report import card, page
from fullcircle.report.facts import gather
from fullcircle.report.formatting import number
from fullcircle.scoring import bundle
from fullcircle.scoring.bundle import About, Bundle, Origin, Provenance
from fullcircle.scoring.scorer import MODEL, SPEC, Scorer
from fullcircle.scoring.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.report.facts import Facts
    from fullcircle.scoring.bundle import Golden

LIBRARIES = ("numpy", "onnx", "onnxruntime", "pandas", "pyarrow", "scikit-learn", "xgboost")


@dataclass(frozen=True, slots=True)
class PackageConfig:
    """`version`: of the model's wheel."""

    version: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)*([a-z0-9.+-]*)", self.version) or len(self.version) > 50:
            raise ValueError(f"version {self.version[:60]!r} must be a version of a Python package, such as 1.2.0")


def provenance(params: dict[str, Any], manifest: dict[str, RawTable], libraries: dict[str, str]) -> Provenance:
    """Where a bundle comes from: raw tables, choices, libraries, code. No time and no place: equal runs are equal."""
    chosen = {name: params[name] for name in ("split", "clean", "featurize", "model", "train")}
    data = {name: Origin(table.origin, table.rows, table.sha256) for name, table in manifest.items()}
    return Provenance(data, chosen, libraries, code_hash())


def about(version: str, schema: Schema) -> About:
    """What the bundle predicts, and which columns identify a row."""
    target: Target = load(Target, "problem.target")
    return About(
        format=bundle.FORMAT,
        version=version,
        problem=load(str, "problem.name"),
        question=load(str, "problem.question"),
        task=target.task,
        target=target.name,
        row=load(tuple[str, ...], "problem.row"),
        records=schema.records,
        outcomes=schema.outcomes,
    )


def assemble(folder: Path, parts: dict[str, Any], stored: Golden, card_text: str) -> str:
    """Put scorer, JSON `parts`, stored rows and card into an empty `folder` and seal it; returns its manifest's sum."""
    folder.mkdir(parents=True)
    for name in (PLAN, SPEC, MODEL):
        shutil.copyfile(paths.SCORER / name, folder / name)
    for name, value in parts.items():
        write_json(folder / name, plain(value))
    write_text(folder / bundle.GOLDEN, json.dumps(plain(stored), indent=1, ensure_ascii=False) + "\n")
    write_text(folder / bundle.CARD, card_text)
    return seal(folder)


def summary(facts: Facts, seconds: float | None) -> str:
    """One line on the run: verdict, primary metric with its interval, time of the `dvc` command, and the page."""
    metric, tested, verdict = facts.problem.metric, facts.tested, facts.verdict
    failed = [gate.metric for gate in verdict.gates if gate.status == "failed"]
    why = f" (failed: {', '.join(failed)})" if failed else ""
    if verdict.status == "draft":
        why = f" (to be filled in: {', '.join(verdict.unfinished)})"
    value = f"{metric} {number(tested.metrics.get(metric), 3)}"
    ends = tested.intervals.get(metric)
    if ends is not None and None not in ends:
        value += f" ({tested.interval:.0%}: {number(ends[0], 3)} to {number(ends[1], 3)})"
    time = "" if seconds is None else f" in {seconds:.0f} s"
    return f"{verdict.status}{why}: {value}{time}; see {paths.PAGE}"


def main() -> None:
    """Assemble in another folder and rename it: a bundle is complete, and served as it was scored, or not there."""
    config = load(PackageConfig, "package")
    libraries = {library: metadata.version(library) for library in LIBRARIES}
    facts = gather(libraries)
    schema, state = read_typed(Schema, paths.SCHEMA), read_json(paths.STATE_SPEC)
    scorer = Scorer.load(paths.SCORER)
    inputs = scorer.plan.inputs
    watched = Watched(
        load(str, "problem.name"),
        load(str, "problem.metric"),
        load(tuple[str, ...], "problem.slices"),
        load(tuple[str, ...], "problem.together"),
    )
    train = read_columns(paths.TRAIN, list(dict.fromkeys([*inputs, *watched.together])))
    test = read_columns(paths.TEST, list(dict.fromkeys([*inputs, "target", *watched.slices, *watched.together])))
    found, statistics = about(config.version, schema), reference(train, inputs)
    parts = {
        bundle.ABOUT: found,
        bundle.DIALECT: of_new_rows(load(dict[str, Source], "problem.sources")[load(str, "problem.table")]),
        bundle.VERDICT: read_typed(Verdict, paths.VERDICT),
        bundle.REFERENCE: statistics,
        bundle.PROVENANCE: provenance(read_params(), read_typed(dict[str, RawTable], paths.RAW_MANIFEST), libraries),
        **({} if state is None else {bundle.STATE: state}),
    }
    unfinished = paths.BUNDLE.with_name(".bundle.part")
    for folder in (unfinished, paths.BUNDLE, paths.WHEEL, paths.BASELINE):
        shutil.rmtree(folder, ignore_errors=True)
    name = assemble(unfinished, parts, golden(scorer, train), card.render(facts))
    with served(unfinished) as server, ThreadPoolExecutor(1) as pool:
        baseline = pool.submit(make_baseline, name, scorer, statistics, train, test, watched)
        build_wheel(unfinished, found.problem, found.question, config.version, paths.WHEEL)
        check_answers(port_of(server), scorer, records(spaced(train, ROWS), inputs))
    write_baseline(baseline.result(), paths.BASELINE)
    unfinished.rename(paths.BUNDLE)
    Bundle.load(paths.BUNDLE)
    write_text(paths.PAGE, page.render(facts))
    print(summary(facts, seconds_since_dvc()))


if __name__ == "__main__":
    run("package", main)
