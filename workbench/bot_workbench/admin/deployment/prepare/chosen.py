"""Chosen: the values that were chosen, and what is wrong with them before anything is sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import (
    CHOICES,
    CHOSEN_BY_HOOKS,
    INTEGER,
    NONE,
    OPENAI_RESOURCE_ID,
    OUTPUTS,
    Choice,
)
from bot_workbench.admin.near_miss import meant_name
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding
from bot_workbench.project import APP

PREFIX = "BOT_"
KNOWN = {*(choice.variable for choice in CHOICES), *CHOSEN_BY_HOOKS.values(), *OUTPUTS}

BREAKS = frozenset('"\\') | frozenset(map(chr, range(32)))
"""azd puts a value into the JSON of infra/main.parameters.json as it stands."""

OWN_SETTINGS = "infra/app-settings.json"
"""The bot's own app settings, which the template loads."""


@dataclass(frozen=True)
class Chosen:
    """The choices; an empty value is none, because pipelines pass such for unset variables.

    Attributes:
        given: the texts, as they were chosen.
    """

    given: Mapping[Choice, str]

    def has(self, choice: Choice) -> bool:
        """Whether it was chosen."""
        return bool(self.given.get(choice))

    def value(self, choice: Choice) -> str:
        """The value of a choice without fault, as the template gets it; else, its default."""
        return choice.read(self.given.get(choice, "")) or choice.default

    @property
    def models(self) -> str:
        """Resource id of the Azure OpenAI resource on which the bot gets a role; empty: none."""
        value = self.value(OPENAI_RESOURCE_ID)
        return "" if value == NONE else value

    def parameters(self) -> dict[str, str]:
        """The parameters of the template that were chosen."""
        return {each.parameter: self.value(each) for each in self.given if self.has(each)}

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
        spelled = name.upper().replace("-", "_")
        if not value or name in KNOWN or not spelled.startswith(PREFIX):
            continue
        if meant := meant_name(name, by_variable):
            yield _slip(name, value, by_variable[meant], environ, options)


def _slip(
    name: str,
    value: str,
    choice: Choice,
    environ: Mapping[str, str],
    options: DeploymentOptions,
) -> str:
    meant = choice.variable
    if environ.get(meant):
        cure = f"delete the pipeline's variable {name}"
        line, text = f"{name}=", f"{name} has no effect beside {meant}"
    else:
        cure = f"rename the pipeline's variable {name} to {meant}"
        right = choice.read(value) or choice.nearest(value)
        line, text = f"{quoted(f'{meant}={right}')} {name}=", f"{name} has no effect: it is {meant}"
    way = cure if options.in_pipeline else f"`azd env set {line}`"
    return f"{text} ({way}; if it is your own, give it another name)"


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


class RefusedValues:
    """The only step if values are wrong: it needs no sign-in, and refuses.

    Args:
        faults: what is wrong, a text each.
    """

    title = "Values of the environment"

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults

    def look(self) -> Finding:
        """Refuse."""
        text = "nothing was done, because the template would not get what is meant"
        return Finding(text, refusal="\n".join([f"{text}:", *self._faults]))
