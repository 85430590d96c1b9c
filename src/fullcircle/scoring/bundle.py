"""The bundle: the folder that is deployed, as one object. Its checksums are verified before anything is parsed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..base.arrays import check_lengths
from ..base.dialect import Dialect
from ..base.errors import BundleError, ConfigError
from ..base.files import read_json, verify
from ..base.typed import build
from ..pointintime.spec import StateSpec
from ..pointintime.state import State
from .known import score_with_state
from .reference import Reference
from .rows import are_arrays, to_columns
from .scorer import Scored, Scorer
from .verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from ..base.columns import Columns

FORMAT = 1
ABOUT, VERDICT, REFERENCE, PROVENANCE = "bundle.json", "verdict.json", "reference.json", "provenance.json"
DIALECT, STATE, GOLDEN, CARD = "dialect.json", "state.json", "golden.json", "CARD.md"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """What a bundle answers. `row`: columns that tell one row from another; `records`: columns that identify it.

    `outcomes`: columns that become known only after the prediction.
    """

    format: int
    version: str
    problem: str
    question: str
    task: str
    target: str
    row: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"it is of format {self.format}, and this version reads format {FORMAT}")

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that come out beside a prediction, so that it can be joined with its outcome."""
        return tuple(dict.fromkeys([*self.row, *self.records]))


@dataclass(frozen=True, slots=True)
class Origin:
    """A raw table that was learnt from: where it came from, its rows, and the SHA-256 of its Parquet file."""

    origin: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a bundle comes from. `code`: SHA-256 of the code that scores; `commit`: of git, None until registered.

    `parameters`: the sections of params.yaml that made the model. No time and no place: equal runs are equal.
    """

    data: dict[str, Origin]
    parameters: dict[str, Any]
    libraries: dict[str, str]
    code: str = ""
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class Golden:
    """Some rows as JSON values by column, and what the scorer predicted of them, (rows, outputs).

    Who serves a bundle checks that it still answers so, and shows the first row as an example.
    """

    rows: tuple[dict[str, Any], ...]
    predicted: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model that can be deployed. `id`: SHA-256 of its manifest, and so of every byte of it.

    `state`: what a state of past events must know; None where no input depends on past events. `golden`: stored rows
    with their answers; None in a bundle that was made without them.
    """

    id: str
    about: About
    scorer: Scorer
    verdict: Verdict
    reference: Reference
    provenance: Provenance
    dialect: Dialect = field(default_factory=Dialect)
    state: StateSpec | None = None
    golden: Golden | None = None

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Verify a folder and read it. Raises BundleError; where a checksum differs nothing was parsed."""
        name = verify(folder)
        return cls(
            id=name,
            about=_read(About, folder / ABOUT),
            scorer=Scorer.load(folder),
            verdict=_read(Verdict, folder / VERDICT),
            reference=_read(Reference, folder / REFERENCE),
            provenance=_read(Provenance, folder / PROVENANCE),
            dialect=_read(Dialect, folder / DIALECT),
            state=_read(StateSpec, folder / STATE) if (folder / STATE).is_file() else None,
            golden=_read(Golden, folder / GOLDEN) if (folder / GOLDEN).is_file() else None,
        )

    @property
    def version(self) -> str:
        """The version of the model."""
        return self.about.version

    def new_state(self, *, forget: bool = True) -> State:
        """An empty state of past events. Raises BundleError where no input depends on them."""
        if self.state is None:
            raise BundleError(f"no input of problem {self.about.problem} depends on past events: it needs no state")
        return State(self.state, forget=forget)

    def columns(self, rows: Any, state: State | None = None) -> Columns:
        """Rows as columns: of a DataFrame, a dict of lists or NumPy arrays, or a list of dicts.

        `scoring.rows.to_columns` says how values are read. Raises DataError for those that cannot be read.
        """
        return to_columns(rows, self.scorer.plan.inputs | (state.spec.event_columns if state else {}))

    def score(self, rows: Any, state: State | None = None) -> Scored:
        """Check and score rows; those that fail a check are set aside with their reasons.

        `rows`: the inputs, and any columns that identify a row, as `columns` takes them. With a `state` the
        point-in-time inputs need not be given. The columns that identify a row come back in `Scored.record`. Raises
        DataError for other columns, different lengths and values of other types.
        """
        columns: Columns = rows if are_arrays(rows) else self.columns(rows, state)
        check_lengths(columns)
        scored = self.scorer.score(columns) if state is None else score_with_state(self.scorer, columns, state)
        record = {name: columns[name][scored.kept] for name in self.about.identity if name in columns}
        return replace(scored, record=record)


def _read(kind: type[T], file: Path) -> T:
    try:
        return build(kind, read_json(file), str(file))
    except ConfigError as error:
        raise BundleError(str(error)) from None
    except RecursionError:
        raise BundleError(f"{file} cannot be read: lists in lists, too deep") from None
