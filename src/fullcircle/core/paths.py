"""Every path of the repository. All are relative to its root, where DVC runs the stages."""

from pathlib import Path

CONF = Path("conf")
PARAMS = Path("params.yaml")
DVC_YAML, DVC_LOCK = Path("dvc.yaml"), Path("dvc.lock")

RAW = Path("data/raw")
RAW_MANIFEST = RAW / "manifest.json"
KEPT = Path("data/clean/kept.parquet")
REJECTED = Path("data/clean/rejected.parquet")
REFERENCE = Path("data/reference")
SCHEMA = REFERENCE / "schema.json"
STATE_SPEC = REFERENCE / "state.json"
LABELLED = Path("data/labelled/labelled.parquet")
TRAIN = Path("data/split/train.parquet")
VALIDATION = Path("data/split/validation.parquet")
TEST = Path("data/split/test.parquet")
TRAIN_FEATURES = Path("data/features/train.parquet")
VALIDATION_FEATURES = Path("data/features/validation.parquet")

FEATURES = Path("models/features")
SCORER = Path("models/scorer")
BUNDLE = Path("dist/bundle")
WHEEL = Path("dist/wheel")
BASELINE = Path("dist/reference")

METRICS = Path("metrics")
TRAIN_METRICS = METRICS / "train.json"
TEST_METRICS = METRICS / "test.json"
SWEEP_METRICS = METRICS / "sweep.json"

REPORTS = Path("reports")
CLEAN_REPORT = REPORTS / "clean.json"
LABEL_REPORT = REPORTS / "label.json"
SPLIT_REPORT = REPORTS / "split.json"
FEATURES_REPORT = REPORTS / "features.json"
VERDICT = REPORTS / "verdict.json"
PAGE = REPORTS / "index.html"
SWEEPS = REPORTS / "sweeps"
EXPLORE = REPORTS / "explore.html"

ON_TRAIN = REPORTS / "train"
TRAIN_REPORT = ON_TRAIN / "report.json"
BASELINES = ON_TRAIN / "baselines.json"
CURVE = ON_TRAIN / "curve"
IMPORTANCE = ON_TRAIN / "importance.csv"

ON_TEST = REPORTS / "test"
TEST_REPORT = ON_TEST / "report.json"
ROC = ON_TEST / "roc.csv"
PRECISION_RECALL = ON_TEST / "precision_recall.csv"
CALIBRATION = ON_TEST / "calibration.csv"
CONFUSION = ON_TEST / "confusion.csv"
RESIDUALS = ON_TEST / "residuals.csv"


def reference(table: str) -> Path:
    """Where `clean` writes a lookup table."""
    return REFERENCE / f"{table}.parquet"


def raw(table: str) -> Path:
    """Where `ingest` writes a table as it was read."""
    return RAW / f"{table}.parquet"


def raw_parts(table: str) -> Path:
    """Where `ingest` writes the snapshots of a table in mode append, one Parquet part per snapshot."""
    return RAW / table
