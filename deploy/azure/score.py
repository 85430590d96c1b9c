"""What azureml-inference-server-http hosts: the bundle under AZUREML_MODEL_DIR, answered by the model's wheel.

Set SCORER to the module of the wheel, PROBLEM_scorer. The container of deploy/container/ needs no such file: name its
/health/live, /health/ready and /predict in the `inference_config` of the environment.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

hosted: Any = None


def init() -> None:
    """Verify the bundle and load it."""
    global hosted
    module = os.environ.get("SCORER", "flights_scorer")
    folder = import_module(f"{module}.serving.settings").find_bundle(None, None)
    hosted = import_module(f"{module}.serving.hosted").Hosted(Path(folder))


def run(raw_data: str) -> Any:
    """Answer a JSON body; a request that is wrong gets its status and its reason."""
    from azureml_inference_server_http.api.aml_response import AMLResponse

    status, body = hosted.answer(raw_data.encode())
    return AMLResponse(json.dumps(body), status, json_str=False)
