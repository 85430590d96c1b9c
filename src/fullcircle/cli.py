"""The command line, for everything that DVC and make do not do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fullcircle import in_use
from fullcircle.base.errors import ConfigError, FullCircleError, system_message
from fullcircle.base.files import write_text
from fullcircle.core import paths
from fullcircle.core.config import compose, load
from fullcircle.core.threads import set_wait_policy
from fullcircle.scoring import command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


app.add_typer(in_use.app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"fullcircle {version('fullcircle')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Full Circle: tabular data through the whole machine-learning life cycle. What DVC and make do not do."""


@app.command()
def params(
    overrides: Annotated[list[str] | None, typer.Argument(help="Hydra overrides, as in `dvc exp run -S`.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if params.yaml is out of date.")] = False,
) -> None:
    """Compose params.yaml from conf/ for `dvc repro`, and check it against the configuration of every stage."""
    from fullcircle.params import check_composed

    composed = compose(overrides or [])
    check_composed(composed)
    if not check:
        write_text(paths.PARAMS, composed)
    elif paths.PARAMS.read_text(encoding="utf-8") != composed:
        raise ConfigError(
            f"{paths.PARAMS} is out of date: {paths.CONF}/ composes other parameters. Run `fullcircle params`."
        )


@app.command()
def init(
    data: Annotated[str, typer.Argument(help="A CSV, Parquet, JSON-lines or Excel file, or another source.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the problem; by default derived from that of the data.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="binary, multiclass or regression, if the guess is wrong.")] = None,
    record: Annotated[list[str] | None, typer.Option(help="A column not to use as an input; may be repeated.")] = None,
    date: Annotated[str | None, typer.Option(help="The date by which rows are ordered: test rows are later.")] = None,
    group: Annotated[
        str | None, typer.Option(help="A column whose equal values stay on one side of the split.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of a CSV file, such as latin-1.")] = "utf-8",
    skip: Annotated[int, typer.Option(help="Lines before the header.")] = 0,
    header: Annotated[bool, typer.Option(help="Whether the first line has the columns' names.")] = True,
    names: Annotated[str | None, typer.Option(help="The columns' names, separated by commas.")] = None,
    nulls: Annotated[list[str] | None, typer.Option(help="A word for missing values; may be repeated.")] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook; by default the first.")] = None,
    decimal: Annotated[
        str | None, typer.Option(help="What stands before decimals, . or ,; by default guessed.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Draft a problem from a table: conf/problem/NAME.yaml and conf/data/NAME.yaml, with a reason for every guess."""
    from fullcircle.drafting.init import check_task
    from fullcircle.drafting.init import init as draft
    from fullcircle.drafting.splits import split_by
    from fullcircle.drafting.table import How

    named = tuple(names.split(",")) if names else ()
    how = How(encoding, skip, header, named, tuple(nulls or ()), sheet, decimal)
    print(draft(data, target, name, check_task(task), tuple(record or ()), how, split_by(date, group), force=force))


@app.command()
def sweep(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Hydra overrides, such as sweep=models sweep.trials=50 model.seed=3.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Discard the trials of earlier runs.")] = False,
) -> None:
    """Search for parameters; every trial is a DVC experiment. Can be interrupted.

    The search is that of the problem's model, conf/sweep/MODEL.yaml; sweep=NAME takes another.
    """
    from fullcircle.sweep.dry_run import dvc_dry_run

    with dvc_dry_run() as dry_run:
        from fullcircle.sweep.run import sweep as run  # imported while DVC runs

        print(run(overrides or [], dry_run, fresh=fresh))


@app.command()
def adopt(
    experiments: Annotated[
        list[str],
        typer.Argument(
            help="An experiment, branch, tag or commit; `best` or `best:5` of a sweep. Several: an ensemble."
        ),
    ],
    sweep: Annotated[str | None, typer.Option(help="The sweep of `best`; by default the latest.")] = None,
) -> None:
    """Adopt the parameters of an experiment: write them into conf/, and compose params.yaml with them.

    Several experiments become an ensemble of their models.
    """
    from fullcircle.commands.adopt import adopt as files_for
    from fullcircle.commands.adopt import ensemble_of, names_of, params_of, write

    names = names_of(experiments, sweep)
    found = [params_of(name) for name in names]
    wanted = found[0] if len(found) == 1 else ensemble_of(found)
    title = names[0] if len(names) == 1 else f"an ensemble of {', '.join(names)}"
    adopted = files_for(title, wanted)
    write_text(paths.PARAMS, write(adopted, wanted))
    files = ", ".join(str(path) for path in adopted.files)
    print(f"adopted {title} in {files}; `dvc repro` runs it" if files else f"conf/ composes {title} as it is")


@app.command()
def explore(
    rows: Annotated[int, typer.Option(min=1, help="At most so many training rows, evenly spaced.")] = 20_000,
    columns: Annotated[int, typer.Option(min=1, help="A wider table is described without plots.")] = 60,
) -> None:
    """Report on the training rows: distributions, nulls, associations. Writes reports/explore.html."""
    from fullcircle.commands.explore import explore as report
    from fullcircle.core.tables import read_table
    from fullcircle.core.target import Target

    target: Target = load(Target, "problem.target")
    write_text(paths.EXPLORE, report(read_table(paths.TRAIN), rows, columns, target.classes))
    print(paths.EXPLORE)


@app.command()
def show(
    every: Annotated[
        bool, typer.Option("--all", help="All problems, one table each; by default the current one.")
    ] = False,
    all_commits: Annotated[
        bool, typer.Option("-A", "--all-commits", help="The experiments on every commit; by default on the last one.")
    ] = False,
    sort_by: Annotated[str | None, typer.Option(help="A metric, such as val_auc: the best first.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="All rows, metrics and parameters, as CSV.")] = False,
) -> None:
    """Compare experiments: verdict, metrics, and the parameters that differ. Reads git; does not change anything."""
    import shutil

    from fullcircle.commands import show as tables
    from fullcircle.commands.experiments import experiments

    found = experiments(all_commits=all_commits)
    rows = tables.ordered(found if every or as_csv else tables.of_problem(found), sort_by)
    if as_csv:
        print(tables.as_csv(rows), end="")
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for name in dict.fromkeys(row.problem for row in rows):
        print(*([f"\n{name}"] if every else []), tables.table([r for r in rows if r.problem == name], width), sep="\n")


@app.command()
def score(
    bundle: Annotated[Path, typer.Argument(help="A bundle, such as dist/bundle.")],
    source: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON lines or Excel: the raw input columns.")],
    out: Annotated[Path, typer.Argument(help="CSV to write: row, its identity, prediction, probability per class.")],
    columns: Annotated[
        str | None,
        typer.Option(help="Columns to show with the prediction, as a,b; by default those that identify a row."),
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Option(help="TABLE=FILE: past events or observations (CSV), to compute point-in-time columns from."),
    ] = None,
    ignore_extra: Annotated[
        bool, typer.Option("--ignore-extra", help="Ignore columns that the model does not take, instead of refusing.")
    ] = False,
) -> None:
    """Score a table through a bundle; rows that cannot be scored go to OUT's .rejected.csv with their reasons."""
    from fullcircle.commands.score import score_any

    command.run(bundle, source, out, columns=columns, events=events or (), ignore_extra=ignore_extra, score=score_any)


@app.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
def serve(
    arguments: Annotated[list[str] | None, typer.Argument(help="See `fullcircle serve --help`.")] = None,
) -> None:
    """Serve a bundle over HTTP: predictions, events, the contracts of platforms, a page. `--help` lists the options."""
    from fullcircle.serving import command as service

    service.main(arguments or [])


export = typer.Typer(no_args_is_help=True, help="Write a bundle in the form of another tool.")
app.add_typer(export, name="export")


@export.callback()
def exports() -> None:
    """Keep the subcommand's name, for others will follow."""


@export.command()
def mlflow(
    out: Annotated[Path, typer.Argument(help="Folder to write; it must not be there.")],
    bundle: Annotated[Path, typer.Option(help="A bundle.")] = Path("dist/bundle"),
) -> None:
    """Write an MLflow model, which `mlflow models serve -m OUT` serves with the same answers."""
    from fullcircle.commands.export import export_mlflow

    print(f"{export_mlflow(bundle, out)}: serve it with `mlflow models serve -m {out} --env-manager local`")


def main() -> NoReturn:
    """Run the command line: with one message and exit code 1 if it failed."""
    set_wait_policy()
    sys.exit(failure())


def failure() -> str | int | None:
    """Run the command line; return the message of a FullCircleError or of the system, else typer's exit code."""
    try:
        app()
    except SystemExit as end:  # typer ends this way
        return end.code
    except FullCircleError as error:
        return f"fullcircle: {error}"
    except OSError as error:
        if (message := system_message(error)) is None:
            raise
        return f"fullcircle: {message}"
    return None


if __name__ == "__main__":
    main()
