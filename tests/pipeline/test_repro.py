from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.conftest import Project

if TYPE_CHECKING:
    from pathlib import Path


def hashes(lock: Path) -> dict[str, str]:
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}


def test_no_hash_depends_on_the_vector_instructions_of_the_machine(copied: Project) -> None:
    """What NumPy, the C library, OpenBLAS and Arrow choose by the machine is turned off, and nothing may move."""
    made = ["data/features", "models", "metrics", "reports/train", "reports/test"]

    def contents() -> dict[Path, bytes]:
        files = [path for name in made for path in [copied.folder / name, *(copied.folder / name).rglob("*")]]
        return {path: path.read_bytes() for path in files if path.is_file()}

    before = contents()
    plain = {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-AVX",
        "OPENBLAS_CORETYPE": "Nehalem",
        "ARROW_USER_SIMD_LEVEL": "SSE4_2",
    }
    for stage in ("featurize", "train", "validate"):
        copied.run("env", *(f"{k}={v}" for k, v in plain.items()), "python", "-m", f"fullcircle.stages.{stage}")
    assert contents() == before


def test_a_second_run_runs_nothing(reproduced: Project) -> None:
    assert reproduced.ran() == []


def test_a_comment_in_the_readme_reruns_nothing(copied: Project) -> None:
    with (copied.folder / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("<!-- nothing -->\n")
    assert copied.ran() == []


STAGES_OF = {
    "scoring/scorer.py": {"train", "validate", "package"},
    "features/encoders.py": {"featurize", "train", "validate", "package"},
    "pointintime/recent.py": {"clean", "package"},
    "labelling/targets.py": {"label"},
    "cleaning/joins.py": {"clean"},
    "sources/http.py": {"ingest"},
    "report/page.py": {"package"},
}
"""Module -> the stages that run it, or that carry it in the wheel."""


def test_a_comment_in_a_module_concerns_only_the_stages_that_run_it(copied: Project) -> None:
    def changed() -> set[str]:
        return set(json.loads(copied.run("dvc", "status", "--json").stdout))

    assert changed() == set()
    for module, stages in STAGES_OF.items():
        path = copied.folder / "src/fullcircle" / module
        before = path.read_text(encoding="utf-8")
        path.write_text(f"{before}# a comment\n", encoding="utf-8")
        assert changed() == stages, module
        path.write_text(before, encoding="utf-8")


def test_a_model_parameter_reruns_train_and_on(copied: Project) -> None:
    copied.run("fullcircle", "params", "model.max_rounds=40")
    assert copied.ran() == ["train", "validate", "package"]


def test_a_split_date_reruns_split_and_on(copied: Project) -> None:
    copied.edit("conf/problem/departures.yaml", "validation_from: [2013, 2, 25]", "validation_from: [2013, 2, 20]")
    copied.run("fullcircle", "params", "model.max_rounds=40")
    assert copied.ran("package") == ["split", "featurize", "train", "validate", "package"]


def test_a_changed_file_of_ones_own_reruns_ingest(copied: Project) -> None:
    (copied.folder / "data/source/homes.csv").write_text("price\n1\n", encoding="utf-8")
    assert copied.ran("clean") == ["ingest"]  # which read the same tables again: nothing below it has changed


def test_a_gate_reruns_validate_and_on_and_can_reject(copied: Project) -> None:
    copied.edit("conf/problem/departures.yaml", "{metric: auc, min: 0.60", "{metric: auc, min: 0.99")
    copied.run("fullcircle", "params")
    assert copied.ran() == ["validate", "package"]
    verdict = json.loads((copied.folder / "dist/bundle/verdict.json").read_text(encoding="utf-8"))
    assert verdict["status"] == "rejected"
    assert "rejected" in (copied.folder / "reports/index.html").read_text(encoding="utf-8")


def test_no_row_is_lost(reproduced: Project) -> None:
    from fullcircle.core.tables import read_table

    rows = {
        name: read_table(reproduced.folder / f"data/{name}.parquet").num_rows
        for name in ("raw/flights", "clean/kept", "clean/rejected")
    }
    assert rows["raw/flights"] == rows["clean/kept"] + rows["clean/rejected"]
    sides = [
        read_table(reproduced.folder / f"data/split/{side}.parquet").num_rows
        for side in ("train", "validation", "test")
    ]
    assert sum(sides) == rows["clean/kept"]


def test_the_days_of_each_side_lie_apart(reproduced: Project) -> None:
    from fullcircle.core.tables import read_columns

    found = []
    for side in ("train", "validation", "test"):
        columns = read_columns(reproduced.folder / f"data/split/{side}.parquet", ["month", "day"])
        days = {*zip(columns["month"].tolist(), columns["day"].tolist(), strict=True)}
        found.append((min(days), max(days)))
    assert found == [((1, 1), (2, 24)), ((2, 25), (3, 10)), ((3, 11), (3, 31))]


def test_pushed_outputs_are_pulled_and_nothing_runs(copied: Project, tmp_path: Path) -> None:
    remote, second = tmp_path / "remote", tmp_path / "second"
    copied.run("dvc", "remote", "add", "-d", "shared", str(remote))
    copied.run("git", "commit", "-qam", "a remote")
    copied.run("dvc", "push", "-q")
    copied.run("git", "clone", "-q", str(copied.folder), str(second))
    there = Project(second)
    there.run("dvc", "pull", "-q")
    assert there.ran() == []
    assert (second / "dist/bundle/model.onnx").read_bytes() == (copied.folder / "dist/bundle/model.onnx").read_bytes()


def test_an_experiment_is_run_shown_and_adopted(copied: Project) -> None:
    copied.run(
        "dvc",
        "exp",
        "run",
        "-q",
        "-n",
        "flat",
        "-S",
        "model.max_depth=2",
        "-S",
        "model.max_rounds=30",
        "validate",
    )
    shown = copied.run("fullcircle", "show").stdout
    assert "flat" in shown
    assert "auc" in shown
    copied.run("git", "checkout", "-q", ".")
    copied.run("fullcircle", "adopt", "flat")
    copied.run("fullcircle", "params", "--check")
    params = yaml.safe_load((copied.folder / "params.yaml").read_text(encoding="utf-8"))
    assert (params["model"]["max_depth"], params["model"]["max_rounds"]) == (2, 30)
    copied.run("fullcircle", "params", "model=dummy")
    assert yaml.safe_load((copied.folder / "params.yaml").read_text(encoding="utf-8"))["model"] == {"name": "dummy"}


def test_another_model_can_be_adopted_and_left_again(copied: Project) -> None:
    copied.run("fullcircle", "params", "model=linear", "model.c=0.5")
    copied.run("git", "commit", "-qam", "linear")
    copied.run("git", "checkout", "-q", "-b", "later", "HEAD~1")
    copied.run("fullcircle", "adopt", "main")
    linear = yaml.safe_load((copied.folder / "params.yaml").read_text(encoding="utf-8"))
    assert linear["model"]["name"] == "linear"
    assert linear["model"]["c"] == 0.5
    copied.run("fullcircle", "adopt", "main~1")  # over the first, and back to what conf/ says by itself
    assert (copied.folder / "params.yaml").read_bytes() == copied.run(
        "git", "show", "main~1:params.yaml"
    ).stdout.encode()
    copied.run("fullcircle", "params", "model=xgboost")
    assert yaml.safe_load((copied.folder / "params.yaml").read_text(encoding="utf-8"))["model"]["max_depth"] == 6


@pytest.mark.parametrize("model", ["linear", "dummy"])
def test_other_models_pass_the_parity_gate(copied: Project, model: str) -> None:
    copied.run("fullcircle", "params", f"model={model}")
    assert copied.ran("validate") == ["train", "validate"]


def damage(*files: Path) -> None:
    """Change a bit in the middle of files as a disk does: size, time and mode stay."""
    for file in files:
        before, content = file.stat(), bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.chmod(0o644)
        with file.open("r+b") as opened:
            opened.write(content)
        file.chmod(before.st_mode & 0o777)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("output", "name", "reader"),
    [("split", "data/split/test.parquet", "validate"), ("featurize", "data/features", "train")],
)
def test_a_damaged_file_that_dvc_trusts_is_refused_and_can_be_made_again(
    copied: Project, output: str, name: str, reader: str
) -> None:
    expected = hashes(copied.folder / "dvc.lock")
    store = copied.folder / ".dvc/cache/files/md5"
    cached = store / expected[name][:2] / expected[name][2:]
    file = copied.folder / name
    if file.is_dir():  # one file of the folder is damaged
        entry = json.loads(cached.read_text(encoding="utf-8"))[-1]
        file, cached = file / entry["relpath"], store / entry["md5"][:2] / entry["md5"][2:]
    copied.run("dvc", "status")  # DVC sees each file of this copy for the first time, and hashes it
    damage(file, cached)
    assert copied.run("dvc", "status").stdout.strip() == "Data and pipelines are up to date."
    done = copied.run("dvc", "repro", "--single-item", "--force", reader, check=False)
    assert done.returncode != 0
    assert f"{reader}: {file.relative_to(copied.folder)} is not what {output} wrote" in done.stdout
    assert str(cached.relative_to(copied.folder)) in done.stdout
    file.unlink()
    cached.unlink()
    copied.run("dvc", "repro")
    assert hashes(copied.folder / "dvc.lock") == expected
    assert copied.run("dvc", "status").stdout.strip() == "Data and pipelines are up to date."


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.max_depth=lots", "model.max_depth: expected int, got str 'lots'"),
        ("validate.interval=95", "validate: interval 95 is outside 0..1"),
        ("problem.metric=accuracy", "problem.metric: accuracy: this task has no such metric"),
    ],
)
def test_a_wrong_value_of_a_late_stage_is_found_before_the_first_one_runs(
    copied: Project, override: str, message: str
) -> None:
    done = copied.run("dvc", "exp", "run", "-S", "clean.max_rejected=0.3", "-S", override, check=False)
    assert done.returncode != 0
    assert f"clean: {message}" in done.stdout
    assert "Traceback" not in done.stdout
    assert "Running stage 'label'" not in done.stdout


