"""Executes a command of `migrate`: sign-in, plan, run, and how failures end."""

import json
import logging
import sys
from collections.abc import Callable

import typer

from admin import console
from admin.azure.clients import AzureClients
from admin.azure.errors import AzureProblem
from admin.migrate.options import Options
from admin.migrate.progress.json_progress import JsonProgress
from admin.migrate.progress.line_progress import LineProgress
from admin.migrate.progress.script_progress import ScriptProgress
from admin.migrate.run import Runner
from admin.migrate.step import Plan
from admin.migrate.target import Target

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells expect."""

MakePlan = Callable[[Target], Plan]


def execute(options: Options, make_plan: MakePlan) -> None:
    """Run one command, and end with its exit status.

    Args:
        options: the command line.
        make_plan: makes the plan for the bot; it may read, and raise AzureProblem.

    Raises:
        typer.Exit: always, with the exit status.
    """
    quiet_sdks()
    progress = _progress(options)
    try:
        with AzureClients(options.management_cloud) as azure:
            plan = make_plan(Target(azure, options))
            status = int(Runner(azure, options, progress).run(plan))
    except AzureProblem as error:
        status = int(error.exit_status)
        _stopped(progress, options, str(error))
    except KeyboardInterrupt:
        status = INTERRUPTED
        _stopped(progress, options, "Interrupted.")
    raise typer.Exit(status)


def read_only(options: Options, show: Callable[[Target], int]) -> int:
    """Run a command that only reads, and return its exit status.

    Args:
        options: the command line.
        show: reads and prints; it may raise AzureProblem.
    """
    quiet_sdks()
    try:
        with AzureClients(options.management_cloud) as azure:
            return show(Target(azure, options))
    except AzureProblem as error:
        if options.as_json:
            print(json.dumps({"error": str(error)}))
        console.errors.print(str(error), soft_wrap=True)
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED


def quiet_sdks() -> None:
    """Keep the SDKs' warnings off the terminal: the commands say what failed, in a line."""
    for name in ("azure", "msal", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _progress(options: Options) -> JsonProgress | ScriptProgress | LineProgress:
    if options.as_json:
        return JsonProgress(options)
    return ScriptProgress(options) if options.dry_run else LineProgress(console.output)


def _stopped(
    progress: JsonProgress | ScriptProgress | LineProgress, options: Options, reason: str
) -> None:
    """Say why the run ended, on standard error, and that the same command goes on."""
    if isinstance(progress, JsonProgress):
        progress.stopped(reason)
    elif isinstance(progress, ScriptProgress):
        progress.stopped()
    else:
        progress.close()
    sys.stdout.flush()
    console.errors.print(
        f"{reason}\nTo go on from where things stand, run it again: {options.command_line()}",
        soft_wrap=True,
    )
