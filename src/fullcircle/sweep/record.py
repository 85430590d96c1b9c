"""Trials as DVC experiments: commits under refs/exps/ that are on no branch, made without a checkout.

`dvc exp save` does the same in a temporary worktree, at half a second per trial, most of it for reading and writing
the lock file. An experiment is a commit on its baseline with the parameters, and a ref by which DVC finds it. Git
writes both from a few small files; the workspace, the index and the branches are not touched.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import FullCircleError
from fullcircle.core import paths
from fullcircle.core.tables import rounded

if TYPE_CHECKING:
    from fullcircle.sweep.trials import Trial

STALE = (paths.ON_TRAIN, paths.ON_TEST, paths.VERDICT, paths.PAGE)
"""Outputs of later stages for the baseline: in an experiment they would look like those of the trial."""

EMPTY = "{}\n"  # metrics that are not known yet; DVC warns of a missing file


class RecordError(FullCircleError):
    """A trial that cannot be recorded as an experiment."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records trials on the commit `baseline` of the repository at `root`."""

    root: Path
    baseline: str
    author: dict[str, str]  # environment variables of git; empty if git has a user

    def record(self, name: str, trial: Trial, params: str, metric: str) -> None:
        """Record a trial with its composed parameters as experiment `name`; replaces an existing one."""
        files = {
            paths.PARAMS: params,
            paths.SWEEP_METRICS: _json(_search_metrics(trial)),
            paths.TRAIN_METRICS: _json(trial.metrics) if trial.state == "complete" else EMPTY,
            paths.TEST_METRICS: EMPTY,
        }
        result = "pruned" if trial.state == "pruned" else f"{metric} {trial.value:g}"
        commit = self._commit(files, f"{name}: {result}\n\nTrial {trial.number} of a sweep; train has not been run.")
        self._git("update-ref", self._ref(name), commit)

    def remove(self, names: set[str]) -> None:
        """Remove experiments on any baseline; names that do not exist are ignored."""
        for ref in self._refs():
            if ref.rpartition("/")[2] in names:
                self._git("update-ref", "-d", ref)

    def recorded(self, sweep: str) -> set[str]:
        """The existing experiments of a sweep, on any baseline: DVC finds them by name only."""
        named = (ref.rpartition("/")[2] for ref in self._refs())
        return {name for name in named if re.fullmatch(rf"{re.escape(sweep)}-\d{{3,}}", name)}

    def check_unused(self, sweep: str) -> None:
        """Refuse a second sweep of that name: experiment names must be unique for DVC. Raises RecordError."""
        if existing := sorted(self.recorded(sweep)):
            raise RecordError(
                f"there are {len(existing)} experiments of another sweep {sweep}, e.g. {existing[0]}; give this one "
                "another sweep.name, or start over with --fresh, which removes them"
            )

    def _refs(self) -> list[str]:
        return self._git("for-each-ref", "--format=%(refname)", "refs/exps")

    def _commit(self, files: dict[Path, str], message: str) -> str:
        with tempfile.TemporaryDirectory(prefix="fullcircle-") as folder:
            environment = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git("read-tree", self.baseline, more=environment)
            stale = [str(path) for path in STALE]
            self._git("rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", *stale, more=environment)
            for path, text in files.items():
                (blob,) = self._git("hash-object", "-w", "--stdin", text=text)
                self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", more=environment)
            (tree,) = self._git("write-tree", more=environment)
        (commit,) = self._git("commit-tree", tree, "-p", self.baseline, "-F", "-", text=message)
        return commit

    def _ref(self, name: str) -> str:
        return f"refs/exps/{self.baseline[:2]}/{self.baseline[2:]}/{name}"

    def _git(self, *command: str, text: str = "", more: dict[str, str] | None = None) -> list[str]:
        done = _git(self.root, *command, text=text, more=self.author | (more or {}))
        if done.returncode:
            raise RecordError(f"git {command[0]}: {done.stderr.strip()}")
        return done.stdout.splitlines()


def recorder_at(root: Path) -> Recorder:
    """A recorder on the commit that is checked out. Raises RecordError if trials could not be repeated from it."""
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head.returncode:
        raise RecordError(
            "this is not a git repository with a commit, and every experiment needs one as its parent; commit first"
        )
    baseline = head.stdout.strip()
    if _git(root, "symbolic-ref", "--quiet", "HEAD").returncode:
        raise RecordError(
            f"HEAD is detached at {baseline[:7]}: the parent commit of the experiments would be on no branch; "
            "`git switch -c NAME` makes one"
        )
    if dirty := _dirty(root):
        raise RecordError(
            f"{len(dirty)} files differ from the last commit, e.g. {', '.join(dirty[:3])}: trials are recorded on that "
            "commit and could not be repeated from it; commit or stash first"
        )
    known = _git(root, "var", "GIT_COMMITTER_IDENT").returncode == 0
    return Recorder(root, baseline, {} if known else _DEFAULT_USER)


def _dirty(root: Path) -> list[str]:
    """Files that a trial depends on and that differ from the last commit."""
    status = _git(root, "status", "--porcelain", "--untracked-files=all", "--no-renames").stdout.splitlines()
    changed = [line[3:] for line in status if line[:2] != "??"]
    new = [line[3:] for line in status if line[:2] == "??" and line[3:].startswith(("src/", "conf/"))]
    return [path for path in (*changed, *new) if not path.startswith(_IGNORED)]


_IGNORED = ("conf/sweep", "conf/engine", str(paths.SWEEPS))  # configuration and outputs of sweeps
_DEFAULT_USER = {  # if git has no user, as in a container
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Full Circle"), ("EMAIL", "sweep@localhost"))
}


def _git(
    root: Path, *command: str, text: str = "", more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *command],
        cwd=root,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | (more or {}),
        start_new_session=True,  # Ctrl-C must reach only the sweep, which completes the record
    )


def _search_metrics(trial: Trial) -> dict[str, Any]:
    found: dict[str, Any] = {"trial": trial.number, "state": trial.state}
    if trial.value is not None:
        found["value"] = trial.value
    return found if trial.deviation is None else found | {"deviation": trial.deviation}


def _json(value: dict[str, Any]) -> str:
    """JSON as `tables.write_json` writes it, so that repeating a trial changes no byte."""
    return json.dumps(rounded(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
