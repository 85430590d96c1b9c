"""docs/make-it-yours.md: each of its steps, as a team would run it, and a merge of later versions into a fork.

With FULLCIRCLE_LONG=1 the whole test suite runs in each of the repositories that come out, otherwise a part of it.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import yaml

from tests.conftest import Project, copy_of_working_tree
from tests.drafting.made import customers
from tests.e2e.circle import of, write_csv
from tests.pipeline.graph import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PART = ["tests/core/test_config.py", "tests/commands", "tests/sweep/test_plan.py", "tests/features"]
PART += ["tests/test_documents.py", "tests/test_imports.py"]
LONG = "FULLCIRCLE_LONG" in os.environ
COMMITTED = ["tests/pipeline/test_committed.py", "tests/pipeline/test_dvc_yaml.py"]


def step(name: str) -> str:
    """The commands of a step of the document."""
    text = (ROOT / "docs/make-it-yours.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"<!-- step: {name} -->\n```\n(.*?)```", text, re.DOTALL)
    return str(block)


def run(project: Project, script: str) -> None:
    project.run("bash", "-euc", script)


def own_problem(project: Project) -> None:
    """Steps 1: a table of homes, whose price is drafted as the problem of the repository."""
    made = customers()
    homes = {"price": made["income"], "rooms": made["age"], "city": made["city"]}
    known: dict[str, Sequence[str]] = {name: [value or "3000.00" for value in values] for name, values in homes.items()}
    write_csv(project.folder / "data/source/homes.csv", of(known))
    run(project, step("draft"))
    run(project, step("data"))


def check(project: Project) -> None:
    """The tests pass in the repository, and everything is up to date and committed."""
    assert project.ran() == []
    assert project.run("git", "status", "--porcelain").stdout == ""
    tests = [] if LONG else [*PART, *COMMITTED]
    done = project.run("env", "-u", "FULLCIRCLE_LONG", "python", "-m", "pytest", "-q", *tests, check=False)
    assert done.returncode == 0, done.stdout[-5000:]


def test_another_bundled_problem_is_the_default(tmp_path: Path) -> None:
    project = copy_of_working_tree(tmp_path)
    run(project, step("draft").replace("homes", "digits").partition("\n")[2])
    project.commit()
    check(project)


def test_a_drafted_problem_is_the_default_and_then_the_examples_go(tmp_path: Path) -> None:
    project = copy_of_working_tree(tmp_path)
    own_problem(project)
    params = yaml.safe_load((project.folder / "params.yaml").read_text(encoding="utf-8"))
    assert params["problem"]["name"] == "homes"
    if LONG:
        check(project)
    run(project, step("drop"))
    assert not list((project.folder / "src").rglob("flights*.py"))
    check(project)


def upstream_commits(upstream: Project) -> None:
    """Two later versions: code, a default, a model, documents, and everything that the pipeline makes."""
    upstream.edit("src/fullcircle/cli.py", "The command line", "The command line of Full Circle")
    upstream.edit("conf/defaults.yaml", "max_rejected: 0.02", "max_rejected: 0.03")
    for made in ("dvc.lock", "params.yaml", "metrics/test.json", "reports/verdict.json", "README.md"):
        path = upstream.folder / made
        path.write_text(path.read_text(encoding="utf-8").replace("0.", "1."), encoding="utf-8")
    upstream.commit()
    linear = (upstream.folder / "conf/model/linear.yaml").read_text(encoding="utf-8")
    (upstream.folder / "conf/model/line.yaml").write_text(linear, encoding="utf-8")
    upstream.edit("CHANGELOG.md", "# Changelog", "# Changelog\n\n## Later\n")
    upstream.edit("reports/verdict.json", "status", "state")
    upstream.commit()


def test_later_versions_merge_into_a_fork_without_conflicts(tmp_path: Path) -> None:
    upstream = copy_of_working_tree(tmp_path / "upstream")
    fork = Project(tmp_path / "fork")
    upstream.run("git", "clone", "-q", str(upstream.folder), str(fork.folder))
    own_problem(fork)
    (fork.folder / "README.md").write_text("# Homes\n", encoding="utf-8")
    run(fork, "fullcircle params model=linear && dvc repro -q && git commit -qam linear && fullcircle adopt main")
    fork.commit()
    own = {
        file: file.read_bytes()
        for file in fork.folder.rglob("*")
        if file.is_file() and file.suffix in (".yaml", ".md") and ("homes" in file.name or file.name == "README.md")
    } | {fork.folder / "conf/config.yaml": (fork.folder / "conf/config.yaml").read_bytes()}
    metrics = (fork.folder / "metrics/test.json").read_bytes()
    upstream_commits(upstream)
    run(fork, step("upstream").replace("URL_OF_THIS_PROJECT", shlex.quote(str(upstream.folder))))
    run(fork, step("merge").replace("make install\n", ""))  # the environment is the same
    assert {file: file.read_bytes() for file in own} == own
    assert (fork.folder / "conf/model/line.yaml").is_file()
    assert yaml.safe_load((fork.folder / "params.yaml").read_text(encoding="utf-8"))["clean"]["max_rejected"] == 0.03
    assert (fork.folder / "metrics/test.json").read_bytes() == metrics
    fork.run("fullcircle", "params", "--check")
    assert fork.ran() == []
    assert fork.run("git", "status", "--porcelain").stdout == ""
