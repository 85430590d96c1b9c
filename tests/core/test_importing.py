from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from threading import Thread

import pytest

from fullcircle.core.importing import without


def test_a_package_that_is_left_out_is_not_found_inside_and_found_after() -> None:
    sys.modules.pop("colorsys", None)
    with without("colorsys"), pytest.raises(ModuleNotFoundError, match="colorsys is left out"):
        import_module("colorsys")
    import_module("colorsys")


def test_a_package_that_is_there_already_stays() -> None:
    with without("json"):
        assert import_module("json") is sys.modules["json"]


def test_other_threads_find_it() -> None:
    found: list[object] = []

    sys.modules.pop("colorsys", None)
    with without("colorsys"):
        thread = Thread(target=lambda: found.append(import_module("colorsys")))
        thread.start()
        thread.join()
    assert found


def test_boosting_does_not_import_scikit_learn_and_leaves_it_to_others() -> None:
    script = """
import sys
import fullcircle.models.xgboost
assert "sklearn" not in sys.modules
import sklearn.base
"""
    subprocess.run([sys.executable, "-c", script], check=True)
