"""Plans: what sites run on, and what a region offers for them."""

from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest, listed
from bot_workbench.emulator.resource_manager.core.resource import JsonObject, Resource
from bot_workbench.emulator.resource_manager.core.resource_type import ResourceType
from bot_workbench.emulator.resource_manager.tenancy.subscription import LOCATIONS

PLANS = "Microsoft.Web/serverFarms"
TIERS = {"FC1": "FlexConsumption", "Y1": "Dynamic", "EP1": "ElasticPremium", "B1": "Basic"}
PYTHON_VERSIONS = ("3.13", "3.12", "3.11", "3.10")


class Plans(ResourceType):
    """Creates App Service plans."""

    created_status = 200

    def accept(
        self, request: ArmRequest, body: JsonObject, existing: Resource | None
    ) -> JsonObject:
        """A plan's tier follows from its sku."""
        accepted = super().accept(request, body, existing)
        sku = accepted.get("sku") or {"name": "Y1"}
        sku.setdefault("tier", TIERS.get(str(sku.get("name")), "Basic"))
        accepted["sku"] = sku
        accepted["properties"] |= {"status": "Ready", "numberOfSites": 0}
        return accepted


def regions(request: ArmRequest) -> ArmReply:
    """`geoRegions`: where sites can be created."""
    scope = request.id.text
    return listed(
        [
            {
                "id": f"{scope}/{display_name}",
                "name": display_name,
                "type": "Microsoft.Web/geoRegions",
                "properties": {
                    "name": display_name,
                    "displayName": display_name,
                    "description": None,
                    "orgDomain": "PUBLIC;DSERIES;FUNCTIONS;FLEXCONSUMPTION",
                },
            }
            for display_name in LOCATIONS.values()
        ]
    )


def stacks(_: ArmRequest) -> ArmReply:
    """`locations/LOCATION/functionAppStacks`: Python on Flex Consumption, the newest first."""
    versions = [_minor_version(version) for version in PYTHON_VERSIONS]
    return listed(
        [
            {
                "id": None,
                "name": "python",
                "type": "Microsoft.Web/locations/functionAppStacks",
                "properties": {
                    "displayText": "Python",
                    "value": "python",
                    "preferredOs": "linux",
                    "majorVersions": [
                        {"displayText": "Python 3", "value": "3", "minorVersions": versions}
                    ],
                },
            }
        ]
    )


def _minor_version(version: str) -> JsonObject:
    runtime = {"name": "python", "version": version}
    return {
        "displayText": f"Python {version}",
        "value": version,
        "stackSettings": {
            "linuxRuntimeSettings": {
                "runtimeVersion": f"Python|{version}",
                "isDefault": version == PYTHON_VERSIONS[0],
                "isHidden": False,
                "appInsightsSettings": {"isSupported": True},
                "appSettingsDictionary": {"FUNCTIONS_WORKER_RUNTIME": "python"},
                "siteConfigPropertiesDictionary": {"linuxFxVersion": f"Python|{version}"},
                "gitHubActionSettings": {"isSupported": True, "supportedVersion": version},
                "endOfLifeDate": None,
                "Sku": [
                    {
                        "skuCode": "FC1",
                        "instanceMemoryMB": [
                            {"size": 512, "isDefault": False},
                            {"size": 2048, "isDefault": True},
                            {"size": 4096, "isDefault": False},
                        ],
                        "maximumInstanceCount": {
                            "lowestMaximumInstanceCount": 1,
                            "highestMaximumInstanceCount": 1000,
                            "defaultValue": 100,
                        },
                        "functionAppConfigProperties": {"runtime": runtime},
                    }
                ],
            }
        },
    }
