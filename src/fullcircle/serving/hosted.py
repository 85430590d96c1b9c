"""The service's answers without its server, for hosts that bring their own: Azure ML's and MLflow's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import FullCircleError
from ..scoring.bundle import Bundle
from .errors import status_of
from .metrics import Metrics
from .service import Service, check_blessed
from .settings import Settings
from .tables import Options, loads, of_json

if TYPE_CHECKING:
    from pathlib import Path

    from .tables import Table


class Hosted:
    """Answers from the bundle in a folder, one call at a time. Rows bring their point-in-time columns.

    Raises BundleError for a bundle that does not verify or, without `allow_unblessed`, is not blessed.
    """

    def __init__(self, folder: Path, *, allow_unblessed: bool = False) -> None:
        bundle = Bundle.load(folder)
        check_blessed(bundle, allow_unblessed)
        self._service = Service(bundle, Settings(allow_unblessed=allow_unblessed), Metrics())

    def answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the body of the answer to a JSON body, as `/invocations` gives them."""
        try:
            table, options = of_json(loads(body))
            answer = self._service.answer_alone(table, options)
        except FullCircleError as error:
            return status_of(error), {"error": str(error)}
        return 200, {"predictions": answer.aligned()}

    def predictions(self, table: Table) -> list[dict[str, Any]]:
        """One record per row: its prediction, or {"error": reasons}. Raises RequestError where none can be scored."""
        return self._service.answer_alone(table, Options()).aligned()
