"""The resources that Entra issues tokens for: Microsoft's services, and the tenant's applications.

For any other, the real Entra answers AADSTS500011, and App Service's identity endpoint 500.
"""

import re

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.errors import EntraError

MICROSOFT = frozenset(
    {
        # the channel, in each cloud
        "https://api.botframework.com",
        "https://api.botframework.us",
        "https://api.botframework.azure.cn",
        # the exchange of a managed identity's token, in each cloud
        "api://azureadtokenexchange",
        "api://azureadtokenexchangeusgov",
        "api://azureadtokenexchangechina",
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


def check_resource(directory: Directory, resource: str, tenant_id: str) -> None:
    """Check that a tenant has the service that a token is wanted for.

    Args:
        directory: has the applications, which are known by their app id and Application ID URIs.
        resource: URI or GUID; a slash at its end does not matter.
        tenant_id: GUID of the tenant that is asked.

    Raises:
        EntraError: it does not.
    """
    name = resource.lower().rstrip("/")
    if name in MICROSOFT or _STORAGE.fullmatch(name):
        return
    # In the channels' tenant, too: multi-tenant bots get their tokens for skills there.
    for each in directory.registrations.values():
        names = {uri.lower().rstrip("/") for uri in (each.app_id, *each.identifier_uris)}
        if name in names and each.service_principal_id:
            return
    raise EntraError(
        500011,
        "invalid_resource",
        f"The resource principal named {resource} was not found in the tenant named {tenant_id}.",
    )
