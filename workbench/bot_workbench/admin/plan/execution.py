"""Executes a command: sign-in, plan, run, and how failures end."""

import logging
import sys
from collections.abc import Callable

import typer

from bot_workbench.admin import console
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import AzureProblem, NotReachable
from bot_workbench.admin.azure.retries import DEFAULT_LIMITS, RetryLimits
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.output import Event, output
from bot_workbench.admin.plan.run import Runner
from bot_workbench.admin.plan.step import Plan
from bot_workbench.admin.plan.target import Target

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells expect."""


def execute(options: Options, make_plan: Callable[[Target], Plan]) -> None:
    """Run one command, and end with its exit status.

    Args:
        options: the command line.
        make_plan: makes the plan for the bot; it may read, and raise AzureProblem.

    Raises:
        typer.Exit: always, with the exit status.
    """
    quiet_sdks()
    show = output(options)
    try:
        cloud, seconds = options.management_cloud, options.timeout_seconds
        with AzureClients(cloud, clock=options.clock, timeout_seconds=seconds) as azure:
            plan = make_plan(Target(azure, options))
            raise typer.Exit(int(Runner(azure, options, show).run(plan)))
    except AzureProblem as error:
        status, reason = int(error.exit_status), str(error)
        # A refusal or a missing role stays what it is; a lost connection comes back.
        again = options.again if isinstance(error, NotReachable) else ""
    except KeyboardInterrupt:
        status, reason, again = INTERRUPTED, "Interrupted.", options.again
    show(Event("stopped", reason, next_command=again))
    sys.stdout.flush()
    going_on = f"\nTo go on from where things stand, run it again: {again}" if again else ""
    console.write_error(f"{reason}{going_on}")
    raise typer.Exit(status)


def read_only(
    options: Options, show: Callable[[Target], int], limits: RetryLimits = DEFAULT_LIMITS
) -> int:
    """Run a command that only reads, and return its exit status.

    Args:
        options: the command line.
        show: reads and prints; it may raise AzureProblem.
        limits: on repeated requests.
    """
    quiet_sdks()
    try:
        cloud = options.management_cloud
        with AzureClients(cloud, clock=options.clock, limits=limits) as azure:
            return show(Target(azure, options))
    except AzureProblem as error:
        if options.as_json:
            console.write_json({"error": str(error)})
        console.write_error(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED


def quiet_sdks() -> None:
    """Keep the SDKs' warnings off the terminal: the commands say what failed, in a line."""
    for name in ("azure", "msal", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
