"""The deployment of infra/main.bicep: how it is recognized, and how it is deployed again."""

from bot_workbench.admin.azure.json_object import JsonObject

ENVIRONMENT_TAG = "azd-env-name"
"""The tag of all its resources, deployed with azd or without; azd finds the app that it deploys to
by it."""

DEPLOY_AGAIN = (
    "deploy the template again, with `azd provision --no-state` or with `az deployment sub create`"
)
"""Without --no-state, azd skips a template that has not changed."""


def environment_of(resource: JsonObject) -> str:
    """The environment that a resource was deployed for, in lower case; empty: none.

    Args:
        resource: as Resource Manager returns it.
    """
    return str((resource.get("tags") or {}).get(ENVIRONMENT_TAG) or "").lower()
