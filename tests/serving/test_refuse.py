"""What is not served: bundles that are damaged or not blessed, and settings that are wrong."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from model_signing.signing import Config

from fullcircle.base.errors import BundleError
from fullcircle.base.files import MANIFEST, seal
from fullcircle.scoring import bundle as module
from fullcircle.scoring.bundle import Bundle
from fullcircle.scoring.scorer import Scorer
from tests.serving.servers import PYTHON, refused, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAVY = ("pandas", "pyarrow", "sklearn", "xgboost", "scipy", "hydra", "dvc")


def test_five_hundred_flipped_bits_are_all_refused_before_anything_is_parsed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(folder, copy)
    files = sorted(file for file in copy.iterdir() if file.name != MANIFEST)
    generator = random.Random(0)  # noqa: S311

    def parsed(*_: object, **__: object) -> Any:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(module, "_read", parsed)
    monkeypatch.setattr(Scorer, "load", parsed)
    for _ in range(500):
        file = generator.choice(files)
        content = bytearray(file.read_bytes())
        at, bit = generator.randrange(len(content)), generator.randrange(8)
        content[at] ^= 1 << bit
        file.write_bytes(content)
        with pytest.raises(BundleError, match="is damaged, and nothing of it was loaded"):
            Bundle.load(copy)
        content[at] ^= 1 << bit
        file.write_bytes(content)


def test_a_damaged_bundle_is_not_served(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(folder, copy)
    with (copy / "model.onnx").open("r+b") as file:
        file.write(b"\0")
    assert "model.onnx: its SHA-256 is another" in refused(copy)
    assert "is no bundle" in refused(tmp_path)


def resealed(folder: Path, copy: Path, file: str, **changes: Any) -> Path:
    shutil.copytree(folder, copy)
    found = json.loads((copy / file).read_text())
    (copy / file).write_text(json.dumps(found | changes))
    seal(copy)
    return copy


@pytest.mark.parametrize("status", ["rejected", "draft", "unknown"])
def test_only_blessed_bundles_are_served(status: str, folder: Path, tmp_path: Path) -> None:
    copy = resealed(folder, tmp_path / "bundle", "verdict.json", status=status)
    said = refused(copy)
    assert f"the verdict of this bundle is {status}" in said
    assert "--allow-unblessed" in said
    with serving(copy, "--allow-unblessed") as server:
        for path in ("/v2", "/nothing", "/health/live"):
            assert server.get(path).headers["x-fullcircle-unblessed"] == status
        assert "SERVING A BUNDLE THAT IS NOT BLESSED" in server.stop()


def test_a_bundle_that_does_not_answer_its_stored_rows_as_it_did_is_not_served(folder: Path, tmp_path: Path) -> None:
    stored = json.loads((folder / "golden.json").read_text())
    assert len(stored["rows"]) == 8
    stored["predicted"][3][0] += 1e-4
    copy = resealed(folder, tmp_path / "bundle", "golden.json", predicted=stored["predicted"])
    assert "does not answer its 8 stored rows as it did" in refused(copy)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port: 70000", "port 70000 is outside 0..65535"),
        ("limits: {rows: 0}", "rows must be above 0"),
        ("prot: 1", "did you mean port"),
        ("{", "is no YAML"),
        ("workers: 0", "workers 0 must be 1 or more"),
    ],
)
def test_wrong_settings_are_named(text: str, words: str, folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "serving.yaml"
    config.write_text(text)
    assert words in refused(folder, "--config", str(config))
    assert "cannot be read" in refused(folder, "--config", str(tmp_path / "none.yaml"))


def test_a_port_that_is_taken_is_an_error(folder: Path) -> None:
    with serving(folder) as server:
        assert "ddress already in use" in refused(folder, "--port", str(server.port))


@pytest.mark.parametrize("by", [PYTHON, (sys.executable, "-m", "fullcircle.cli", "serve")], ids=["module", "command"])
def test_nothing_heavy_is_in_the_process(by: Sequence[str], folder: Path, tmp_path: Path) -> None:
    """No library of theirs is mapped into memory."""
    with serving(folder, "--state", str(tmp_path), by=by) as server:
        assert server.get("/metrics").status == server.get("/docs").status == 200
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        found = {name for line in maps.splitlines() for name in HEAVY if f"/{name}/" in line}
        assert "/onnxruntime/" in maps
        assert found == set()
        resident = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096
        assert resident < 150 * 2**20


def test_a_signed_bundle(folder: Path, tmp_path: Path) -> None:
    private, public = tmp_path / "key", tmp_path / "key.pub"
    openssl = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(private)]
    subprocess.run(openssl, check=True)
    subprocess.run(["openssl", "ec", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    signature = tmp_path / "bundle.sig"
    Config().use_elliptic_key_signer(private_key=private).sign(folder, signature)
    settings = tmp_path / "serving.yaml"
    settings.write_text(f"signature: {signature}\npublic_key: {public}\n")
    with serving(folder, "--config", str(settings)) as server:
        assert server.get("/health/ready").status == 200
    other = resealed(folder, tmp_path / "bundle", "dialect.json", delimiter=";")
    assert f"{other} is not what {signature} signs" in refused(other, "--config", str(settings))
    settings.write_text(f"signature: {signature}\n")
    assert "one of them is missing" in refused(folder, "--config", str(settings))
