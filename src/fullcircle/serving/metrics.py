"""What the service counts, as Prometheus reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from .settings import SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..scoring.bundle import Bundle

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
REASONS = 200  # distinct reasons that are counted by name; what comes after them is counted as "other"


class Metrics:
    """Counters and histograms of one worker; `text` gives those of all."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._bundle = Gauge(
            "fullcircle_bundle",
            "The bundle that answers.",
            ["problem", "version", "id", "verdict"],
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        self._reloads = Counter(
            "fullcircle_reloads", "Bundles that took the place of another: taken or refused.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "fullcircle_request_seconds",
            "Time to answer a request, by route and status.",
            ["route", "status"],
            registry=self.registry,
            buckets=SECONDS,
        )
        self._in_flight = Gauge(
            "fullcircle_requests_in_flight",
            "Requests that are being answered.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._rows = Counter("fullcircle_rows", "Rows, by what became of them.", ["outcome"], registry=self.registry)
        self._reasons = Counter(
            "fullcircle_rows_set_aside", "Rows set aside, by reason.", ["reason"], registry=self.registry
        )
        self._batch = Histogram(
            "fullcircle_batch_rows", "Rows that were scored in one call.", registry=self.registry, buckets=ROWS
        )
        self._null = Counter("fullcircle_input_null", "Nulls, by input.", ["column"], registry=self.registry)
        self._outside = Counter(
            "fullcircle_input_outside",
            "Values outside what was seen in training, by input.",
            ["column"],
            registry=self.registry,
        )
        self._events = Counter(
            "fullcircle_events", "Events and observations, by table and outcome.", ["table", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._state_rows = Gauge(
            "fullcircle_state_rows", "Rows of the state of past events, by table.", ["table"],
            registry=self.registry, multiprocess_mode="max",
        )  # fmt: skip
        self._logged = Counter(
            "fullcircle_log_rows", "Rows of the prediction log: written or dropped.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._outcomes = Counter(
            "fullcircle_outcomes", "Outcomes that arrived: added, unknown, duplicate, ...", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        # A counter that begins at 0 shows its first increase; one that appears with 1 does not.
        for counter, outcomes in (
            (self._reloads, ("taken", "refused")),
            (self._rows, ("scored", "set_aside")),
            (self._logged, ("written", "dropped")),
        ):
            for outcome in outcomes:
                counter.labels(outcome)
        self._of_route: dict[tuple[str, int], Histogram] = {}
        self._of_reason: set[str] = set()

    def bundle(self, bundle: Bundle, before: Bundle | None = None) -> None:
        """Note the bundle that answers, and the one that does no longer."""
        for value, each in ((0, before), (1, bundle)):
            if each is not None:
                self._bundle.labels(each.about.problem, each.version, each.id, each.verdict.status).set(value)

    def reload(self, outcome: str) -> None:
        """Note another bundle in the folder: `taken` or `refused`."""
        self._reloads.labels(outcome).inc()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Note a request that was answered."""
        found = self._of_route.get((route, status))
        if found is None:
            found = self._of_route[route, status] = self._seconds.labels(route, status)
        found.observe(seconds)

    def in_flight(self, change: int) -> None:
        """Note that a request came, or was answered."""
        self._in_flight.inc(change)

    def rows(self, outcome: str, count: int) -> None:
        """Note rows that were `scored` or `set_aside`."""
        if count:
            self._rows.labels(outcome).inc(count)

    def reasons(self, counts: Mapping[str, int]) -> None:
        """Note why rows were set aside."""
        for reason, count in counts.items():
            known = reason in self._of_reason or len(self._of_reason) < REASONS
            name = reason if known else "other"
            self._of_reason.add(name)
            self._reasons.labels(name).inc(count)

    def batch(self, rows: int) -> None:
        """Note one call of the scorer."""
        self._batch.observe(rows)

    def nulls(self, column: str, count: int) -> None:
        """Note nulls of an input."""
        self._null.labels(column).inc(count)

    def outside(self, column: str, count: int) -> None:
        """Note values of an input outside what was seen in training."""
        self._outside.labels(column).inc(count)

    def events(self, table: str, outcome: str, count: int) -> None:
        """Note events that were `added` or `set_aside`."""
        if count:
            self._events.labels(table, outcome).inc(count)

    def logged(self, what: str, count: int) -> None:
        """Note rows of the prediction log that were `written` or `dropped`."""
        if count:
            self._logged.labels(what).inc(count)

    def outcomes(self, what: str, count: int) -> None:
        """Note outcomes that arrived: added, unknown, duplicate, conflicting or set_aside."""
        if count:
            self._outcomes.labels(what).inc(count)

    def state(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Note what the state of past events holds."""
        for table, found in tables.items():
            self._state_rows.labels(table).set(found["rows"])

    def text(self) -> bytes:
        """The text that Prometheus reads, of all workers."""
        if SHARED not in os.environ:
            return bytes(generate_latest(self.registry))
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(shared))
