"""The options of `deployment`; azd's variables are their defaults, so that its hooks need none."""

import os
import shlex
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from bot_workbench.admin.azure.cloud import CLOUDS_BY_PARAMETER, ManagementCloud
from bot_workbench.admin.deployment.parameters import CLOUD, Choice
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.shell import quoted

AGAIN_WITH_AZD = {
    "prepare": "azd up",
    "finish": "azd up",
    "prove": "azd hooks run postdeploy",
    "remove": "azd hooks run postdown",
}
"""The line to run again, by command, if azd runs it."""


PIPELINES = ("CI", "TF_BUILD", "GITHUB_ACTIONS")
"""Variables that pipelines set: what azd gets there comes from the pipeline's own variables."""


def option_of(choice: Choice) -> Any:
    """The option of a choice, whose value `prepare` checks, and not typer."""
    takes = f" Takes {choice.values}; by default {choice.default}." if choice.default else ""
    return typer.Option(
        choice.option, metavar="VALUE", envvar=choice.variable, help=f"{choice.help}{takes}"
    )


EnvironmentOption = Annotated[
    str,
    typer.Option(
        "--environment",
        metavar="NAME",
        envvar="AZURE_ENV_NAME",
        help="The template's environmentName; the resource group is rg-NAME.",
    ),
]
SubscriptionOption = Annotated[
    str,
    typer.Option(
        "--subscription",
        metavar="ID",
        envvar="AZURE_SUBSCRIPTION_ID",
        help="Id of the subscription.",
    ),
]


@dataclass(frozen=True)
class DeploymentOptions(Options):
    """The options of the command line, or azd's variables.

    Attributes:
        environment: name of the environment.
        subscription: its id (GUID).
        cloud: a key of CLOUDS_BY_PARAMETER; empty: Public.
        azd: whether azd runs the command.
        bot: resource id of the Azure Bot, once it is known; no option sets it.
        app: resource id of the Function App, likewise.
        resource_group: likewise.
    """

    bot: str = ""
    app: str = ""
    resource_group: str = ""
    subscription: SubscriptionOption = ""
    cloud: Annotated[str, option_of(CLOUD)] = ""
    environment: EnvironmentOption = ""
    azd: Annotated[
        bool,
        typer.Option("--azd", metavar="", help="azd runs the command: values are stored in azd's."),
    ] = False

    @property
    def management_cloud(self) -> ManagementCloud:
        """The cloud.

        Raises:
            typer.BadParameter: no cloud has this name.
        """
        name = self.cloud or CLOUD.default
        if name not in CLOUDS_BY_PARAMETER:
            raise typer.BadParameter(f"unknown cloud {name!r}: use {CLOUD.values}")
        return CLOUDS_BY_PARAMETER[name]

    @property
    def group(self) -> str:
        """Resource id of the resource group, as the template names it."""
        return f"/subscriptions/{self.subscription}/resourceGroups/rg-{self.environment}"

    @property
    def tag(self) -> str:
        """The mark of the app registration that `prepare` makes for this environment."""
        return f"azd-env:{self.subscription}/{self.environment}".lower()

    def command_line(self, command: str = "", *extra: str, app: str | None = None) -> str:
        """A command of `deployment` for the same environment, to paste into a shell.

        Args:
            command: its name; empty: this command, with its own options.
            extra: the command's own options.
            app: not used: an environment has one app.
        """
        if self.azd:
            return AGAIN_WITH_AZD.get(command or self.command, "azd up")
        words = ["bot", "deployment", command or self.command]
        words += ["--environment", self.environment, "--subscription", self.subscription]
        words += [] if self.cloud in {"", CLOUD.default} else ["--cloud", self.cloud]
        return shlex.join([*words, *(extra if command else self.own_words(extra))])

    def to_choose(self, choice: Choice, value: str) -> str:
        """The line that chooses a value, as it is typed.

        Args:
            choice: what is chosen.
            value: for it.
        """
        if not self.azd:
            return f"`{choice.option} {quoted(value)}`"
        if self.in_pipeline:
            return f"set the pipeline's variable {choice.variable} to {value}"
        return f"`azd env set {choice.variable} {quoted(value)}`"

    def to_forget(self, choice: Choice) -> str:
        """The instruction that ends a choice, in the imperative.

        Args:
            choice: what was chosen.
        """
        if not self.azd:
            return f"leave out {choice.option}"
        if self.in_pipeline:
            return f"delete the pipeline's variable {choice.variable}"
        return f"run `azd env set {choice.variable}=`"

    @property
    def in_pipeline(self) -> bool:
        """Whether a pipeline runs the command, whose variables are set elsewhere."""
        return any(os.environ.get(name, "").lower() not in {"", "0", "false"} for name in PIPELINES)
