"""Alerts and the last monitored window as metrics of the service, read from the log's database now and then."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

    from ..log.shown import Shown

log = logging.getLogger("fullcircle")


class MonitoringGauges:
    """What monitoring has found. Every worker sets the same values, and the one that was set last is shown.

    A value that is not known is NaN, for workers cannot take back a label that another one set.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(name, about, labels, registry=registry, multiprocess_mode="mostrecent")

        self._alert = gauge("fullcircle_alert", "1 while an alert of monitoring is on.", "kind", "level")
        self._metric = gauge(
            "fullcircle_window_metric", "Metrics of the last window whose outcomes are known.", "metric"
        )
        self._drifted = gauge("fullcircle_window_drifted_columns", "Columns that drifted in the last window.")
        self._no_outcomes = gauge(
            "fullcircle_no_outcomes_since_timestamp_seconds",
            "Begin of the last window with outcomes, or of the first window where none has any.",
        )
        self._until = gauge(
            "fullcircle_monitored_until_timestamp_seconds",
            "Windows that ended by then were monitored, in seconds since 1970; 0: monitoring has never run.",
        )
        self._failures = Counter(
            "fullcircle_monitoring_read_failures",
            "Readings of alerts that the log's database did not answer.",
            registry=registry,
        )
        self._metrics: set[str] = set()

    def show(self, found: Shown) -> None:
        """Set all values."""
        for kind, level in found.known:
            self._alert.labels(kind, level).set((kind, level) in found.on)
        self._metrics |= found.metrics.keys()
        for name in self._metrics:
            self._metric.labels(name).set(found.metrics.get(name, math.nan))
        self._drifted.set(math.nan if found.drifted is None else found.drifted)
        self._no_outcomes.set(found.no_outcomes_since or math.nan)
        self._until.set(found.until)

    def failed(self) -> None:
        """Count a reading that was not answered; the last values stay."""
        self._failures.inc()


class MonitoringReader:
    """Reads what monitoring has found, every `seconds`, in threads of its own: no answer waits for it.

    `read`: given what it returned before. A reading that takes longer than `seconds` is counted as failed once per
    `seconds`, and no other begins until it ends.
    """

    def __init__(self, read: Callable[[Shown], Shown], start: Shown, gauges: MonitoringGauges, seconds: float) -> None:
        self._read, self._last, self._gauges, self._seconds = read, start, gauges, seconds
        self._stopped = threading.Event()
        self._failures = 0  # in a row
        self._reading: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name="monitoring-reader", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more; does not wait for a reading."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._reading is None or not self._reading.is_alive():
                self._reading = threading.Thread(target=self._once, name="monitoring-reading", daemon=True)
                self._reading.start()
            self._reading.join(self._seconds)
            if self._reading.is_alive():
                self._fail(f"no answer within {self._seconds:g} s")
            else:
                self._stopped.wait(self._seconds)

    def _once(self) -> None:
        try:
            self._last = self._read(self._last)
        except Exception as error:  # the database's, or a report of another version
            self._fail(f"{type(error).__name__}: {str(getattr(error, 'orig', None) or error).partition(chr(10))[0]}")
            return
        if self._failures:
            log.warning("alerts are read again, after %d attempts", self._failures)
        self._failures = 0
        self._gauges.show(self._last)

    def _fail(self, reason: str) -> None:
        self._gauges.failed()
        self._failures += 1
        if self._failures == 1:
            log.warning("alerts cannot be read for /metrics, which keeps the last ones: %s", reason)
