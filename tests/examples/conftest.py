"""The bundled examples. A team that drops them drops this folder too."""

from __future__ import annotations

import pytest
import yaml

from tests.conftest import Project, copy_of_working_tree


@pytest.fixture(scope="session")
def flights(committed: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """This repository with the flights as its problem, after a cold `dvc repro`."""
    params = yaml.safe_load((committed.folder / "params.yaml").read_text(encoding="utf-8"))
    if params["problem"]["name"] == "flights":
        return committed
    made = copy_of_working_tree(tmp_path_factory.mktemp("flights"))
    made.run("fullcircle", "params", "problem=flights")
    made.run("dvc", "repro", "--force")
    return made