def test_a_run_ends_with_the_verdict_the_metric_its_interval_and_the_page(copied: Project) -> None:
    copied.edit("conf/problem/departures.yaml", "{metric: auc, min: 0.60", "{metric: auc, min: 0.99")
    copied.run("fullcircle", "params")
    report = json.loads((copied.folder / "reports/test/report.json").read_text(encoding="utf-8"))
    low, high = report["intervals"]["auc"]
    line = f"rejected (failed: auc): auc {report['metrics']['auc']:.3f} (95%: {low:.3f} to {high:.3f}) in "
    assert line in copied.run("dvc", "repro").stdout
    by_hand = copied.run("python", "-m", "fullcircle.stages.package").stdout
    assert by_hand == f"{line.removesuffix(' in ')}; see reports/index.html\n"


@pytest.mark.parametrize("text", ["schema: '2.0'\nstages:\n  ingest:\n    cmd: 'pyth", "<<<<<<< HEAD\nschema: '2.0'\n"])
def test_a_half_written_lock_is_brought_back_as_the_documentation_says(copied: Project, text: str) -> None:
    (copied.folder / "dvc.lock").write_text(text, encoding="utf-8")
    assert copied.run("dvc", "repro", check=False).returncode != 0
    done = copied.run("fullcircle", "sweep", check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert "git checkout HEAD -- dvc.lock" in done.stdout
    copied.run("git", "checkout", "HEAD", "--", "dvc.lock")
    assert copied.ran() == []


def test_a_half_written_rwlock_is_removed_as_the_documentation_says(copied: Project) -> None:
    (copied.folder / ".dvc/tmp/rwlock").write_text('{"/a/b": {"wri', encoding="utf-8")
    assert "rwlock" in copied.run("dvc", "repro", "--force", "label", check=False).stdout
    copied.run("rm", "-f", ".dvc/tmp/rwlock", ".dvc/tmp/lock")
    copied.run("dvc", "repro", "--force", "label")
