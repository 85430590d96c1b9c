"""The wheel: the bundle and the code that answers from it, installable with NumPy and ONNX Runtime alone."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

import fullcircle
from fullcircle.base.files import replacing

SCORING = ("base", "pointintime", "features", "scoring")
"""Packages that score: the code of which a bundle records the hash."""

PACKAGES = (*SCORING, "log", "serving")
"""Packages that travel in the wheel. They import each other by relative imports, so that they work under any name."""

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{project}"
version = "{version}"
description = {quoted}
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["numpy>=2", "onnxruntime>=1.20"]

[project.optional-dependencies]
serve = [
    "httptools>=0.7", "prometheus-client>=0.23", "pyyaml>=6", "starlette>=1.0,<2", "uvicorn>=0.40",
    "uvloop>=0.22; sys_platform != 'win32'",
]
log = ["orjson>=3.10", "sqlalchemy>=2.0,<3"]
grpc = ["grpcio>=1.70", "protobuf>=5"]
signing = ["model-signing>=1.1,<2", "pyopenssl>=25"]

[project.scripts]
{project} = "{module}.__main__:main"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]
"""

_INIT = '''\
"""{question}"""

from pathlib import Path

from .scoring.bundle import Bundle

BUNDLE = Path(__file__).parent / "bundle"


def load() -> Bundle:
    """Verify the model's files and load them.

    `load().score(rows)` scores a pandas DataFrame, a dict of lists or NumPy arrays, or a list of dicts.
    """
    return Bundle.load(BUNDLE)
'''

_MAIN = '''\
"""Scores a CSV file: {project} in.csv out.csv; or serves the model: {project} serve --help"""

import sys
from argparse import ArgumentParser

from . import BUNDLE
from .scoring.command import run


def main() -> None:
    """Score the file named first into the file named second, or serve."""
    if sys.argv[1:2] == ["serve"]:
        from .serving.command import main as serve

        serve(sys.argv[2:], "{project} serve", BUNDLE)
        return
    parser = ArgumentParser("{project}")
    parser.add_argument("source", metavar="IN.csv")
    parser.add_argument("out", metavar="OUT.csv")
    parser.add_argument("--columns", help="shown beside the prediction, as a,b; by default those that identify a row")
    parser.add_argument("--events", action="append", default=[], metavar="TABLE=FILE", help="past events (CSV)")
    parser.add_argument("--ignore-extra", action="store_true", help="ignore columns that the model does not take")
    given = parser.parse_args()
    run(
        BUNDLE, given.source, given.out, columns=given.columns, events=given.events, ignore_extra=given.ignore_extra
    )


if __name__ == "__main__":
    main()
'''


def code_hash() -> str:
    """SHA-256 of the code that travels in the wheel: file names and contents, in the order of the names."""
    root, digest = Path(fullcircle.__file__).parent, hashlib.sha256()
    for name in SCORING:
        for file in sorted((root / name).rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def build_wheel(bundle: Path, name: str, question: str, version: str, out: Path) -> Path:
    """Build the wheel of a bundle into the folder `out`; equal bundles give equal bytes. Returns its path.

    The packages it copies import each other relatively, so they live under any name.
    """
    project = f"{name.replace('_', '-')}-scorer"
    module = project.replace("-", "_")
    question = " ".join(question.split())
    words = {
        "project": project,
        "module": module,
        "version": version,
        "question": question.replace("\\", "/").replace('"', "'"),
        "quoted": json.dumps(question, ensure_ascii=False),  # a basic string of TOML is written as one of JSON
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        package = root / module
        for name in PACKAGES:
            source = Path(fullcircle.__file__).parent / name
            shutil.copytree(source, package / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        shutil.copytree(bundle, package / "bundle")
        (package / "__init__.py").write_text(_INIT.format(**words), encoding="utf-8")
        (package / "__main__.py").write_text(_MAIN.format(**words), encoding="utf-8")
        shutil.copy(bundle / "CARD.md", root / "README.md")
        (root / "pyproject.toml").write_text(_PYPROJECT.format(**words), encoding="utf-8")
        (built,) = WheelBuilder(str(root)).build(directory=str(root / "dist"), versions=["standard"])
        wheel = out / Path(built).name
        with replacing(wheel) as part:
            shutil.copy(built, part)
    return wheel
