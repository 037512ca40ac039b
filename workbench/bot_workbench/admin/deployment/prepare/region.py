"""Region: the region offers Flex Consumption with the project's version of Python."""

from collections.abc import Iterator

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.resource_list import list_if_registered
from bot_workbench.admin.plan.step import Finding

PYTHON = "3.13"
STACKS_API_VERSION = "2020-10-01"
"""As `az functionapp list-flexconsumption-runtimes` asks."""


class Region:
    """Flex Consumption and Python 3.13 are to be had in the region.

    Args:
        arm: the client.
        subscription: its id (GUID).
        location: the region, such as "westeurope" or "West Europe".
    """

    title = "Region"

    def __init__(self, arm: ArmClient, subscription: str, location: str) -> None:
        self._arm = arm
        self._subscription = subscription
        self._location = normalized(location)

    def look(self) -> Finding:
        """Read the regions of Flex Consumption, and the versions of Python in this one.

        Raises:
            AzureProblem: they cannot be read.
        """
        path = f"/subscriptions/{self._subscription}/providers/Microsoft.Web/geoRegions"
        regions = list_if_registered(self._arm, f"{path}?sku=FlexConsumption")
        if regions is None:
            return Finding(
                "the regions can be read once the subscription has registered the"
                " provider Microsoft.Web"
            )
        known = sorted({normalized(str(each["name"])) for each in regions})
        if self._location not in known:
            return Finding(
                f"{self._location} has no Flex Consumption",
                refusal=f"{self._location} has no Flex Consumption plans: choose another region"
                f" (AZURE_LOCATION, --location), one of {', '.join(known)}",
            )
        if PYTHON not in set(self._python_versions()):
            return Finding(
                f"{self._location} has no Python {PYTHON}",
                refusal=f"Flex Consumption in {self._location} does not offer Python {PYTHON} yet:"
                " choose another region (AZURE_LOCATION, --location); `az functionapp"
                " list-flexconsumption-runtimes --runtime python --location NAME` lists what one"
                " offers",
            )
        return Finding(f"{self._location} has Flex Consumption with Python {PYTHON}")

    def _python_versions(self) -> Iterator[str]:
        path = f"/providers/Microsoft.Web/locations/{self._location}/functionAppStacks"
        query = "removeHiddenStacks=true&removeDeprecatedStacks=true&stack=python&sku=FC1"
        for stack in self._arm.pages(f"{path}?api-version={STACKS_API_VERSION}&{query}"):
            for major in stack["properties"].get("majorVersions") or ():
                for minor in major.get("minorVersions") or ():
                    yield from _runtimes(minor)


def normalized(location: str) -> str:
    """A region's name, such as "westeurope", from its display name, too."""
    return location.replace(" ", "").lower()


def _runtimes(minor: JsonObject) -> Iterator[str]:
    """The versions of Python that a minor version has on Flex Consumption."""
    settings = (minor.get("stackSettings") or {}).get("linuxRuntimeSettings") or {}
    for sku in settings.get("Sku") or ():
        runtime = (sku.get("functionAppConfigProperties") or {}).get("runtime") or {}
        if sku.get("skuCode") == "FC1" and runtime.get("name") == "python":
            yield str(runtime.get("version"))
