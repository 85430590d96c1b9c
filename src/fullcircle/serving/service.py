"""The service: a bundle and its state of past events; tables of rows in, answers out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.checks import nulls
from ..base.errors import BundleError, FullCircleError, difference
from ..scoring.batch import Job
from ..scoring.predictions import BinaryCalibration
from .answers import Answer
from .batching import LARGEST, Batcher, joined, part
from .errors import NotFoundError, RowsError, TooLargeError
from .explain import Explainer
from .quality import Quality
from .tables import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.columns import Array, Columns
    from ..scoring.bundle import Bundle
    from ..scoring.scorer import Scored
    from .events import Events
    from .logged import PredictionLog
    from .metrics import Metrics
    from .settings import Settings
    from .tables import Options, Table

log = logging.getLogger("fullcircle")

ORDERS = 1000  # of columns that are remembered


class Service:
    """Answers from one bundle.

    `events`: its state of past events, None where no input depends on them. `card`: its model card.
    """

    def __init__(
        self, bundle: Bundle, settings: Settings, metrics: Metrics, events: Events | None = None, card: str = ""
    ) -> None:
        self.bundle, self.settings, self.metrics, self.events, self.card = bundle, settings, metrics, events, card
        self.job = Job.of(bundle, state=None if events is None else events.state)
        self.log: PredictionLog | None = None
        self.name = settings.model or bundle.about.problem
        self._known = {*self.job.ignored, *self.job.optional, *bundle.about.identity}
        self._fitting: set[tuple[str, ...]] = set()  # names of columns that were checked, in their orders
        self._with_state = [name for name in self.job.read if name not in self.job.optional]
        self.no_prediction = self.job.score({name: nulls(c, 0) for name, c in self.job.read.items()}).columns
        self._quality = Quality(bundle.reference, metrics)
        self._explainer = Explainer(bundle)
        self.explained_in = self._explainer.unit
        self._batcher = Batcher(self._score_tables)
        self.identity = {"problem": bundle.about.problem, "version": bundle.version, "id": bundle.id}
        calibration = bundle.scorer.spec.calibration
        self.decision = (
            {"positive": calibration.positive, "threshold": calibration.threshold}
            if isinstance(calibration, BinaryCalibration)
            else None
        )
        self._check_company()

    def check_golden(self) -> Array | None:
        """Score the bundle's stored rows; raises BundleError where an answer differs from the stored one."""
        golden = self.bundle.golden
        if golden is None:
            return None
        found = self.bundle.score([*golden.rows]).predicted
        wanted = np.array(golden.predicted, dtype=float)
        if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=1e-6, atol=1e-9):
            raise BundleError(f"bundle {self.bundle.id[:12]} does not answer its {len(wanted)} stored rows as it did")
        return found

    def _check_company(self) -> None:
        """Score requests one by one where a stored row is not answered, to the last bit, as it is in company."""
        golden, found = self.bundle.golden, self.check_golden()
        if golden is not None and found is not None:
            alone = np.concatenate([self.bundle.score([row]).predicted for row in golden.rows])
            self._batcher.together = bool((alone == found).all())

    async def answer(self, table: Table, options: Options) -> Answer:
        """Score the rows of a request. Raises RequestError for other columns and too many rows.

        Rows are set aside with their reasons, as `fullcircle score` does. Where all are, RowsError is raised.
        """
        begun = time.perf_counter()
        table = self._checked(table, options)
        if table.count <= LARGEST or not self._batcher.together:
            answer = await self._batcher(table)
        else:
            borders = range(0, table.count, LARGEST)
            parts = [await self._batcher(part(table, at, min(at + LARGEST, table.count))) for at in borders]
            answer = _together(parts)
        self._finish(table, answer, begun)
        if options.explain:
            answer.contributions = []
            for found in self._explainer.explain(self._columns_of(table, answer)):
                answer.contributions.append(found)
                await asyncio.sleep(0)  # other requests have their turn
        return answer

    def answer_alone(self, table: Table, options: Options) -> Answer:
        """The same without a loop, where nothing else is in flight."""
        begun = time.perf_counter()
        table = self._checked(table, options)
        (answer,) = self._score_tables([table])
        if isinstance(answer, Exception):
            raise answer
        self._finish(table, answer, begun)
        if options.explain:
            answer.contributions = [*self._explainer.explain(self._columns_of(table, answer))]
        return answer

    def _finish(self, table: Table, answer: Answer, begun: float) -> None:
        if self.log is not None:
            self.log.note(table, answer, time.perf_counter() - begun)
        answer.check_some()
        if self.events is not None and self.settings.state.stale_hours:
            answer.stale = self.events.stale(self._of_kept(table, answer))
        self.metrics.rows("scored", len(answer.kept))
        self.metrics.rows("set_aside", len(answer.aside))

    def check_count(self, rows: int) -> None:
        """Raises RowsError for no rows, TooLargeError for more than the limit."""
        if not rows:
            raise RowsError("there are no rows")
        if rows > self.settings.limits.rows:
            raise TooLargeError(f"{rows:,} rows are more than {self.settings.limits.rows:,}: send fewer at once")

    def _checked(self, table: Table, options: Options) -> Table:
        self.check_count(table.count)
        if (*table.columns,) in self._fitting:
            return table
        by_caller = all(name in table.columns for name in self.job.optional)
        required = self.bundle.scorer.plan.inputs if by_caller else self._with_state
        given = [name for name in table.columns if name in required or name not in self._known]
        if options.ignore_extra:
            given = [name for name in given if name in self.job.read]
        if differs := difference(required, given):
            extra = any(name not in self.job.read for name in given)
            advice = "\nColumns that the model does not take are ignored with ignore_extra." if extra else ""
            raise RowsError(f"these are not the columns that the model takes\n  {differs}{advice}")
        if options.ignore_extra:
            known = {name: v for name, v in table.columns.items() if name in self.job.read or name in self._known}
            return replace(table, columns=known)
        if len(self._fitting) < ORDERS:
            self._fitting.add((*table.columns,))
        return table

    def _read(self, columns: dict[str, list[Any]], count: int, aside: dict[int, str]) -> tuple[Columns, Array]:
        """Values as columns, of the rows that can be read, and the positions of those; why others cannot: `aside`."""
        read = read_columns(columns, self.job.read, aside)
        if not aside:
            return read, np.arange(count)
        readable = np.array([at not in aside for at in range(count)])
        return {name: values[readable] for name, values in read.items()}, np.flatnonzero(readable)

    def _score_tables(self, tables: Sequence[Table]) -> list[Answer | Exception]:
        try:
            return self._score(tables)
        except FullCircleError as error:
            if len(tables) == 1:
                return [error]
            return [found for table in tables for found in self._score_tables([table])]  # which of them is at fault
        except Exception as error:  # one request must not take others with it
            return [error] * len(tables)

    def _score(self, tables: Sequence[Table]) -> list[Answer | Exception]:
        """Score tables together; what each of them gets."""
        columns, count = joined(tables), sum(table.count for table in tables)
        aside: dict[int, str] = {}
        first = 0
        for table in tables:
            aside |= {first + at: why for at, why in table.aside.items()}
            first += table.count
        read, readable = self._read(columns, count, aside)
        scored = self.bundle.score(read, None if self.events is None else self.events.current())
        self.metrics.batch(count)
        self._quality.note(read)
        kept = readable[scored.kept]
        if len(scored.reasons):
            lost = np.setdiff1d(np.arange(len(readable)), scored.kept)
            aside |= dict(zip(readable[lost].tolist(), scored.reasons, strict=True))
        self.metrics.reasons(Counter(aside.values()))
        return [*self._divided(tables, columns, kept.tolist(), scored, aside)]

    def _divided(
        self,
        tables: Sequence[Table],
        columns: dict[str, list[Any]],
        kept: list[int],
        scored: Scored,
        aside: dict[int, str],
    ) -> list[Answer]:
        """The answer of each table."""
        words = {name: values.tolist() for name, values in scored.columns.items()}
        identity = {name: [columns[name][at] for at in kept] for name in self.bundle.about.identity if name in columns}
        if len(tables) == 1:
            parts = [(scored.inputs, scored.columns, 0, len(kept))]
            return [Answer(tables[0].count, kept, identity, words, aside, parts=parts)]
        made, first, begin = [], 0, 0
        for table in tables:
            last = first + table.count
            end = begin
            while end < len(kept) and kept[end] < last:
                end += 1
            made.append(
                Answer(
                    table.count,
                    [at - first for at in kept[begin:end]],
                    {name: values[begin:end] for name, values in identity.items()},
                    {name: values[begin:end] for name, values in words.items()},
                    {at - first: aside[at] for at in aside if first <= at < last} if aside else {},
                    parts=[(scored.inputs, scored.columns, begin, end)],
                )
            )
            first, begin = last, end
        return made

    def _columns_of(self, table: Table, answer: Answer) -> Columns:
        """The inputs of the rows that were scored, point-in-time columns included."""
        read = self._of_kept(table, answer)
        if self.events is None:
            return {name: read[name] for name in self.bundle.scorer.plan.inputs}
        return self.events.completed(self.bundle.scorer, read)

    def _of_kept(self, table: Table, answer: Answer) -> Columns:
        """What was sent of the rows that were scored."""
        columns = {name: [values[at] for at in answer.kept] for name, values in table.columns.items()}
        return self._read(columns, len(answer.kept), {})[0]

    def check_log(self) -> PredictionLog:
        """The prediction log. Raises NotFoundError where the service keeps none."""
        if self.log is None:
            raise NotFoundError("this service keeps no prediction log: set predictions.url in conf/serving.yaml")
        return self.log

    def check_state(self) -> Events:
        """The state of past events. Raises NotFoundError where the bundle has none."""
        if self.events is None:
            raise NotFoundError(f"no input of problem {self.bundle.about.problem} depends on past events")
        return self.events


