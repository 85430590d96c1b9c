# The repository with its environment and the model that is served, to run `fullcircle monitor` on a schedule.
# Build from the repository root, after `dvc repro` or `dvc pull package`:
#
#   docker build -f deploy/container/monitor.Dockerfile -t MONITOR .
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG PIP_INDEX_URL
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==0.13.9
WORKDIR /srv/fullcircle
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY src ./src
RUN /opt/uv/bin/uv sync --locked --no-dev --no-editable --extra postgresql

FROM ${BASE}
ENV PATH=/srv/fullcircle/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    DVC_NO_ANALYTICS=1
WORKDIR /srv/fullcircle
COPY --from=build /srv/fullcircle/.venv ./.venv
COPY params.yaml ./
COPY conf ./conf
COPY deploy/schedule ./deploy/schedule
COPY dist/bundle ./dist/bundle
COPY dist/reference ./dist/reference
USER 10001:10001
ENTRYPOINT ["deploy/schedule/monitor", "--no-retrain"]
