"""`bot deployment`: the commands `prepare`, `finish`, `prove` and `remove`."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench.admin.deployment.choices import (
    Chosen,
    misspelt,
    refused_values,
    wrong_settings,
)
from bot_workbench.admin.deployment.finish import finish_plan
from bot_workbench.admin.deployment.options import (
    DeploymentOptions,
    EnvironmentOption,
    SubscriptionOption,
    option_of,
)
from bot_workbench.admin.deployment.parameters import (
    ALERT_EMAIL,
    ALWAYS_READY,
    APP_ID,
    APP_TYPE,
    BOT_SKU,
    CLOUD,
    CREDENTIAL,
    DIRECT_LINE,
    OPENAI_RESOURCE_ID,
    TURNS,
)
from bot_workbench.admin.deployment.prepare import prepare_plan
from bot_workbench.admin.deployment.prove import prove_plan
from bot_workbench.admin.deployment.remove import remove_plan
from bot_workbench.admin.plan.options import with_options
from bot_workbench.admin.plan.run import execute
from bot_workbench.admin.plan.step import Plan, Step
from bot_workbench.credential_kinds import KINDS

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

CredentialOption = Annotated[str, option_of(CREDENTIAL)]
AppIdOption = Annotated[str, option_of(APP_ID)]
ModelsOption = Annotated[str, option_of(OPENAI_RESOURCE_ID)]


def prepare(
    options: DeploymentOptions,
    location: Annotated[
        str,
        typer.Option("--location", metavar="NAME", envvar="AZURE_LOCATION", help="The region."),
    ] = "",
    credential: CredentialOption = "",
    turns: Annotated[str, option_of(TURNS)] = "",
    bot_app_id: AppIdOption = "",
    bot_app_type: Annotated[str, option_of(APP_TYPE)] = "",
    always_ready: Annotated[str, option_of(ALWAYS_READY)] = "",
    bot_sku: Annotated[str, option_of(BOT_SKU)] = "",
    direct_line: Annotated[str, option_of(DIRECT_LINE)] = "",
    alert_email: Annotated[str, option_of(ALERT_EMAIL)] = "",
    openai_resource_id: ModelsOption = "",
) -> None:
    """Before the template: check what it needs, and make what it cannot.

    What is chosen is checked first, and a choice of the last deployment that
    is missing now is refused: the template would go back to its default.

    It registers the resource providers, and checks the name, the region and
    an Azure Bot that is there already; a key vault that an earlier deployment
    left behind is recovered. A bot that signs in with a certificate or a
    federated credential gets an app registration, unless --bot-app-id names
    yours.

    [bold]Examples[/bold]

      bot deployment prepare --environment my-bot \\
          --subscription ID --location westeurope --credential SignInVault

    [bold]Exit status[/bold]

      0    the template can be deployed
      1    it refuses; the text says why, and what to do
      2    the command line is wrong; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `migrate switch` does.
    """
    chosen = Chosen(
        {
            CREDENTIAL: credential,
            TURNS: turns,
            CLOUD: options.cloud,
            APP_ID: bot_app_id,
            APP_TYPE: bot_app_type,
            ALWAYS_READY: always_ready,
            BOT_SKU: bot_sku,
            DIRECT_LINE: direct_line,
            ALERT_EMAIL: alert_email,
            OPENAI_RESOURCE_ID: openai_resource_id,
        }
    )
    faults = [*_faults(options, chosen), *wrong_settings()]
    if options.azd:
        faults += misspelt(os.environ, options)
    if faults:
        refused = Step("Values of the environment", partial(refused_values, faults))
        execute(replace(options, cloud=""), lambda _: Plan([refused]))
    execute(
        options,
        lambda target: prepare_plan(target.azure, options, location=location, chosen=chosen),
    )


def finish(options: DeploymentOptions) -> None:
    """After the template: give the bot's credential what the template cannot.

    With a certificate, the vault makes it, and the app registration gets its
    public key; no private key leaves the vault. With a federated credential,
    the app registration trusts the app's identity. After the first deployment,
    it waits until the app's roles on its storage account are two minutes old:
    before, the first publish could fail.

    [bold]Examples[/bold]

      bot deployment finish --environment my-bot --subscription ID
      bot deployment finish --environment my-bot \\
          --subscription ID --dry-run

    [bold]Exit status[/bold]

      0    the credential is complete
      1    it refuses, or a wait was too long; the text says why
      2    the command line is wrong; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `migrate switch` does.
    """
    execute(options, lambda target: finish_plan(target.azure, options))


def prove(
    options: DeploymentOptions,
    package: Annotated[
        Path | None,
        typer.Option(
            "--package",
            metavar="FILE",
            help="The zip that was sent; azd's is artifacts/package.zip.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """After the code: prove that the deployed bot works, and refuses unauthenticated calls.

    It waits until the package that was sent is the one that answers, and for
    new roles and credentials to have an effect. The app must be healthy, sign
    in as the Azure Bot's id with the right credential, and refuse a call
    without a token; the Azure Bot must lead to it, and Teams must accept it.
    Nothing is changed.

    [bold]Examples[/bold]

      bot deployment prove --environment my-bot --subscription ID
      bot deployment prove --environment my-bot \\
          --subscription ID --package artifacts/package.zip

    [bold]Exit status[/bold]

      0    all of this is so
      1    something is not; the text says why, and what to do
      2    the command line is wrong; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `migrate switch` does.
    """
    execute(options, lambda target: prove_plan(target.azure, options, package))


def remove(
    options: DeploymentOptions,
    bot_app_id: AppIdOption = "",
    credential: CredentialOption = "",
    openai_resource_id: ModelsOption = "",
) -> None:
    """After the resources are deleted: delete the app registration, too.

    Only the one that `prepare` has made, never one of yours; you are asked
    before. So is the role that the template assigned on an Azure OpenAI
    resource, if --openai-resource-id names it. It says what Azure keeps for a
    while, and why.

    [bold]Examples[/bold]

      az group delete --name rg-my-bot
      bot deployment remove --environment my-bot --subscription ID

    [bold]Exit status[/bold]

      0    nothing is left that can be deleted
      1    it refuses, or you did not agree; the text says why
      2    the command line is wrong; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `migrate switch` does.
    """
    chosen = Chosen(
        {CREDENTIAL: credential, APP_ID: bot_app_id, OPENAI_RESOURCE_ID: openai_resource_id}
    )
    _faults(options, chosen)  # azd's are of no use any more
    execute(
        options,
        lambda target: remove_plan(
            target.azure,
            options,
            bot_app_id=chosen.value(APP_ID),
            credential=KINDS[chosen.value(CREDENTIAL)],
            models=chosen.models,
        ),
    )


def _faults(options: DeploymentOptions, chosen: Chosen) -> list[str]:
    """The problems of azd's values, a text each.

    Raises:
        typer.BadParameter: the command line is wrong, without azd.
    """
    faults = list(chosen.faults(options))
    if faults and not options.azd:
        raise typer.BadParameter("\n".join(faults))
    return faults


for command in (prepare, finish, prove, remove):
    name = command.__name__
    required = {"environment": (EnvironmentOption, ...), "subscription": (SubscriptionOption, ...)}
    if command is prepare:  # azd runs it before it asks for the subscription: a step says so
        del required["subscription"]
    app.command(name)(with_options(name, command, replaced=required, kind=DeploymentOptions))
