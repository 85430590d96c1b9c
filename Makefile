# The commands of daily work. They run in the locked environment (uv.lock), which the first one installs.
UV_VERSION := 0.13.9
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --no-sync

.DEFAULT_GOAL := help
.PHONY: help install develop repro serve monitor explore sweep show plots test test-page test-contracts fuzz sbom lint bench bench-peer bench-serving bench-monitor replay lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

install: $(if $(findstring .uv/,$(UV)),.uv/bin/uv)  ## install the locked environment in .venv
	@$(UV) sync --locked --quiet --inexact --no-dev

develop: $(if $(findstring .uv/,$(UV)),.uv/bin/uv)  ## the same, with tools for tests and checks
	@$(UV) sync --locked --quiet

sweep: install  ## search for parameters; every trial is a DVC experiment (conf/sweep/)
	$(RUN) fullcircle sweep

repro: install  ## run the pipeline; stages that have not changed are skipped
	$(RUN) dvc repro

serve: install  ## serve dist/bundle on http://127.0.0.1:8080: predictions, a page, /docs
	@$(RUN) fullcircle serve $(ARGS)

monitor: install  ## report the windows that have ended, and raise alerts; exit code 10: warn, 20: retrain
	@$(RUN) fullcircle monitor $(ARGS)

explore: install  ## reports/explore.html: distributions, nulls and associations of the training rows
	$(RUN) fullcircle explore

show: install  ## a table of experiments: metrics, and the parameters in which they differ
	$(RUN) fullcircle show

plots: install  ## reports/dvc_plots/index.html (dvc plots show); it loads Vega from the internet, reports/index.html nothing
	$(RUN) dvc plots show --out reports/dvc_plots

# Two at a time, those of a file together (tests/conftest.py).
test: develop  ## all tests
	$(RUN) pytest -n 2

test-page: develop  ## the service's page in the Chromium that is installed (Debian: apt-get install chromium)
	@$(UV) sync --locked --quiet --inexact --group browser
	$(RUN) pytest tests/serving/test_page.py

CONTRACTS ?= .contracts
test-contracts: develop  ## KServe's client, MLflow's and Azure ML's servers, each in an environment of its own in .contracts
	@for name in kserve mlflow azure; do \
	  test -x $(CONTRACTS)/$$name/bin/python || $(UV) venv --quiet --python 3.11 $(CONTRACTS)/$$name; done
	@$(UV) pip install --quiet --python $(CONTRACTS)/kserve/bin/python "kserve>=0.15"
	@$(UV) pip install --quiet --python $(CONTRACTS)/mlflow/bin/python "mlflow>=3.17,<4" "onnxruntime>=1.20" "starlette>=1.0,<2" "prometheus-client>=0.23"
	@$(UV) pip install --quiet --python $(CONTRACTS)/azure/bin/python "azureml-inference-server-http>=1.4" "onnxruntime>=1.20" "starlette>=1.0,<2" "prometheus-client>=0.23"
	FULLCIRCLE_CONTRACTS=$(CONTRACTS) $(RUN) pytest tests/serving/test_contracts.py

sbom: repro  ## dist/sbom.json: what the container of the service holds (CycloneDX)
	$(UV) tool run --quiet --from "cyclonedx-bom>=7,<8" cyclonedx-py requirements deploy/container/requirements.txt -o dist/sbom.json

FUZZ ?= 100000
fuzz: repro develop  ## so many wrong requests to the service of dist/bundle, for 15 minutes at most
	$(RUN) python -m tests.serving.fuzzing --count $(FUZZ)

lint: develop  ## ruff, strict mypy, and bandit for what travels in the wheel
	$(RUN) bandit -q -ll -r $(addprefix src/fullcircle/,base pointintime features scoring log serving)
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

bench: develop  ## print the figures of the README, as ratios measured in one run
	$(RUN) python -m benchmarks

PEER ?= benchmarks/peer/.venv
bench-peer: develop  ## compare the default model with AutoGluon on 35 tables: two hours, and 6 GB for AutoGluon
	@test -x $(PEER)/bin/python || $(UV) venv --quiet --python 3.11 $(PEER)
	@$(UV) pip install --quiet --python $(PEER)/bin/python --requirements benchmarks/peer/requirements.txt
	$(RUN) python -m benchmarks.peer --environment $(PEER)

SERVING ?= benchmarks/serving_peers
bench-serving: repro develop  ## compare the service with BentoML and MLflow, each in an environment of its own; needs wrk
	@for name in bentoml mlflow; do \
	  test -x $(SERVING)/.$$name/bin/python || $(UV) venv --quiet --python 3.11 $(SERVING)/.$$name; \
	  $(UV) pip install --quiet --python $(SERVING)/.$$name/bin/python --requirements $(SERVING)/requirements-$$name.txt; done
	$(RUN) python -m benchmarks.serving --bentoml $(SERVING)/.bentoml/bin/python --mlflow $(SERVING)/.mlflow/bin/python

MONITOR ?= benchmarks/monitoring_peers/.nannyml
bench-monitor: repro develop  ## compare estimated accuracy with NannyML's, in an environment of its own: about 10 minutes
	@test -x $(MONITOR)/bin/python || $(UV) venv --quiet --python 3.11 $(MONITOR)
	@$(UV) pip install --quiet --python $(MONITOR)/bin/python --requirements benchmarks/monitoring_peers/requirements.txt
	$(RUN) python -m benchmarks.monitoring --nannyml $(MONITOR)/bin/python

replay: repro develop  ## the year 2013 day by day, under three policies of retraining: docs/replay.md; 20 minutes
	$(RUN) python -m benchmarks.replay

clean:  ## remove what runs make and git does not keep: data, models, dist, reports of explore; not DVC's cache, not .venv
	rm -rf data/raw data/clean data/reference data/labelled data/split data/features models dist
	rm -rf reports/dvc_plots reports/explore.html outputs .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(if $(findstring .uv/,$(UV)),.uv/bin/uv)  ## solve the dependencies again
	$(UV) lock
	$(UV) export --locked --no-dev --extra postgresql --no-emit-project --no-hashes --quiet | $(UV) pip compile --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --quiet --constraint - --output-file deploy/container/requirements.txt \
	  deploy/container/requirements.in > /dev/null
