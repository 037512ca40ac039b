"""A list of resources, in a subscription that may not have registered their provider yet."""

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Conflict
from bot_workbench.admin.azure.json_object import JsonObject

UNREGISTERED = "MissingSubscriptionRegistration"
"""The code of Resource Manager's refusal (409). Microsoft reference: "Resolve errors for resource
provider registration"."""


def list_if_registered(arm: ArmClient, path: str) -> list[JsonObject] | None:
    """All objects of a list; None if the subscription has not registered the provider.

    Then there are none of its resources. `prepare` registers the providers before it asks them, but
    a dry run does not, and `remove` may run where nothing was ever deployed.

    Args:
        arm: the client.
        path: of the list, beginning with "/".

    Raises:
        AzureProblem: it cannot be read for another reason.
    """
    try:
        return list(arm.pages(path))
    except Conflict as error:
        if error.code != UNREGISTERED:
            raise
        return None
