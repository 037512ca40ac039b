"""LostChoices: no choice of the last deployment is lost on another machine, or with a variable."""

import re
from dataclasses import dataclass
from typing import Any

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import APP_ID, CHOICES, NONE, Choice
from bot_workbench.admin.deployment.prepare.chosen import Chosen
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.template import ENVIRONMENT_TAG
from bot_workbench.project import APP

AZURE_YAML = APP / "azure.yaml"
PROJECT_TAG = "azd-project-name"

COMPLETED = ("Succeeded", "Failed")
"""The states of the deployments that azd looks at (CompletedDeployments in its source, August
2026): a failed one has changed something, too, and says what was chosen last."""

REMEMBERED = tuple(choice for choice in CHOICES if choice is not APP_ID)
"""The choices that are not found out otherwise: the app id is that of the Azure Bot, which
UnchangedBot keeps, or of the app registration with the environment's tag."""


@dataclass(frozen=True)
class LastDeployment:
    """A deployment of the environment's template.

    Attributes:
        name: as Resource Manager lists it.
        parameters: their values by name; a deployment of nothing, which `azd down` leaves, has
            none.
    """

    name: str
    parameters: JsonObject

    def value(self, choice: Choice) -> str:
        """The choice as the template got it; the default if the template had no such choice.

        A value that this template does not take is none that could be kept.
        """
        value = choice.read(str(self.parameters.get(choice.parameter, ""))) or choice.default
        return choice.default if value == NONE else value


def deployments(arm: ArmClient, options: DeploymentOptions) -> list[LastDeployment]:
    """The completed deployments of an environment, newest first.

    azd gives them the environment's tag, and the project's since version 1.31.2: one of another
    project may have the same environment. What `az` deploys has the environment's name as a
    parameter. Resource Manager does not say in which order it lists them, so all pages are read, as
    azd does. Microsoft reference: "Deployments - List At Subscription Scope".

    Args:
        arm: the client.
        options: name the environment.

    Raises:
        AzureProblem: they cannot be listed.
    """
    project = project_name()
    path = f"/subscriptions/{options.subscription}/providers/Microsoft.Resources/deployments"
    found = [
        (str(each["properties"].get("timestamp")), each["name"], _parameters(each["properties"]))
        for each in arm.pages(path)
        if each["properties"].get("provisioningState") in COMPLETED
        if options.environment.lower() in _environments(each)
        if (each.get("tags") or {}).get(PROJECT_TAG, project) == project
    ]
    newest_first = sorted(found, key=lambda each: each[0], reverse=True)
    return [LastDeployment(name, parameters) for _, name, parameters in newest_first]


def project_name() -> str:
    """The project's name, as azure.yaml has it."""
    found = re.search(r"^name: *(\S+)", AZURE_YAML.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _parameters(properties: JsonObject) -> dict[str, Any]:
    sent = properties.get("parameters") or {}
    return {name: each.get("value") for name, each in sent.items()}


def _environments(deployment: JsonObject) -> set[str]:
    """The names of the environment that a deployment is for, in lower case."""
    tag = (deployment.get("tags") or {}).get(ENVIRONMENT_TAG)
    parameter = _parameters(deployment["properties"]).get("environmentName")
    return {str(name).lower() for name in (tag, parameter) if name}


class LostChoices:
    """Each choice of the last deployment is made here, too, or is the default.

    azd keeps the choices on the machine where they were made, and a template that gets none takes
    its defaults.

    Args:
        arm: the client.
        options: name the environment.
        chosen: what is chosen here.
    """

    title = "Choices of the last deployment"

    def __init__(self, arm: ArmClient, options: DeploymentOptions, chosen: Chosen) -> None:
        self._arm = arm
        self._options = options
        self._missing = [choice for choice in REMEMBERED if not chosen.has(choice)]

    def look(self) -> Finding:
        """Read the last deployment, if there is something that it could add.

        Raises:
            AzureProblem: the group or the deployments cannot be read.
        """
        if not self._missing:
            return Finding("every choice is made here")
        if self._arm.find(self._options.group) is None:
            return Finding("nothing of this environment is deployed yet")
        try:
            found = deployments(self._arm, self._options)
        except Forbidden as error:
            return Finding(
                "your account may not list the deployments of the subscription",
                notes=(
                    "what was chosen at the last deployment is not known here, and what is not"
                    f" chosen now gets its default: {self._defaults()}. {error.answer}",
                ),
            )
        if not found:
            return Finding("no deployment of this environment is recorded")
        return self._compared(found[0])

    def _compared(self, last: LastDeployment) -> Finding:
        lost = {choice: last.value(choice) for choice in self._missing}
        lines = [
            self._ways(choice, value) for choice, value in lost.items() if value != choice.default
        ]
        if not lines:
            return Finding(f"none is missing here of those of the deployment {last.name}")
        text = f"the deployment {last.name} had values that are not set here"
        return Finding(
            text,
            refusal="\n".join(
                [f"{text}, and would get their defaults. For each, say which:", *lines]
            ),
        )

    def _ways(self, choice: Choice, value: str) -> str:
        """Instructions for keeping a value, and for having the default."""
        options, default = self._options, choice.default or NONE
        keep, change = options.to_choose(choice, value), options.to_choose(choice, default)
        if not options.azd:
            keep = f"{keep}, and {choice.parameter}={value} for the template"
            change = f"{change}, and {choice.parameter}={default}"
        return f"{choice.variable} was {value}: to keep it, {keep}; to change it, {change}"

    def _defaults(self) -> str:
        return ", ".join(f"{choice.variable}={choice.default or NONE}" for choice in self._missing)
