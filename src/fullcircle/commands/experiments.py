"""DVC's experiments, read from git: each is a commit under refs/exps/BASELINE/NAME.

`dvc exp show` reads every file that any stage names, for each of them: 78 seconds for 500 experiments.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from fullcircle.base.errors import FullCircleError
from fullcircle.core import paths

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

METRICS = (paths.TRAIN_METRICS, paths.TEST_METRICS, paths.SWEEP_METRICS)
FILES = (paths.PARAMS, *METRICS, paths.VERDICT, paths.DVC_LOCK)
WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A row: the workspace, a commit, or an experiment on the commit `parent`.

    `params`: leaves by dotted key; `metrics`: of all files of metrics/. `verdict`: its status, empty if there is none.
    """

    name: str
    revision: str
    parent: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    verdict: str = ""

    @property
    def problem(self) -> str:
        """The name of its problem."""
        return str(self.params.get("problem.name", ""))


def experiments(*, all_commits: bool = False) -> list[Experiment]:
    """The workspace, if it differs from the last commit; that commit; and the experiments on it, the latest last.

    `all_commits`: also those on other commits, each after its own. Raises FullCircleError outside a git repository.
    """
    head = _git("rev-parse", "--verify", "HEAD").strip()
    branch = _git("rev-parse", "--abbrev-ref", "HEAD").strip()
    found = [ref for ref in _refs() if all_commits or ref[1] == head]
    parents = list(dict.fromkeys([head, *(parent for _, parent, _ in found)]))
    blobs = _blobs([*parents, *(revision for revision, _, _ in found)])
    rows = []
    for parent in parents:
        name = branch if parent == head and branch != "HEAD" else parent[:7]
        rows.append(_experiment(name, parent, None, blobs[parent]))
        for revision, at, own in found:
            if at == parent:
                rows.append(_experiment(own, revision, parent, _without_stale(blobs[revision])))
    here = _experiment(WORKSPACE, "", None, {file: (_hash_of(file), _content(file)) for file in FILES})
    same = (here.params, here.metrics, here.verdict) == (rows[0].params, rows[0].metrics, rows[0].verdict)
    return rows if same else [here, *rows]


Blob = tuple[str, bytes]
"""Hash and content; the hash is empty for a file that is not there."""


def _without_stale(files: dict[Path, Blob]) -> dict[Path, Blob]:
    """Without test metrics and verdict of another model: `train` has run again, and `validate` not yet."""
    lock = files[paths.DVC_LOCK][1].decode()
    trained, validated = _hashes(lock, "train", "outs"), _hashes(lock, "validate", "deps")
    if all(validated.get(path, md5) == md5 for path, md5 in trained.items()):
        return files
    return files | dict.fromkeys((paths.TEST_METRICS, paths.VERDICT), ("", b""))


def _hashes(lock: str, stage: str, key: str) -> dict[str, str]:
    """Path -> MD5 of a stage's inputs or outputs. Only its lines are parsed: 500 whole files take seconds."""
    lines = re.search(rf"^  {stage}:\n(?: {{4}}.*\n)+", lock, re.MULTILINE)
    section = yaml.load(lines[0], Loader=yaml.CSafeLoader)[stage] if lines else {}
    return {each["path"]: each["md5"] for each in section.get(key, ()) if "md5" in each}


def _experiment(name: str, revision: str, parent: str | None, files: dict[Path, Blob]) -> Experiment:
    metrics: dict[str, Any] = {}
    for file in METRICS:
        metrics |= _json(files[file][1])
    params = yaml.load(files[paths.PARAMS][1] or b"{}", Loader=yaml.CSafeLoader)
    verdict = str(_json(files[paths.VERDICT][1]).get("status", ""))
    return Experiment(name, revision, parent, leaves(params), metrics, verdict)


def leaves(tree: Any, prefix: str = "") -> dict[str, Any]:
    """The leaves of nested dicts by dotted key; a list is a leaf."""
    found: dict[str, Any] = {}
    for key, value in tree.items() if isinstance(tree, dict) else ():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _refs() -> list[tuple[str, str, str]]:
    """Commit, parent and name of every experiment, in order of time; not what DVC keeps there for itself."""
    lines = _git("for-each-ref", "--sort=creatordate", "--format=%(objectname) %(refname)", "refs/exps").splitlines()
    found = (re.fullmatch(r"(\w+) refs/exps/(\w{2})/(\w{38})/(.+)", line) for line in lines)
    return [(ref[1], ref[2] + ref[3], ref[4]) for ref in found if ref]


def _blobs(revisions: Iterable[str]) -> dict[str, dict[Path, Blob]]:
    """The files of each commit, by one process of git."""
    wanted = [(revision, file) for revision in dict.fromkeys(revisions) for file in FILES]
    given = "".join(f"{revision}:{file.as_posix()}\n" for revision, file in wanted).encode()
    done = subprocess.run(["git", "cat-file", "--batch"], input=given, capture_output=True, check=False)
    output, at = done.stdout, 0
    blobs: dict[str, dict[Path, Blob]] = {}
    for revision, file in wanted:
        end = output.index(b"\n", at)
        header = output[at:end].split()
        found = len(header) == 3 and header[1] == b"blob"
        size = int(header[2]) if found else -1
        content = output[end + 1 : end + 1 + size] if found else b""
        blobs.setdefault(revision, {})[file] = (header[0].decode() if found else "", content)
        at = end + 1 + size + 1
    return blobs


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""


def _hash_of(file: Path) -> str:
    return str(file) if file.is_file() else ""


def _json(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FullCircleError(f"git {command[0]}: {done.stderr.strip()}")
    return done.stdout
