"""The commands for a model in use: registry, prediction log, monitoring. The command line adds them to its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fullcircle.core.config import load

app = typer.Typer()

Log = Annotated[str | None, typer.Option(help="URL of the prediction log; by default that of conf/serving.yaml.")]


@app.command()
def outcomes(
    source: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON lines or Excel: records and their outcomes.")],
    log: Log = None,
) -> None:
    """Add outcomes to the prediction log: the target, or the columns that the problem computes it from."""
    from fullcircle.commands.logs import open_log
    from fullcircle.commands.outcomes import outcomes as add
    from fullcircle.commands.outcomes import summary
    from fullcircle.core.config import load_file
    from fullcircle.core.data import Data
    from fullcircle.core.target import Target

    data = load_file(Data, Path(load(str, "problem.data")))
    columns = data.tables[load(str, "problem.table")].columns
    found = add(open_log(log), source, load(Target, "problem.target"), columns)
    print(summary(found))
    if len(found.set_aside) == found.rows:
        raise typer.Exit(1)


@app.command()
def register() -> None:
    """Register the bundle of this commit as the next version of the model: a git tag (GTO)."""
    from fullcircle.commands.registry import register as run

    print(run())


@app.command()
def promote(
    stage: Annotated[str, typer.Argument(help="A stage of conf/registry.yaml, such as prod.")],
    version: Annotated[str | None, typer.Argument(help="A registered version; by default the latest.")] = None,
    skip: Annotated[bool, typer.Option("--skip", help="Against the order or the verdict, if you may.")] = False,
    because: Annotated[str, typer.Option(help="Why; recorded in the tag.")] = "",
) -> None:
    """Give a registered version a stage: a git tag. The version in the last stage is the champion."""
    from fullcircle.commands.registry import promote as run

    print(run(stage, version, skip=skip, because=because))


@app.command()
def rollback() -> None:
    """Make the version champion that was it before: one git tag."""
    from fullcircle.commands.registry import rollback as run

    print(run())


@app.command()
def champion(
    at: Annotated[str | None, typer.Option(help="At this time, as 2013-11-05T06:00; by default now.")] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Have the next `dvc repro` compare with it.")] = False,
) -> None:
    """Print the version of the champion."""
    from datetime import UTC, datetime

    from fullcircle.commands import registry
    from fullcircle.commands.logs import moment_of

    when = None if at is None else datetime.fromtimestamp(moment_of(at), UTC)
    print(registry.pin() if pin else registry.champion(when).version)


@app.command()
def history() -> None:
    """List the registered versions and the stages that they were given."""
    from fullcircle.commands.registry import history as run

    print(run())


@app.command()
def fetch(
    model: Annotated[str, typer.Argument(help="MODEL@STAGE or MODEL@VERSION, such as flights@prod.")],
    out: Annotated[Path | None, typer.Argument(help="Folder to write; by default it is kept under .dvc/tmp.")] = None,
) -> None:
    """Get the bundle of a registered version out of DVC's cache or remote, verified."""
    from fullcircle.commands.registry import fetch as run

    print(run(model, out))


@app.command()
def retrain(
    as_of: Annotated[str | None, typer.Option(help="Of the next snapshot of the sources; by default today.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Even if there is no new data.")] = False,
) -> None:
    """Train on new data, and register and promote the result if it passes its gates. Exit code 10: it does not."""
    from fullcircle.commands.retrain import retrain as run

    found = run(as_of, again=again)
    print(found.text)
    if found.outcome == "refused":
        raise typer.Exit(10)


@app.command()
def monitor(
    now: Annotated[
        str | None, typer.Option(help="Monitor as of this time, as 2013-11-05T06:00; by default now.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="An HTML file to write: the page of /monitor.")] = None,
    log: Log = None,
) -> None:
    """Report each window that has ended, raise and send alerts. Exit code: 0 ok, 10 warn, 20 retrain, 1 an error."""
    import sys
    import time

    from fullcircle.commands.bundles import watched_or_why
    from fullcircle.commands.logs import moment_of, open_log
    from fullcircle.commands.monitor import EXIT, read_monitoring, send, summary, write_page
    from fullcircle.monitoring.run import monitor as run
    from fullcircle.registry.tags import read_tags

    slices, tags = load(tuple[str, ...], "problem.slices"), read_tags(Path(), load(str, "problem.name"))
    at = time.time() if now is None else moment_of(now)
    engine, settings = open_log(log), read_monitoring()
    found = run(engine, lambda name: watched_or_why(name, tags, slices), settings, at)
    if page is not None:
        write_page(engine, page)
    print(summary(found, load(str, "problem.metric")), flush=True)
    for line in send(engine, settings, at):
        print(line, file=sys.stderr)
    raise typer.Exit(EXIT[found.status])


@app.command()
def who(
    record: Annotated[
        list[str], typer.Argument(help="NAME=VALUE of each column that identifies a record; or a prediction id.")
    ],
    log: Log = None,
) -> None:
    """Who answered about a record: when, what, which version, who was champion then, and the outcome."""
    from fullcircle.commands.logs import open_log
    from fullcircle.commands.registry import policy
    from fullcircle.commands.who import summary
    from fullcircle.commands.who import who as run
    from fullcircle.registry.tags import read_tags

    print(summary(run(open_log(log), record, read_tags(Path(), load(str, "problem.name")), policy().last)))


@app.command()
def replay(
    day: Annotated[str, typer.Option(help="The day (UTC), as 2013-11-05.")],
    log: Log = None,
) -> None:
    """Score the requests of a day again with the bundles that answered; exit code 1 where an answer is another one."""
    from fullcircle.commands.bundles import bundle_or_why
    from fullcircle.commands.logs import day_of, open_log
    from fullcircle.commands.replay import replay as run
    from fullcircle.commands.replay import summary
    from fullcircle.registry.tags import read_tags

    tags = read_tags(Path(), load(str, "problem.name"))
    begun = day_of(day)
    found = run(open_log(log), begun, begun + 86400, lambda name: bundle_or_why(name, tags))
    print(summary(found, day))
    if found.different or found.not_scored:
        raise typer.Exit(1)
