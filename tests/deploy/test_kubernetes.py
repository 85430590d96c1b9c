"""The manifests: what a cluster would reject or not select, and what a container may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.files import BASE, DEPLOY, KSERVE, container, output, read_yaml, tool

if TYPE_CHECKING:
    from pathlib import Path

KUBERNETES = DEPLOY / "kubernetes"
NAME = {"app.kubernetes.io/name": "model"}


def rendered(folder: Path) -> dict[str, Any]:
    """Kind -> object, as `kubectl kustomize` prints them."""
    return {each["kind"]: each for each in yaml.safe_load_all(output(tool("kubectl"), "kustomize", folder))}


def selectors(objects: dict[str, Any]) -> dict[str, Any]:
    """Kind -> the labels by which it selects the pods, or their Service."""
    pods = objects["Deployment"]["spec"]["template"]["spec"]
    return {
        "Deployment": objects["Deployment"]["spec"]["selector"]["matchLabels"],
        "Service": objects["Service"]["spec"]["selector"],
        "PodDisruptionBudget": objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        "topology": pods["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    }


def base() -> dict[str, Any]:
    return {each["kind"]: each for file in sorted(BASE.glob("*.yaml")) if "kind" in (each := read_yaml(file))}


def test_the_base_lists_all_its_files() -> None:
    listed = read_yaml(BASE / "kustomization.yaml")
    files = [*listed["resources"], *listed["configMapGenerator"][0]["files"], "kustomization.yaml"]
    assert sorted(files) == sorted(file.name for file in BASE.iterdir())


def test_all_selectors_find_the_pods() -> None:
    assert set(map(str, selectors(base()).values())) == {str(NAME)}


def test_an_overlay_keeps_its_pods_from_those_of_another() -> None:
    objects = rendered(KUBERNETES / "example")
    labels = NAME | {"app.kubernetes.io/instance": "flights"}
    found = selectors(objects) | {"ServiceMonitor": objects["ServiceMonitor"]["spec"]["selector"]["matchLabels"]}
    assert [kind for kind, selector in found.items() if selector != labels] == []
    assert objects["Deployment"]["spec"]["template"]["metadata"]["labels"] == labels


def test_an_overlay_renames_what_is_referred_to() -> None:
    objects = rendered(KUBERNETES / "example")
    pods = objects["Deployment"]["spec"]["template"]["spec"]
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "flights-model"
    assert pods["serviceAccountName"] == objects["ServiceAccount"]["metadata"]["name"]
    assert pods["volumes"][0]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]


@pytest.mark.parametrize("version", ["1.31.0", "1.35.0"])
def test_the_manifests_fit_their_schemas(version: str, tmp_path: Path) -> None:
    validate = tool("kubernetes-validate")
    file = tmp_path / "base.yaml"
    file.write_text(output(tool("kubectl"), "kustomize", BASE), encoding="utf-8")
    output(validate, "--strict", "-k", version, file)


def test_a_wrong_field_does_not_fit(tmp_path: Path) -> None:
    validate = tool("kubernetes-validate")
    service = read_yaml(BASE / "service.yaml")
    service["spec"]["prots"] = service["spec"].pop("ports")
    file = tmp_path / "service.json"
    file.write_text(json.dumps(service), encoding="utf-8")
    with pytest.raises(AssertionError, match="prots"):
        output(validate, "--strict", "-k", "1.31.0", file)


@pytest.mark.parametrize("file", [BASE / "deployment.yaml", KSERVE], ids=lambda file: file.stem)
def test_the_container_may_do_little(file: Path) -> None:
    workload = read_yaml(file)
    pods = workload["spec"].get("template", {}).get("spec", {})
    context = pods.get("securityContext", {}) | container(workload)["securityContext"]
    assert context.pop("runAsUser") > 0
    assert {name: value for name, value in context.items() if name not in ("runAsGroup", "fsGroup")} == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("file", [BASE / "deployment.yaml", KSERVE], ids=lambda file: file.stem)
def test_tmp_can_be_written(file: Path) -> None:
    workload = read_yaml(file)
    pods = workload["spec"].get("template", {}).get("spec") or workload["spec"]["predictor"]
    volumes = {volume["name"] for volume in pods["volumes"] if "emptyDir" in volume}
    writable = {mount["mountPath"] for mount in container(workload)["volumeMounts"] if mount["name"] in volumes}
    assert writable == {"/tmp"}  # noqa: S108  the path in the container


def test_the_account_has_no_token() -> None:
    objects = base()
    assert objects["ServiceAccount"]["automountServiceAccountToken"] is False
    assert objects["Deployment"]["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_nothing_goes_out() -> None:
    policy = base()["NetworkPolicy"]["spec"]
    assert "Egress" in policy["policyTypes"]
    assert policy["egress"] == []


def test_an_eviction_leaves_a_pod() -> None:
    objects = base()
    budget, scaler = objects["PodDisruptionBudget"]["spec"], objects["HorizontalPodAutoscaler"]["spec"]
    assert budget["maxUnavailable"] < scaler["minReplicas"] <= scaler["maxReplicas"]
    assert "replicas" not in objects["Deployment"]["spec"]
