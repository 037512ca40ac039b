"""The resources that the local Entra issues tokens for: Microsoft's services, and applications.

For any other, Entra answers AADSTS500011, and App Service's identity endpoint 500.
"""

import re

from bot_workbench.emulator.entra.errors import EntraError

MICROSOFT = frozenset(
    {
        # the channel, in each cloud
        "https://api.botframework.com",
        "https://api.botframework.us",
        "https://api.botframework.azure.cn",
        # Microsoft's other services, in the public cloud
        "https://ai.azure.com",
        "https://api.applicationinsights.io",
        "https://api.loganalytics.azure.com",
        "https://api.loganalytics.io",
        "https://appservice.azure.com",
        "https://cognitiveservices.azure.com",
        "https://communication.azure.com",
        "https://cosmos.azure.com",
        "https://database.windows.net",
        "https://dev.azuresynapse.net",
        "https://eventgrid.azure.net",
        "https://eventhubs.azure.net",
        "https://graph.microsoft.com",
        "https://graph.windows.net",
        "https://managedhsm.azure.net",
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://monitor.azure.com",
        "https://ossrdbms-aad.database.windows.net",
        "https://redis.azure.com",
        "https://search.azure.com",
        "https://servicebus.azure.net",
        "https://storage.azure.com",
        "https://vault.azure.net",
    }
)
"""Resources (URI, lower case, without a slash at the end), as Microsoft's pages about each service
name them."""

_STORAGE = re.compile(r"https://[0-9a-z]{3,24}\.(?:blob|queue|table|file|dfs)\.core\.windows\.net")
"""A storage account's own address, which is a resource too."""


def check_resource(resource: str, tenant_id: str) -> None:
    """Check that a tenant has the service that a token is wanted for.

    App ids and Application ID URIs (`api://`) pass: nobody registers a bot's skills, or an API of
    its author's own, in the local directory.

    Args:
        resource: URI or GUID; a slash at its end does not matter.
        tenant_id: GUID of the tenant that is asked.

    Raises:
        EntraError: it does not.
    """
    name = resource.lower().rstrip("/")
    is_application = name.startswith("api://") or not ("://" in name or "." in name)
    if is_application or name in MICROSOFT or _STORAGE.fullmatch(name):
        return
    raise EntraError(
        500011,
        "invalid_resource",
        f"The resource principal named {resource} was not found in the tenant named {tenant_id}.",
    )
