"""package: scorer and verdict -> the bundle, its wheel, its card, and the page that people look at."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from fullcircle.base.files import seal, write_text
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load, read_params
from fullcircle.core.source import Source, of_new_rows
from fullcircle.core.stage import run
from fullcircle.core.tables import read_columns, read_json, write_json
from fullcircle.features.plan import PLAN, read_plan
from fullcircle.packaging.reference import reference
from fullcircle.packaging.wheel import build_wheel
from fullcircle.report import card, page
from fullcircle.report.facts import gather
from fullcircle.scoring import bundle
from fullcircle.scoring.scorer import MODEL, SPEC

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = ("numpy", "onnx", "onnxruntime", "pandas", "pyarrow", "scikit-learn", "xgboost")


@dataclass(frozen=True, slots=True)
class PackageConfig:
    """`version`: of the model's wheel."""

    version: str


def provenance(params: dict[str, Any], manifest: dict[str, Any], libraries: dict[str, str]) -> dict[str, Any]:
    """Where a bundle comes from: raw tables, choices, libraries. No time and no place: equal runs are equal."""
    chosen = {name: params[name] for name in ("split", "clean", "featurize", "model", "train")}
    data = {name: {key: table[key] for key in ("origin", "rows", "sha256")} for name, table in manifest.items()}
    return {"data": data, "parameters": chosen, "libraries": libraries}


def assemble(folder: Path, parts: dict[str, Any], card_text: str) -> str:
    """Put scorer, JSON `parts` and card into an empty `folder` and seal it; returns the manifest's SHA-256."""
    folder.mkdir(parents=True)
    for name in (PLAN, SPEC, MODEL):
        shutil.copyfile(paths.SCORER / name, folder / name)
    for name, value in parts.items():
        write_json(folder / name, value)
    write_text(folder / bundle.CARD, card_text)
    return seal(folder)


def main() -> None:
    """Assemble beside, rename into place: a bundle is whole or not there."""
    config, name, question = (
        load(PackageConfig, "package"),
        load(str, "problem.name"),
        load(str, "problem.question"),
    )
    libraries = {library: metadata.version(library) for library in LIBRARIES}
    facts = gather(libraries)
    inputs = read_plan(paths.SCORER).inputs
    parts = {
        bundle.DIALECT: plain(of_new_rows(load(dict[str, Source], "problem.sources")[load(str, "problem.table")])),
        bundle.VERDICT: read_json(paths.VERDICT),
        bundle.REFERENCE: reference(read_columns(paths.TRAIN, list(inputs)), inputs),
        bundle.PROVENANCE: provenance(read_params(), read_json(paths.RAW_MANIFEST), libraries),
    }
    beside = paths.BUNDLE.with_name(".bundle.part")
    for folder in (beside, paths.BUNDLE, paths.WHEEL):
        shutil.rmtree(folder, ignore_errors=True)
    assemble(beside, parts, card.render(facts))
    build_wheel(beside, name, question, config.version, paths.WHEEL)
    beside.rename(paths.BUNDLE)
    bundle.load(paths.BUNDLE)
    write_text(paths.PAGE, page.render(facts))


if __name__ == "__main__":
    run("package", main)
