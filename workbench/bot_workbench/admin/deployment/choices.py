"""The chosen values: what is wrong with them, and what is missing of the last deployment."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import (
    APP_ID,
    CHOICES,
    INTEGER,
    NONE,
    OPENAI_RESOURCE_ID,
    Choice,
)
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import ENVIRONMENT_TAG
from bot_workbench.project import APP

PREFIX = "BOT_"

BREAKS = frozenset('"\\') | frozenset(map(chr, range(32)))
"""azd puts a value into the JSON of infra/main.parameters.json as it stands."""

OWN_SETTINGS = "infra/app-settings.json"
"""The bot's own app settings, which the template loads."""

AZURE_YAML = APP / "azure.yaml"
PROJECT_TAG = "azd-project-name"

COMPLETED = ("Succeeded", "Failed")
"""The states of the deployments that azd looks at (CompletedDeployments in its source, August
2026): a failed one has changed something, too, and says what was chosen last."""

REMEMBERED = tuple(choice for choice in CHOICES if choice is not APP_ID)
"""The choices that are not found out otherwise: the app id is that of the Azure Bot, which
`unchanged_bot` keeps, or of the app registration with the environment's tag."""


@dataclass(frozen=True)
class Chosen:
    """The choices; an empty value is none, because pipelines pass such for unset variables.

    Attributes:
        given: the texts, as they were chosen.
    """

    given: Mapping[Choice, str]

    def value(self, choice: Choice) -> str:
        """The value of a choice without fault, as the template gets it; else, its default."""
        return choice.read(self.given.get(choice, "")) or choice.default

    @property
    def models(self) -> str:
        """Resource id of the Azure OpenAI resource on which the bot gets a role; empty: none."""
        value = self.value(OPENAI_RESOURCE_ID)
        return "" if value == NONE else value

    def faults(self, options: DeploymentOptions) -> Iterator[str]:
        """The problems, with the line to type, a text each.

        Args:
            options: say how values are set.
        """
        for choice, text in self.given.items():
            if text and choice.read(text) is None:
                name = choice.variable if options.azd else f"{choice.option} ({choice.variable})"
                reason = _reason(choice, text) if options.azd else ""
                cure = options.to_choose(choice, choice.nearest(text))
                yield f"{name} is {text!r}, and takes {choice.values}{reason}: {cure}"


def _reason(choice: Choice, text: str) -> str:
    """The remark on a value that azd would not pass on as it is; else empty."""
    if BREAKS & set(text):
        return " (this one would break the JSON of infra/main.parameters.json)"
    if choice.type == "string" or INTEGER.fullmatch(text):
        return ""
    return f" (azd would leave this one out, and deploy {choice.default})"


def misspelt(environ: Mapping[str, str], options: DeploymentOptions) -> Iterator[str]:
    """The variables whose names are nearly those of choices, with the line to type, a text each.

    Args:
        environ: the environment's variables.
        options: say how values are set.
    """
    by_variable = {choice.variable: choice for choice in CHOICES}
    for name, value in sorted(environ.items()):
        is_ours = name.upper().replace("-", "_").startswith(PREFIX)
        meant = meant_name(name, by_variable) if value and is_ours else ""
        if not meant:
            continue
        if environ.get(meant):
            text, line = f"{name} has no effect beside {meant}", f"{name}="
            cure = f"delete the pipeline's variable {name}"
        else:
            right = by_variable[meant].read(value) or by_variable[meant].nearest(value)
            text, line = f"{name} has no effect: it is {meant}", quoted(f"{meant}={right}")
            line = f"{line} {name}="
            cure = f"rename the pipeline's variable {name} to {meant}"
        way = cure if options.in_pipeline else f"`azd env set {line}`"
        yield f"{text} ({way}; if it is your own, give it another name)"


