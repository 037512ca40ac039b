"""The resources that the local Entra knows in no tenant.

For those, Entra answers AADSTS500011, and App Service's identity endpoint 500. All others are taken
to be registered: a bot may call APIs of its author's own, and more of Microsoft's services than a
list has. A service refuses a token for another one.
"""

import re

from bot_workbench.emulator.entra.errors import EntraError

_UNKNOWN = re.compile(
    r"(?!api://|https?://).*[.:/].*"  # neither a URI nor an app id
    r"|https?://(?:[^/]*\.)?(?:example|invalid|test)(?:[:/].*)?"  # nobody's domains (RFC 2606)
    r"|https://graph\.microsoft\.com/.+"  # a permission, and not the service
)


def check_resource(resource: str, tenant_id: str) -> None:
    """Check that a tenant may have the service that a token is wanted for.

    Args:
        resource: URI or GUID; a slash at its end does not matter.
        tenant_id: GUID of the tenant that is asked.

    Raises:
        EntraError: it cannot.
    """
    if _UNKNOWN.fullmatch(resource.lower().rstrip("/")):
        raise EntraError(
            500011,
            "invalid_resource",
            f"The resource principal named {resource} was not found in the tenant named"
            f" {tenant_id}.",
        )
