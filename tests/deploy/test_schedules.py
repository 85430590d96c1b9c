"""Schedules: what the shared scripts do with each exit code, and what cron, systemd, Kubernetes and CI accept."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fullcircle.serving.settings import read_settings
from tests.deploy.files import BASE, DEPLOY, ROOT, output, read_yaml, tool

if TYPE_CHECKING:
    from pathlib import Path

SCHEDULE = DEPLOY / "schedule"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
GITLAB = ROOT / ".gitlab-ci.yml"
KUBERNETES = DEPLOY / "kubernetes"
COMPONENT = KUBERNETES / "components/monitor"
SYSTEMD = DEPLOY / "systemd"
LARGEST_EXPOSURE = 17  # in tenths of 10; the service allows 15, and this unit trains, pulls and pushes


def run(folder: Path, codes: dict[str, int], *options: str) -> tuple[int, list[str], str]:
    """Exit code, commands and errors of deploy/schedule/monitor, where `fullcircle` ends with these codes."""
    program = folder / "fullcircle"
    ends = " ".join(f"{name}) exit {code} ;;" for name, code in codes.items())
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\ncase $1 in {ends} esac\nexit 99\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    command = [str(SCHEDULE / "monitor"), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.returncode, (folder / "calls").read_text().splitlines(), done.stderr


@pytest.mark.parametrize(
    ("monitor", "retrain", "ends", "calls"),
    [
        (0, 99, 0, ["monitor"]),
        (10, 99, 0, ["monitor"]),
        (1, 99, 1, ["monitor"]),
        (137, 99, 137, ["monitor"]),
        (20, 0, 0, ["monitor", "retrain"]),
        (20, 10, 10, ["monitor", "retrain"]),
        (20, 1, 1, ["monitor", "retrain"]),
    ],
)
def test_only_exit_code_20_retrains(tmp_path: Path, monitor: int, retrain: int, ends: int, calls: list[str]) -> None:
    code, called, errors = run(tmp_path, {"monitor": monitor, "retrain": retrain})
    assert (code, called) == (ends, calls)
    assert (errors == "") == (ends == 0)


def test_retraining_may_be_left_to_another_schedule(tmp_path: Path) -> None:
    code, called, _ = run(tmp_path, {"monitor": 20}, "--no-retrain", "--now", "2013-11-05T06:00")
    assert (code, called) == (0, ["monitor --now 2013-11-05T06:00"])


@pytest.mark.parametrize(
    ("verdict", "ends", "says"),
    [
        ({"status": "blessed", "gates": []}, 0, "the verdict is blessed"),
        ({"status": "rejected", "gates": [{"metric": "auc", "value": 0.6, "min": 0.7, "status": "failed"}]}, 1, "auc"),
        ({"status": "draft", "gates": []}, 1, "the verdict is draft"),
        ({}, 1, "cannot be read (KeyError): run dvc repro"),
        (None, 1, "cannot be read (FileNotFoundError): run dvc repro"),
    ],
)
def test_the_gate_passes_a_blessed_model_alone(tmp_path: Path, verdict: Any, ends: int, says: str) -> None:
    (tmp_path / "reports").mkdir()
    if verdict is not None:
        (tmp_path / "reports/verdict.json").write_text(json.dumps(verdict))
    done = subprocess.run([SCHEDULE / "gate"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == ends
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_shellcheck_accepts_the_script() -> None:
    output(tool("shellcheck"), SCHEDULE / "monitor")


def test_hadolint_accepts_the_image_of_monitoring() -> None:
    output(tool("hadolint"), DEPLOY / "container/monitor.Dockerfile")


def test_the_image_copies_files_that_its_ignore_file_lets_in() -> None:
    text = (DEPLOY / "container/monitor.Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    ignore = (DEPLOY / "container/monitor.Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for line in copied for name in line.split()} == {line for line in ignore if line[0] == "!"}


# systemd


def unit(folder: Path, old: str = "", new: str = "") -> Path:
    text = (SYSTEMD / "fullcircle-monitor.service").read_text(encoding="utf-8")
    assert old in text
    text = text.replace("/srv/fullcircle/deploy/schedule/monitor", "/bin/true").replace(old, new) if old else text
    file = folder / "fullcircle-monitor.service"
    file.write_text(text.replace("/srv/fullcircle/deploy/schedule/monitor", "/bin/true"), encoding="utf-8")
    timer = folder / "fullcircle-monitor.timer"
    timer.write_text((SYSTEMD / timer.name).read_text(encoding="utf-8"), encoding="utf-8")
    return file


def test_systemd_accepts_unit_and_timer(tmp_path: Path) -> None:
    made = unit(tmp_path)
    said = output(tool("systemd-analyze"), "verify", "--man=no", made, made.with_suffix(".timer"))
    assert "fullcircle-monitor" not in said
    wrong = unit(tmp_path, "ProtectHome=yes", "ProtectHomes=yes")
    assert "ProtectHomes" in output(tool("systemd-analyze"), "verify", "--man=no", wrong)


def test_the_unit_is_hardened(tmp_path: Path) -> None:
    analyze, limit = tool("systemd-analyze"), f"--threshold={LARGEST_EXPOSURE}"
    output(analyze, "security", "--offline=true", limit, "--no-pager", unit(tmp_path))
    with pytest.raises(AssertionError, match="exposure"):
        output(
            analyze,
            "security",
            "--offline=true",
            limit,
            "--no-pager",
            unit(tmp_path, "User=fullcircle-monitor", "User=root"),
        )


def test_the_timer_names_a_time(tmp_path: Path) -> None:
    (when,) = re.findall(r"^OnCalendar=(.*)$", (SYSTEMD / "fullcircle-monitor.timer").read_text(), re.MULTILINE)
    assert "Next elapse" in output(tool("systemd-analyze"), "calendar", when)


# Kubernetes


def rendered() -> dict[tuple[str, str], Any]:
    text = output(tool("kubectl"), "kustomize", KUBERNETES / "example-monitored")
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}


@pytest.mark.parametrize("version", ["1.31.0", "1.35.0"])
def test_the_monitored_overlay_fits_the_schemas(version: str, tmp_path: Path) -> None:
    validate = tool("kubernetes-validate")
    file = tmp_path / "all.yaml"
    known = [each for (kind, _), each in rendered().items() if kind != "ServiceMonitor"]
    file.write_text(yaml.safe_dump_all(known), encoding="utf-8")
    output(validate, "--strict", "-k", version, file)
    cron = next(each for each in known if each["kind"] == "CronJob")
    cron["spec"]["concurrency"] = cron["spec"].pop("concurrencyPolicy")
    file.write_text(yaml.safe_dump(cron), encoding="utf-8")
    with pytest.raises(AssertionError, match="concurrency"):
        output(validate, "--strict", "-k", version, file)


def test_the_job_is_no_pod_of_the_service_and_reads_its_log() -> None:
    found = rendered()
    pods = found["CronJob", "flights-monitor"]["spec"]["jobTemplate"]["spec"]["template"]
    labels = pods["metadata"]["labels"]
    selector = found["Service", "flights-model"]["spec"]["selector"]
    assert not selector.items() <= labels.items()
    assert found["NetworkPolicy", "flights-monitor"]["spec"]["podSelector"]["matchLabels"] == labels
    (job,) = pods["spec"]["containers"]
    (service,) = found["Deployment", "flights-model"]["spec"]["template"]["spec"]["containers"]
    urls = [next(v for v in each["env"] if v["name"] == "PREDICTIONS_URL") for each in (job, service)]
    assert urls[0] == urls[1]
    assert job["image"] == "registry.example.com/flights-monitor:0.1.0"
    ports = {
        port["port"] for rule in found["NetworkPolicy", "flights-model"]["spec"]["egress"] for port in rule["ports"]
    }
    assert ports == {53, 5432}


def test_the_job_may_do_little_and_runs_once_at_a_time() -> None:
    cron = read_yaml(COMPONENT / "cronjob.yaml")["spec"]
    pods = cron["jobTemplate"]["spec"]["template"]["spec"]
    (job,) = pods["containers"]
    service = read_yaml(BASE / "deployment.yaml")["spec"]["template"]["spec"]
    assert pods["securityContext"] == service["securityContext"]
    assert job["securityContext"] == service["containers"][0]["securityContext"]
    assert pods["automountServiceAccountToken"] is False
    assert cron["concurrencyPolicy"] == "Forbid"
    assert all("secretKeyRef" in each["valueFrom"] for each in job["env"])


def test_the_settings_of_the_component_are_those_of_the_base_with_a_log() -> None:
    base, changed = read_yaml(BASE / "serving.yaml"), read_yaml(COMPONENT / "serving.yaml")
    assert changed.pop("predictions") == {"url_env": "PREDICTIONS_URL"}
    assert changed == base
    assert read_settings(COMPONENT / "serving.yaml").predictions.on


# GitHub and GitLab


def lint(*command: str | Path) -> str:
    return output(tool(str(command[0])), *command[1:])


def test_actionlint_accepts_the_workflows() -> None:
    lint("actionlint", *WORKFLOWS)


def test_the_workflows_fit_their_schema(tmp_path: Path) -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on", "run-on"), encoding="utf-8")
    with pytest.raises(AssertionError, match="run-on"):
        lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", wrong)


def test_the_pipeline_fits_its_schema(tmp_path: Path) -> None:
    options = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    lint("check-jsonschema", *options, GITLAB)
    wrong = tmp_path / ".gitlab-ci.yml"
    wrong.write_text(GITLAB.read_text(encoding="utf-8").replace("script:", "scripts:"), encoding="utf-8")
    with pytest.raises(AssertionError, match="script"):
        lint("check-jsonschema", *options, wrong)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_has_pinned_actions_few_permissions_and_an_end(file: Path) -> None:
    text, content = file.read_text(encoding="utf-8"), read_yaml(file)
    assert [
        each for each in re.findall(r"uses: (\S+)", text) if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", each)
    ] == []
    assert content["permissions"] == {"contents": "read"}
    for name, job in content["jobs"].items():
        assert "timeout-minutes" in job, name
        assert "permissions" not in job or "write-all" not in str(job["permissions"])
        for step in job["steps"]:  # what others write never becomes part of a command
            assert not re.search(r"\$\{\{(?! *github\.event\.number)", step.get("run", "")), (name, step)
    writes = {name for name, job in content["jobs"].items() if "write" in job.get("permissions", {}).values()}
    assert writes <= {"metrics", "retrain"}


def test_a_scheduled_run_retrains_on_exit_code_20_alone() -> None:
    jobs = read_yaml(ROOT / ".github/workflows/monitor.yml")["jobs"]
    assert jobs["retrain"]["if"] == "needs.monitor.outputs.code == '20'"
    script = next(step["run"] for step in jobs["monitor"]["steps"] if step.get("id") == "monitor")
    assert "case $code in 0|10|20) ;; *) exit" in script
    assert "deploy/schedule/monitor" in read_yaml(GITLAB)["monitor"]["script"]


@pytest.mark.parametrize("code", [0, 10, 20, 1])
def test_the_step_that_monitors_passes_its_exit_code_on(tmp_path: Path, code: int) -> None:
    jobs = read_yaml(ROOT / ".github/workflows/monitor.yml")["jobs"]
    script = next(step["run"] for step in jobs["monitor"]["steps"] if step.get("id") == "monitor")
    program = tmp_path / "fullcircle"
    program.write_text(f"#!/bin/sh\necho '2 alerts'\nexit {code}\n")
    program.chmod(0o755)
    variables = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script.replace(". .venv/bin/activate", "")],
        cwd=tmp_path,
        env=os.environ | variables | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (1 if code == 1 else 0)
    assert (tmp_path / "output").read_text() == f"code={code}\n"
    assert "2 alerts" in (tmp_path / "summary").read_text()


def test_both_ci_files_gate_and_compare_plots() -> None:
    for file in (ROOT / ".github/workflows/ci.yml", GITLAB):
        text = file.read_text(encoding="utf-8")
        assert "deploy/schedule/gate" in text
        assert "dvc plots diff" in text


@pytest.mark.parametrize(
    "file",
    [
        *WORKFLOWS,
        GITLAB,
        *sorted(COMPONENT.iterdir()),
        *sorted(SYSTEMD.iterdir()),
        *sorted((DEPLOY / "prometheus").iterdir()),
    ],
    ids=lambda file: file.name,
)
def test_no_file_holds_a_secret(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "hooks.slack.com" not in text
    assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", text)
    named = re.findall(r"^\s*(?:\w+_URL|\w+_KEY|\w+_TOKEN): (.+)$", text, re.MULTILINE)
    assert [value for value in named if not re.fullmatch(r"\$\{\{ (?:secrets\.\w+|github\.token) \}\}", value)] == []
