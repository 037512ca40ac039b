"""What the local Entra issues tokens for: Microsoft's services, and the tenant's applications."""

import pytest

from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.errors import EntraError
from bot_workbench.emulator.entra.resources import check_resource
from tests.emulator.registered_bot import TENANT, UNKNOWN

URI = "api://orders.contoso.com"


@pytest.fixture
def directory() -> Directory:
    """It has one application."""
    return Directory(TENANT)


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com",
        "https://GRAPH.microsoft.com/",
        "https://cognitiveservices.azure.com",
        "https://ai.azure.com",
        "https://contoso0815.blob.core.windows.net",
        "api://AzureADTokenExchange",
    ],
)
def test_microsoft_s_services(resource: str, directory: Directory) -> None:
    """The case of letters and a slash at the end do not matter."""
    check_resource(directory, resource, TENANT)


def test_applications(directory: Directory) -> None:
    """They are known by app id and Application ID URI, as long as they have a service principal."""
    application = directory.add_application("Orders")
    application.identifier_uris.append(URI)
    for resource in (application.app_id, application.app_id.upper(), URI, f"{URI}/"):
        check_resource(directory, resource, TENANT)
    application.service_principal_id = ""
    for resource in (application.app_id, URI):
        with pytest.raises(EntraError):
            check_resource(directory, resource, TENANT)


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com/User.Read",
        "https://graph.microsoft.example",
        "https://graph.microsoft.com.example",
        "https://blob.core.windows.net",
        "graph.microsoft.com",
        URI,
        UNKNOWN,
        "x",
    ],
)
def test_what_is_not_known(resource: str, directory: Directory) -> None:
    """The refusal names the resource and the tenant, as the real one does."""
    with pytest.raises(EntraError) as refused:
        check_resource(directory, resource, TENANT)
    assert (refused.value.code, refused.value.error) == (500011, "invalid_resource")
    text = f"The resource principal named {resource} was not found in the tenant named {TENANT}."
    assert text in str(refused.value)
