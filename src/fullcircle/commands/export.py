"""`fullcircle export mlflow`: a bundle as a folder that MLflow serves, with the code that answers from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fullcircle
from fullcircle.base.errors import DataError
from fullcircle.packaging.wheel import PACKAGES
from fullcircle.scoring.bundle import Bundle

REQUIREMENTS = ("numpy>=2", "onnxruntime>=1.20", "prometheus-client>=0.23", "starlette>=1.0,<2")
_MODEL = """\
# Made by `fullcircle export mlflow` from bundle {id}.
flavors:
  python_function:
    loader_module: {module}.serving.mlflow
    code: code
    data: bundle
    env:
      virtualenv: python_env.yaml
    python_version: "3.11"
model_uuid: {uuid}
metadata: {{problem: {problem}, version: {version}, bundle: {id}}}
"""
_ENVIRONMENT = """\
python: "3.11"
build_dependencies: [pip]
dependencies: ["-r requirements.txt"]
"""


def export_mlflow(folder: Path, out: Path) -> Path:
    """Write the bundle of a folder as an MLflow model to `out`, which must not be there. Raises DataError, BundleError.

    `mlflow models serve -m OUT --env-manager local` serves it where MLflow and its requirements.txt are installed.
    """
    bundle = Bundle.load(folder)
    if out.exists():
        raise DataError(f"{out} is there already: name another folder, or move it away")
    module = f"{bundle.about.problem}_scorer"
    code = out / "code" / module
    for name in PACKAGES:
        source = Path(fullcircle.__file__).parent / name
        shutil.copytree(source, code / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    (code / "__init__.py").write_text('"""The code that answers from the bundle."""\n', encoding="utf-8")
    shutil.copytree(folder, out / "bundle")
    words = {
        "id": bundle.id,
        "module": module,
        "uuid": bundle.id[:32],
        "problem": json.dumps(bundle.about.problem),
        "version": json.dumps(bundle.version),
    }
    (out / "MLmodel").write_text(_MODEL.format(**words), encoding="utf-8")
    (out / "python_env.yaml").write_text(_ENVIRONMENT, encoding="utf-8")
    (out / "requirements.txt").write_text("\n".join(REQUIREMENTS) + "\n", encoding="utf-8")
    return out
