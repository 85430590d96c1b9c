"""The project that tests run: this repository's code and choices, with a problem and data of the tests' own.

So the tests hold the code whichever problem a team has, and whether or not it kept the examples.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from fullcircle.features import HOMES, LIBRARY
from tests.project import features
from tests.project.tables import write_tables

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CREATED = ("minute_of_day", "wind_from_north", "day_of_week")
CONFIG = """\
defaults:
  - defaults
  - problem: {problem}
  - _self_
  - optional tuned/values: ${{problem}}-${{model}}
  - optional registered: ${{problem}}

package:
  version: 0.1.0
"""


@cache
def conf() -> Path:
    """A conf/ with the tests' problems, the same for all tests of a process: to be read, not changed."""
    folder = Path(tempfile.mkdtemp(prefix="fullcircle-conf-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return conf_in(folder)


def conf_in(folder: Path, problem: str = "departures") -> Path:
    """Copy conf/ into a folder, with the tests' problems alone; returns its path."""
    shutil.copytree(ROOT / "conf", folder / "conf")
    return _own(folder / "conf", problem)


def install(folder: Path) -> None:
    """Make a copy of the repository one of the departures: conf/, data/source/ and created features."""
    _own(folder / "conf", "departures")
    write_tables(folder / "data/source")
    shutil.copy(HERE / "features.py", folder / "src/fullcircle/features/created/departures.py")


def _own(conf: Path, problem: str) -> Path:
    for part in ("problem", "data", "tuned"):
        shutil.rmtree(conf / part, ignore_errors=True)
    shutil.copytree(HERE / "conf", conf, dirs_exist_ok=True)
    (conf / "config.yaml").write_text(CONFIG.format(problem=problem), encoding="utf-8")
    return conf


def register() -> None:
    """Let this process know the created features of the tests' problem, as the copied project does."""
    for name in CREATED:
        LIBRARY[name] = getattr(features, name)
        HOMES[name] = ["departures"]