def _together(parts: Sequence[Answer]) -> Answer:
    """The answer of a table whose parts were scored one after the other."""
    kept, aside, first = list[int](), dict[int, str](), 0
    for each in parts:
        kept += [first + at for at in each.kept]
        aside |= {first + at: why for at, why in each.aside.items()}
        first += each.rows
    return Answer(
        first,
        kept,
        {name: [value for each in parts for value in each.identity[name]] for name in parts[0].identity},
        {name: [value for each in parts for value in each.columns[name]] for name in parts[0].columns},
        aside,
        parts=[part for each in parts for part in each.parts],
    )


def check_blessed(bundle: Bundle, allow_unblessed: bool) -> list[tuple[bytes, bytes]]:
    """Refuse a bundle that is not blessed; where that is allowed, return the header that says so in every answer."""
    status = bundle.verdict.status
    if status == "blessed":
        return []
    failed = [gate.metric for gate in bundle.verdict.gates if gate.status == "failed"]
    why = f" (failed: {', '.join(failed)})" if failed else ""
    if not allow_unblessed:
        raise BundleError(
            f"the verdict of this bundle is {status}{why}, and only blessed ones are served; --allow-unblessed serves "
            "it, and says so in every answer"
        )
    log.warning("SERVING A BUNDLE THAT IS NOT BLESSED: its verdict is %s%s", status, why)
    return [(b"x-fullcircle-unblessed", status.encode())]
