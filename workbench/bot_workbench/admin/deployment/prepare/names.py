"""EnvironmentName: the name and the subscription can become the names of resources."""

import re

from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import GUID
from bot_workbench.admin.plan.step import Finding

MAX_CHARACTERS = 20
"""The template's limit: the longest name that is made from it, the Azure Bot's, has 42."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", re.ASCII)


class EnvironmentName:
    """The environment has a name that the resources can bear, a subscription and a region.

    Args:
        options: what the command line says.
        location: the region; empty: not chosen yet.
    """

    title = "Name of the environment"

    def __init__(self, options: DeploymentOptions, location: str) -> None:
        self._options = options
        self._location = location

    def look(self) -> Finding:
        """Check the texts; nothing is read."""
        name = self._options.environment
        text = f"the environment is {name!r}"
        if len(name) > MAX_CHARACTERS or not _NAME.fullmatch(name):
            return Finding(
                text,
                refusal=f"the name {name!r} ({len(name)} characters) cannot become the names of"
                f" Azure's resources: use letters, digits and hyphens, at most {MAX_CHARACTERS},"
                f" with a letter or digit at both ends ({self._cure('azd env new NAME')})",
            )
        if not GUID.fullmatch(self._options.subscription):
            return Finding(text, refusal=self._missing("subscription", "AZURE_SUBSCRIPTION_ID"))
        if not self._location:
            return Finding(text, refusal=self._missing("location", "AZURE_LOCATION"))
        return Finding(f"{text}, in the resource group rg-{name}")

    def _missing(self, option: str, variable: str) -> str:
        where = self._cure(f"azd env set {variable} VALUE", f"give --{option}")
        kind = " (its id, a GUID)" if option == "subscription" else ""
        return f"no {option}{kind} is chosen: {where}"

    def _cure(self, with_azd: str, without: str = "give another --environment") -> str:
        return f"`{with_azd}`" if self._options.azd else without
