"""What the local Entra issues tokens for: whatever a tenant may have."""

import pytest

from bot_workbench.emulator.entra.errors import EntraError
from bot_workbench.emulator.entra.resources import check_resource
from tests.emulator.registered_bot import TENANT, UNKNOWN


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com",
        "https://GRAPH.microsoft.com/",
        "https://cognitiveservices.azure.com",
        "https://contoso.sharepoint.com",
        "https://contoso.crm4.dynamics.com/",
        "https://analysis.windows.net/powerbi/api",
        "https://contoso.com/orders",
        "https://contoso0815.blob.core.windows.net",
        "api://AzureADTokenExchange",
        "api://orders.contoso.com/v1",
        UNKNOWN,
    ],
)
def test_what_is_known(resource: str) -> None:
    """The case of letters and a slash at the end do not matter."""
    check_resource(resource, TENANT)


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com/User.Read",
        "https://graph.microsoft.example",
        "https://example/orders",
        "graph.microsoft.com",
    ],
)
def test_what_is_not_known(resource: str) -> None:
    """The refusal names the resource and the tenant, as the real one does."""
    with pytest.raises(EntraError) as refused:
        check_resource(resource, TENANT)
    assert (refused.value.code, refused.value.error) == (500011, "invalid_resource")
    text = f"The resource principal named {resource} was not found in the tenant named {TENANT}."
    assert text in str(refused.value)
