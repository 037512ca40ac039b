"""`bot deployment`: the commands, one line each."""

import typer

from bot_workbench.admin.deployment.commands import finish, prepare, prove, remove
from bot_workbench.admin.deployment.options import (
    DeploymentOptions,
    EnvironmentOption,
    SubscriptionOption,
)
from bot_workbench.admin.plan.options import with_options

app = typer.Typer(
    help="What comes before and after infra/main.bicep. azd's hooks run the same commands; without"
    " azd, you do."
    "\n\nEach step looks before it acts, so a command that was interrupted goes on when it is run"
    " again."
    "\n\nExit status: 0 done; 1 something to look at, or the command refuses; 2 the command line is"
    " wrong; 3 no sign-in, no answer, or not allowed; 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
)
ENV = "environment"
REQUIRED = {ENV: (EnvironmentOption, ...), "subscription": (SubscriptionOption, ...)}

for command in (prepare, finish, prove, remove):
    name = command.__name__
    # azd runs `prepare` before it asks for the subscription: then a step says what to do.
    required = {each: REQUIRED[each] for each in REQUIRED if command is not prepare or each == ENV}
    app.command(name)(with_options(name, command, replaced=required, kind=DeploymentOptions))