def wrong_settings() -> Iterator[str]:
    """The problems of OWN_SETTINGS, a text each.

    Bicep refuses what is no object only after an app registration was made, and takes any value:
    one that is no text reaches App Service, after all else was made.
    """
    try:
        settings = json.loads((APP / OWN_SETTINGS).read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        yield f"{OWN_SETTINGS} cannot be read ({error}): write an object there; {{}} sets nothing"
        return
    if not isinstance(settings, dict):
        yield f'{OWN_SETTINGS} is no object: write {{"NAME": "VALUE"}}'
        return
    for name, value in settings.items():
        if not isinstance(value, str):
            yield f"{name} in {OWN_SETTINGS} is no text: put its value into quotation marks"


def refused_values(faults: list[str]) -> Finding:
    """Refuse values: it needs no sign-in.

    Args:
        faults: what is wrong, a text each.
    """
    text = "nothing was done, because the template would not get what is meant"
    return Finding(text, refusal="\n".join([f"{text}:", *faults]))


def lost_choices(arm: ArmClient, options: DeploymentOptions, chosen: Chosen) -> Finding:
    """Each choice of the last deployment is made here, too, or is the default.

    azd keeps the choices on the machine where they were made, and a template that gets none takes
    its defaults. The last deployment is read only if there is something that it could add.

    Args:
        arm: the client.
        options: name the environment.
        chosen: what is chosen here.

    Raises:
        AzureProblem: the group or the deployments cannot be read.
    """
    missing = [choice for choice in REMEMBERED if not chosen.given.get(choice)]
    if not missing:
        return Finding("every choice is made here")
    if arm.find(options.group) is None:
        return Finding("nothing of this environment is deployed yet")
    try:
        found = deployments(arm, options)
    except Forbidden as error:
        defaults = ", ".join(f"{choice.variable}={choice.default or NONE}" for choice in missing)
        return Finding(
            "your account may not list the deployments of the subscription",
            notes=(
                "what was chosen at the last deployment is not known here, and what is not chosen"
                f" now gets its default: {defaults}. {error.answer}",
            ),
        )
    if not found:
        return Finding("no deployment of this environment is recorded")
    name, last = found[0]
    lines = [
        _ways(options, choice, last[choice]) for choice in missing if last[choice] != choice.default
    ]
    if not lines:
        return Finding(f"none is missing here of those of the deployment {name}")
    text = f"the deployment {name} had values that are not set here"
    start = f"{text}, and would get their defaults. For each, say which:"
    return Finding(text, refusal="\n".join([start, *lines]))


def _ways(options: DeploymentOptions, choice: Choice, value: str) -> str:
    """Instructions for keeping a value, and for having the default."""
    default = choice.default or NONE
    keep, change = options.to_choose(choice, value), options.to_choose(choice, default)
    if not options.azd:
        keep = f"{keep}, and {choice.parameter}={value} for the template"
        change = f"{change}, and {choice.parameter}={default}"
    return f"{choice.variable} was {value}: to keep it, {keep}; to change it, {change}"


def deployments(arm: ArmClient, options: DeploymentOptions) -> list[tuple[str, dict[Choice, str]]]:
    """The completed deployments of an environment's template, newest first: name and choices.

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
    named = re.search(r"^name: *(\S+)", AZURE_YAML.read_text("utf-8"), re.MULTILINE)
    project = named[1] if named else ""
    found = []
    path = f"/subscriptions/{options.subscription}/providers/Microsoft.Resources/deployments"
    for each in arm.pages(path):
        properties, tags = each["properties"], each.get("tags") or {}
        sent = properties.get("parameters") or {}
        parameters = {name: parameter.get("value") for name, parameter in sent.items()}
        environments = tags.get(ENVIRONMENT_TAG), parameters.get("environmentName")
        if (
            properties.get("provisioningState") in COMPLETED
            and options.environment.lower() in {str(name).lower() for name in environments if name}
            and tags.get(PROJECT_TAG, project) == project
        ):
            found.append((str(properties.get("timestamp")), each["name"], parameters))
    newest_first = sorted(found, key=lambda each: each[0], reverse=True)
    return [(name, _choices_of(parameters)) for _, name, parameters in newest_first]


def _choices_of(parameters: JsonObject) -> dict[Choice, str]:
    """The choices as the template got them; the defaults of those that it did not have (a
    deployment of nothing, which `azd down` leaves, has none).

    A value that this template does not take is none that could be kept.
    """
    texts = {each: str(parameters.get(each.parameter, "")) for each in CHOICES}
    read = {each: each.read(text) or each.default for each, text in texts.items()}
    return {each: each.default if value == NONE else value for each, value in read.items()}
